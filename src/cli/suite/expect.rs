//! What was expected, held against what came.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use super::asked::Ran;
use super::case::Case;
use super::format::{Expect, Pattern, Source, Wanted};
use super::golden::diff;
use super::request::Request;
use super::{Failure, Goldens};
use crate::engine::Judged;
use crate::report::diff::Diff;

/// Collects what was not met.
struct Unmet<'c> {
    case: &'c Case<'c>,
    failures: Vec<Failure>,
}

impl Unmet<'_> {
    fn add(&mut self, key: &str, expected: String, found: String) {
        self.failures.push(Failure {
            place: self.case.place(&format!("/expect/{key}")),
            what: what(key),
            expected,
            found,
            diff: None,
        });
    }

    fn differs(&mut self, key: &str, diff: Diff) {
        self.add(key, String::new(), String::new());
        if let Some(last) = self.failures.last_mut() {
            last.diff = Some(diff);
        }
    }
}

/// Every expectation of the case that `ran` does not meet.
pub(super) fn unmet(
    case: &Case<'_>,
    request: &Request,
    ran: &Ran,
    goldens: &mut Goldens,
) -> Result<Vec<Failure>> {
    let expect = &case.test.expect;
    let mut unmet = Unmet {
        case,
        failures: Vec::new(),
    };
    verdict(expect, ran, &mut unmet);
    for (index, wanted) in expect.findings.iter().enumerate() {
        findings(index, wanted, &ran.verdict.judged, &mut unmet);
    }
    object(expect, request, ran, goldens, &mut unmet)?;
    Ok(unmet.failures)
}

fn verdict(expect: &Expect, ran: &Ran, unmet: &mut Unmet<'_>) {
    let verdict = &ran.verdict;
    let denial = verdict.denial.as_deref();
    if expect
        .allowed
        .is_some_and(|allowed| allowed != verdict.allowed)
    {
        let spelt = |allowed| if allowed { "allowed" } else { "denied" }.to_owned();
        let found = match denial {
            Some(denial) => format!("denied: {denial}"),
            None => spelt(verdict.allowed),
        };
        unmet.add("allowed", spelt(!verdict.allowed), found);
    }
    let denied_so = |pattern: &&Pattern| denial.is_some_and(|denial| pattern.0.is_match(denial));
    if let Some(pattern) = expect.denial.as_ref().filter(|pattern| !denied_so(pattern)) {
        let found = denial.unwrap_or("allowed").to_owned();
        unmet.add("denial", pattern.to_string(), found);
    }
    let warnings = &verdict.warnings;
    let matched = |pattern: &Pattern| warnings.iter().any(|warning| pattern.0.is_match(warning));
    for (index, pattern) in expect.warnings.iter().enumerate() {
        if !matched(pattern) {
            let found = listed("no warning like it", warnings);
            unmet.add(&format!("warnings/{index}"), pattern.to_string(), found);
        }
    }
    if expect
        .no_warnings
        .is_some_and(|none| none != warnings.is_empty())
    {
        let expected = if warnings.is_empty() {
            "a warning"
        } else {
            "no warning"
        };
        unmet.add("noWarnings", expected.to_owned(), listed("", warnings));
    }
    let annotations = &verdict.audit_annotations;
    for (key, pattern) in &expect.audit_annotations {
        let mut values = annotations.iter().filter(|(of, _)| of == key);
        if !values.any(|(_, value)| pattern.0.is_match(value)) {
            let all: Vec<_> = annotations
                .iter()
                .map(|(key, value)| format!("{key}: {value}"))
                .collect();
            let found = listed("no annotation like it", &all);
            unmet.add(
                &format!("auditAnnotations/{key}"),
                pattern.to_string(),
                found,
            );
        }
    }
}

