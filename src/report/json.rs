//! Findings for machines: one versioned object.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Located, counts};
use crate::engine::Outcome;
use crate::rule::Level;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    findings: Vec<Finding<'a>>,
    summary: Summary,
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
    #[serde(flatten)]
    outcomes: BTreeMap<&'static str, usize>,
}

/// Writes the report.
pub fn write(out: &mut dyn Write, findings: &[Located], sets: usize) -> io::Result<()> {
    let outcomes = counts(findings)
        .map(|(outcome, count)| (outcome.as_str(), count))
        .collect();
    let findings = findings.iter().map(|located| {
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
    let report = Report {
        version: 1,
        findings: findings.collect(),
        summary: Summary { sets, outcomes },
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}
