//! `steadfast explain RULE`: one rule with reason, parameters, example before and after; `steadfast explain workload NAME`: what
//! is known of a workload, and where from.

mod workload;

use std::io::Write;

use anstyle::Style;
use anyhow::{Result, bail};
use clap::Args;

use super::{Outcome, PolicyArgs};
use crate::cluster::DEFAULT_NAMESPACE;
use crate::policy::{Subject, unknown_rule};
use crate::rule::Entry;
use crate::rule::doc::Doc;
use crate::rule::waiver::{INJECT, PREFIX};
use crate::rules;

/// Explain a rule, or what is known of a workload: `explain workload NAME`.
#[derive(Args, Debug)]
pub(super) struct Explain {
    /// The rule's id (`steadfast rules` lists them), or `workload`
    #[arg(value_name = "RULE|workload")]
    topic: String,
    /// With `workload`: its name, or an image; all of them without one
    name: Option<String>,
    #[command(flatten)]
    policy: PolicyArgs,
}

impl Explain {
    pub(super) fn run(self) -> Result<Outcome> {
        let mut stdout = anstream::stdout().lock();
        if self.topic == "workload" {
            let policies = self.policy.read()?;
            let anybody = Subject {
                namespace: DEFAULT_NAMESPACE,
                name: "",
            };
            let catalogue = &policies.effective(&anybody).catalogue;
            workload::explain(&mut stdout, catalogue, self.name.as_deref())?;
            return Ok(Outcome::Clean);
        }
        if let Some(name) = &self.name {
            bail!("one rule is explained at a time; what is {name:?} for?");
        }
        let Some(entry) = rules::find(&self.topic) else {
            bail!(unknown_rule(&self.topic))
        };
        write(&mut stdout, entry)?;
        Ok(Outcome::Clean)
    }
}

fn write(out: &mut dyn Write, entry: &Entry) -> Result<()> {
    let bold = Style::new().bold();
    let (meta, doc) = (&entry.meta, Doc::read(entry.meta.source));
    writeln!(
        out,
        "{bold}{}{bold:#} (baseline: {}, strict: {})\n",
        meta.id, meta.levels.baseline, meta.levels.strict
    )?;
    writeln!(out, "{}", doc.summary)?;
    for (name, text) in doc.sections.iter().filter(|(name, _)| name != "Example") {
        writeln!(out, "\n{bold}{name}{bold:#}\n{text}")?;
    }
    if !doc.params.is_empty() {
        writeln!(out, "\n{bold}Parameters{bold:#}")?;
        let defaults = (entry.defaults)();
        for (name, text) in &doc.params {
            writeln!(out, "  {name} (default: {})\n      {text}", defaults[name])?;
        }
    }
    for example in &doc.examples {
        let parts = [
            ("Parameters of the example", &example.params),
            ("In the cluster", &example.cluster),
        ];
        if let Some(old) = &example.old {
            write!(out, "\n{bold}Stored{bold:#}\n{}", indented(old))?;
        }
        writeln!(out, "\n{bold}Before{bold:#}\n{}", indented(&example.before))?;
        for (title, text) in parts {
            if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
                writeln!(out, "{bold}{title}{bold:#}\n{}", indented(text))?;
            }
        }
        write!(out, "{bold}After{bold:#}\n{}", indented(&example.after))?;
    }
    opt_out(out, entry)
}

fn opt_out(out: &mut dyn Write, entry: &Entry) -> Result<()> {
    let bold = Style::new().bold();
    let id = entry.meta.id;
    writeln!(
        out,
        "\n{bold}Opt out{bold:#} by an annotation on the set or its pod template:\n  {PREFIX}{id}: \"<reason>\""
    )?;
    if entry.meta.per_container {
        writeln!(
            out,
            "for some containers only:\n  {PREFIX}{id}: \"[app,sidecar] <reason>\""
        )?;
    }
    if entry.meta.fixes {
        writeln!(
            out,
            "or of all injection, by an annotation on the set:\n  {INJECT}: \"false\""
        )?;
    }
    Ok(())
}

fn indented(text: &str) -> String {
    let mut indented = String::new();
    for line in text.lines() {
        indented.extend(["  ", line, "\n"]);
    }
    indented
}
