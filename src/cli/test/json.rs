//! Results for machines: one versioned object.

use std::io::{self, Write};

use serde::Serialize;

use super::{Done, Summary};
use crate::cli::suite::Ended;
use crate::report::diff::Diff;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tests: Vec<Test<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Test<'a> {
    suite: &'a str,
    name: &'a str,
    line: u64,
    column: u64,
    result: &'static str,
    /// Why it was skipped.
    reason: Option<&'a str>,
    failures: Vec<Failure<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    line: u64,
    column: u64,
    what: &'a str,
    expected: &'a str,
    found: &'a str,
    diff: Option<String>,
}

pub(super) fn write(out: &mut dyn Write, done: &[Done<'_>], summary: Summary) -> io::Result<()> {
    let report = Report {
        version: 1,
        tests: done.iter().map(test).collect(),
        summary,
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

fn test<'a>(done: &'a Done<'_>) -> Test<'a> {
    let (result, reason, failures) = match &done.ended {
        Ended::Passed => ("passed", None, &[][..]),
        Ended::Failed(failures) => ("failed", None, &failures[..]),
        Ended::Skipped(reason) => ("skipped", Some(&**reason), &[][..]),
    };
    let place = done.case.place("");
    let failures = failures.iter().map(|failure| Failure {
        line: failure.place.line,
        column: failure.place.column,
        what: &failure.what,
        expected: &failure.expected,
        found: &failure.found,
        diff: failure.diff.as_ref().map(Diff::text),
    });
    Test {
        suite: done.case.file(),
        name: done.case.name(),
        line: place.line,
        column: place.column,
        result,
        reason,
        failures: failures.collect(),
    }
}
