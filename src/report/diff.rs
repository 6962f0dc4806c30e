//! A diff of two texts, in lines.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

const GONE: Style = AnsiColor::Red.on_default().bold();
const COME: Style = AnsiColor::Green.on_default();
const PLACE: Style = AnsiColor::Cyan.on_default();

/// A diff in lines, each with what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diff(Vec<(ChangeTag, String)>);

impl Diff {
    /// The unified diff of two texts that are called so.
    #[must_use]
    pub fn of((old_name, old): (&str, &str), (new_name, new): (&str, &str)) -> Self {
        let diff = TextDiff::from_lines(old, new);
        let mut lines = vec![
            (ChangeTag::Delete, format!("--- {old_name}")),
            (ChangeTag::Insert, format!("+++ {new_name}")),
        ];
        for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
            lines.push((ChangeTag::Equal, hunk.header().to_string()));
            for change in hunk.iter_changes() {
                let line = change.value().trim_end_matches('\n');
                lines.push((change.tag(), format!("{}{line}", change.tag())));
                if change.missing_newline() {
                    let none = "\\ No newline at end of file".to_owned();
                    lines.push((ChangeTag::Equal, none));
                }
            }
        }
        Self(lines)
    }

    /// Writes it in colour, each line behind `indent`.
    pub fn write(&self, out: &mut dyn Write, indent: &str) -> io::Result<()> {
        for (tag, line) in &self.0 {
            let style = match tag {
                ChangeTag::Delete => GONE,
                ChangeTag::Insert => COME,
                ChangeTag::Equal if line.starts_with("@@") => PLACE,
                ChangeTag::Equal => Style::new(),
            };
            writeln!(out, "{indent}{style}{line}{style:#}")?;
        }
        Ok(())
    }

    /// The diff as text.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self.0.iter();
        lines.flat_map(|(_, line)| [line, "\n"]).collect()
    }
}