fn findings(index: usize, wanted: &Wanted, judged: &[Judged], unmet: &mut Unmet<'_>) {
    let count = judged.iter().filter(|judged| wanted.fits(judged)).count();
    if wanted.count.map_or(count > 0, |wanted| wanted == count) {
        return;
    }
    let number = match wanted.count {
        None => "at least 1".to_owned(),
        Some(count) => count.to_string(),
    };
    let all: Vec<_> = judged.iter().map(line).collect();
    let found = listed(&format!("{count} of these"), &all);
    unmet.add(
        &format!("findings/{index}"),
        format!("{number} with {}", wanted.spelt()),
        found,
    );
}

fn object(
    expect: &Expect,
    request: &Request,
    ran: &Ran,
    goldens: &mut Goldens,
    unmet: &mut Unmet<'_>,
) -> Result<()> {
    let folder = &unmet.case.suite.folder;
    let patch = serde_json::to_value(&ran.verdict.patch)?;
    // A patch that does not apply is a failure of its own.
    if let (Some(file), Ok(patched)) = (&expect.patched, &ran.patched)
        && let Some(diff) = goldens.compare(&folder.join(file), patched)?
    {
        unmet.differs("patched", diff);
    }
    let diff = match &expect.patch {
        None => None,
        Some(Source::File(file)) => goldens.compare(&folder.join(file), &patch)?,
        Some(Source::Inline(expected)) => {
            let expected = Value::Array(expected.clone());
            (expected != patch).then(|| diff(&expected, &patch))
        }
    };
    if let Some(diff) = diff {
        unmet.differs("patch", diff);
    }
    if let (Some(unchanged), Ok(patched)) = (expect.unchanged, &ran.patched)
        && unchanged != (patched == request.object())
    {
        let expected = ["some change", "no change"][usize::from(unchanged)];
        unmet.add("unchanged", expected.to_owned(), patch.to_string());
    }
    Ok(())
}

impl Wanted {
    fn fits(&self, judged: &Judged) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| Some(wanted) == found)
        }
        let finding = &judged.finding;
        let path = |path: &String| {
            *path == finding.at.to_string() || path == finding.at.pointer().as_str()
        };
        self.rule.is_none_or(|rule| rule.0 == judged.rule)
            && is(self.container.as_ref(), finding.container.as_ref())
            && is(self.subject.as_ref(), finding.subject.as_ref())
            && is(self.level.as_ref(), Some(&judged.level))
            && is(self.outcome.as_ref(), Some(&judged.outcome))
            && self.path.as_ref().is_none_or(path)
            && self
                .message
                .as_ref()
                .is_none_or(|message| message.0.is_match(&finding.message))
    }

    fn spelt(&self) -> String {
        let parts = [
            ("rule", self.rule.map(|rule| rule.0.to_owned())),
            ("container", self.container.clone()),
            ("subject", self.subject.clone()),
            ("level", self.level.map(|level| level.to_string())),
            (
                "outcome",
                self.outcome.map(|outcome| outcome.as_str().to_owned()),
            ),
            ("path", self.path.clone()),
            ("message", self.message.as_ref().map(Pattern::to_string)),
        ];
        let parts: Vec<_> = parts
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key} {}", value?)))
            .collect();
        if parts.is_empty() {
            "any finding".to_owned()
        } else {
            parts.join(", ")
        }
    }
}

/// `findings/0` as people write it.
fn what(key: &str) -> String {
    match key.split_once('/') {
        Some((list, item)) => format!("{list}[{item}]"),
        None => key.to_owned(),
    }
}

/// A finding in one line.
fn line(judged: &Judged) -> String {
    let finding = &judged.finding;
    let (level, outcome) = (judged.level, judged.outcome.as_str());
    let mut line = format!("{outcome} {} ({level})", judged.rule);
    if let Some(container) = &finding.container {
        let _ = write!(line, " container {container}");
    }
    if let Some(subject) = &finding.subject {
        let _ = write!(line, " subject {subject}");
    }
    let _ = write!(line, " at {}: {}", finding.at, finding.message);
    line
}

fn listed(head: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return "none".to_owned();
    }
    let head = if head.is_empty() { "these" } else { head };
    format!("{head}:\n{}", lines.join("\n"))
}
