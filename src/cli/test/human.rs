//! One line a test, and below a failed one what was expected and what came.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{Done, Summary, id};
use crate::cli::suite::{Ended, Failure};
use crate::object::yaml::Place;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ASIDE: Style = AnsiColor::Yellow.on_default();

pub(super) fn write(out: &mut dyn Write, done: &Done<'_>) -> io::Result<()> {
    let id = id(&done.case);
    match &done.ended {
        Ended::Passed => writeln!(out, "{id} ... {GOOD}ok{GOOD:#}"),
        Ended::Skipped(reason) => writeln!(out, "{id} ... {ASIDE}skipped: {reason}{ASIDE:#}"),
        Ended::Failed(failures) => {
            writeln!(out, "{id} ... {BAD}FAILED{BAD:#}")?;
            failures
                .iter()
                .try_for_each(|failure| self::failure(out, done.case.file(), failure))
        }
    }
}

pub(super) fn finish(out: &mut dyn Write, summary: Summary) -> io::Result<()> {
    let Summary {
        passed,
        failed,
        skipped,
    } = summary;
    writeln!(out, "\n{passed} passed, {failed} failed, {skipped} skipped")
}

fn failure(out: &mut dyn Write, file: &str, failure: &Failure) -> io::Result<()> {
    let Failure {
        place: Place { line, column },
        what,
        expected,
        found,
        diff,
    } = failure;
    let bold = Style::new().bold();
    writeln!(out, "  {bold}{file}:{line}:{column}{bold:#}: {what}")?;
    if let Some(diff) = diff {
        return diff.write(out, "    ");
    }
    writeln!(out, "    expected  {}", indented(expected))?;
    writeln!(out, "    found     {}", indented(found))
}

/// Further lines stand below the first.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n              ")
}
