//! Findings for machines: one versioned object.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Report, counts};
use crate::engine::Outcome;
use crate::rule::Level;

#[derive(Serialize)]
struct Text<'a> {
    version: u32,
    findings: Vec<Finding<'a>>,
    /// What updates got back, or were rid of.
    restored: Vec<Restored<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Restored<'a> {
    file: &'a str,
    line: u64,
    column: u64,
    namespace: &'a str,
    name: &'a str,
    path: String,
    pointer: String,
    message: &'a str,
}

#[derive(Serialize)]
struct Finding<'a> {
    file: &'a str,
    line: u64,
    column: u64,
    namespace: &'a str,
    name: &'a str,
    rule: &'a str,
    level: Level,
    outcome: Outcome,
    container: Option<&'a str>,
    path: String,
    pointer: String,
    message: &'a str,
    why: &'a str,
    remedy: &'a str,
    /// Why it is not denied, where the rule's level says so.
    spared: Option<String>,
    /// What was or would be done, where a fix is known.
    fix: Option<&'a str>,
    fixable: bool,
}

#[derive(Serialize)]
struct Summary {
    sets: usize,
    restored: usize,
    #[serde(flatten)]
    outcomes: BTreeMap<&'static str, usize>,
}

/// Writes the report.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut outcomes: BTreeMap<_, _> = Outcome::ALL.map(|one| (one.as_str(), 0)).into();
    outcomes.extend(counts(&report.findings).map(|(outcome, count)| (outcome.as_str(), count)));
    let restored = report.restored.iter().map(|done| Restored {
        file: &done.file,
        line: done.place.line,
        column: done.place.column,
        namespace: &done.namespace,
        name: &done.name,
        path: done.restored.at.to_string(),
        pointer: done.restored.at.pointer().to_string(),
        message: &done.restored.message,
    });
    let findings = report.findings.iter().map(|located| {
        let (judged, finding) = (&located.judged, &located.judged.finding);
        Finding {
            file: &located.file,
            line: located.place.line,
            column: located.place.column,
            namespace: &located.namespace,
            name: &located.name,
            rule: judged.rule,
            level: judged.level,
            outcome: judged.outcome,
            container: finding.container.as_deref(),
            path: finding.at.to_string(),
            pointer: finding.at.pointer().to_string(),
            message: &finding.message,
            why: &finding.why,
            remedy: &finding.remedy,
            spared: judged.spared.map(|spared| spared.to_string()),
            fix: finding.fix.as_ref().map(|fix| fix.done.as_str()),
            fixable: finding.fix.is_some(),
        }
    });
    let text = Text {
        version: 1,
        findings: findings.collect(),
        restored: restored.collect(),
        summary: Summary {
            sets: report.sets,
            restored: report.restored.len(),
            outcomes,
        },
    };
    serde_json::to_writer_pretty(&mut *out, &text)?;
    writeln!(out)
}
