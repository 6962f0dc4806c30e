//! Results as the XML of `junit`, which every CI reads.

use std::fmt::{self, Display};
use std::io::{self, Write};

use super::{Done, Summary};
use crate::cli::suite::{Ended, Failure};
use crate::report::diff::Diff;

pub(super) fn write(out: &mut dyn Write, done: &[Done<'_>], all: Summary) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="steadfast test" {}>"#, Counts(all))?;
    for suite in done.chunk_by(|one, next| one.case.file() == next.case.file()) {
        let file = Xml(suite[0].case.file());
        let counts = Counts(Summary::of(suite));
        writeln!(out, r#"  <testsuite name="{file}" {counts}>"#)?;
        for one in suite {
            test(out, one)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn test(out: &mut dyn Write, done: &Done<'_>) -> io::Result<()> {
    let (name, file) = (Xml(done.case.name()), Xml(done.case.file()));
    let line = done.case.place("").line;
    let head =
        format!(r#"    <testcase name="{name}" classname="{file}" file="{file}" line="{line}""#);
    match &done.ended {
        Ended::Passed => writeln!(out, "{head}/>"),
        Ended::Skipped(reason) => {
            let reason = Xml(reason);
            writeln!(
                out,
                "{head}>\n      <skipped message=\"{reason}\"/>\n    </testcase>"
            )
        }
        Ended::Failed(failures) => {
            writeln!(out, "{head}>")?;
            for failure in failures {
                let (what, text) = (Xml(&failure.what), text(failure));
                writeln!(
                    out,
                    "      <failure message=\"{what}\">{}</failure>",
                    Xml(&text)
                )?;
            }
            writeln!(out, "    </testcase>")
        }
    }
}

fn text(failure: &Failure) -> String {
    match &failure.diff {
        Some(diff) => Diff::text(diff),
        None => format!("expected: {}\nfound: {}", failure.expected, failure.found),
    }
}

struct Counts(Summary);

impl Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary {
            passed,
            failed,
            skipped,
        } = self.0;
        let tests = passed + failed + skipped;
        write!(
            f,
            r#"tests="{tests}" failures="{failed}" errors="0" skipped="{skipped}""#
        )
    }
}

/// A text between tags or quotes. What XML 1.0 cannot say at all becomes a question mark.
struct Xml<'t>(&'t str);

impl Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\n' | '\t' => write!(f, "{c}")?,
                '\r' => f.write_str("&#13;")?,
                '\u{FFFE}' | '\u{FFFF}' => f.write_str("?")?,
                c if c.is_ascii_control() && c != '\u{7f}' => f.write_str("?")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_take_is_escaped() {
        let text = Xml("a < \"b\" & \u{1b}[0m\n\u{fffe}").to_string();
        assert_eq!(text, "a &lt; &quot;b&quot; &amp; ?[0m\n?");
    }
}
