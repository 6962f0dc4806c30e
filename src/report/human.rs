//! Findings for people: one line that an editor can jump to, and below it why and what to do.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{Done, Located, Report};
use crate::engine::Outcome;
use crate::object::yaml::Place;

/// Writes the findings and a summary.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let Report {
        sets,
        findings,
        restored,
    } = report;
    for finding in findings {
        self::finding(out, finding)?;
    }
    for done in restored {
        self::done(out, done)?;
    }
    let is_shown = |finding: &Located| finding.judged.outcome.is_shown();
    if !restored.is_empty() || findings.iter().any(is_shown) {
        writeln!(out)?;
    }
    writeln!(
        out,
        "{sets} StatefulSet{}: {}",
        if *sets == 1 { "" } else { "s" },
        report.in_words()
    )
}

/// Writes a finding.
pub fn finding(out: &mut dyn Write, finding: &Located) -> io::Result<()> {
    let Located {
        file,
        place: Place { line, column },
        namespace,
        name,
        judged,
    } = finding;
    let (bold, style) = (Style::new().bold(), style(judged.outcome));
    let (outcome, rule) = (judged.outcome.as_str(), judged.rule);
    write!(
        out,
        "{bold}{file}:{line}:{column}{bold:#}: {style}{outcome}{style:#} {bold}{rule}{bold:#} ({namespace}/{name}): "
    )?;
    if judged.outcome < Outcome::Warned {
        return writeln!(out, "{}", judged.sentence());
    }
    let paragraph = judged.paragraph();
    // The first line begins with the rule, which stands here in colour.
    writeln!(
        out,
        "{}",
        paragraph
            .split_once(": ")
            .map_or(&*paragraph, |(_, rest)| rest)
    )
}

/// Writes what was restored.
pub fn done(out: &mut dyn Write, done: &Done) -> io::Result<()> {
    let Done {
        file,
        place: Place { line, column },
        namespace,
        name,
        restored,
    } = done;
    let (bold, style) = (Style::new().bold(), style(Outcome::Injected));
    writeln!(
        out,
        "{bold}{file}:{line}:{column}{bold:#}: {style}restored{style:#} ({namespace}/{name}): {}",
        restored.message
    )
}

fn style(outcome: Outcome) -> Style {
    let color = match outcome {
        Outcome::Denied => AnsiColor::Red,
        Outcome::Warned => AnsiColor::Yellow,
        Outcome::Injected | Outcome::Previewed => AnsiColor::Green,
        Outcome::Audited | Outcome::Waived => AnsiColor::BrightBlack,
    };
    Style::new().fg_color(Some(color.into())).bold()
}
