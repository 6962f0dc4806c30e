//! `steadfast rules`: the rules as a table.

use std::io::Write as _;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{Format, Outcome};
use crate::rule::doc::Doc;
use crate::rules::RULES;

/// List the rules.
#[derive(Args, Debug)]
pub(super) struct Rules {
    /// How to print them
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        env = "STEADFAST_OUTPUT"
    )]
    output: Format,
}

impl Rules {
    pub(super) fn run(self) -> Result<Outcome> {
        let mut stdout = anstream::stdout().lock();
        match self.output {
            Format::Human => {
                let width = RULES
                    .iter()
                    .map(|entry| entry.meta.id.len())
                    .max()
                    .unwrap_or_default();
                let bold = anstyle::Style::new().bold();
                writeln!(
                    stdout,
                    "{bold}{:width$}  baseline  strict  finds{bold:#}",
                    "rule"
                )?;
                for entry in RULES {
                    let (meta, doc) = (&entry.meta, Doc::read(entry.meta.source));
                    let finds = doc.summary.trim_start_matches("Finds ").replace('\n', " ");
                    writeln!(
                        stdout,
                        "{:width$}  {:8}  {:6}  {finds}",
                        meta.id, meta.levels.baseline, meta.levels.strict
                    )?;
                }
            }
            Format::Json => {
                let rules: Vec<_> = RULES.iter().map(|entry| {
                    let (meta, doc) = (&entry.meta, Doc::read(entry.meta.source));
                    json!({
                        "rule": meta.id,
                        "levels": {"baseline": meta.levels.baseline, "strict": meta.levels.strict},
                        "summary": doc.summary,
                        "params": (entry.defaults)(),
                    })
                }).collect();
                let rules = json!({"version": 1, "rules": rules});
                // Written by us: a pipe that is closed is then an error of the pipe, not of the JSON.
                writeln!(stdout, "{rules:#}")?;
            }
        }
        Ok(Outcome::Clean)
    }
}
