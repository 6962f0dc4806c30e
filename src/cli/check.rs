//! `steadfast check`: what a cluster would do with manifests.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use super::{Outcome, PolicyArgs, input};
use crate::admission;
use crate::engine;
use crate::object::yaml::Place;
use crate::report::{self, Located};

/// Say what a cluster would do with manifests.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// Manifests: files, folders, or `-` for stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// More manifests that are in the cluster, and are not judged
    #[arg(long, value_name = "FILE|DIR")]
    cluster: Vec<PathBuf>,
    /// What is given is all there is in the cluster
    #[arg(long)]
    complete: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    /// How to print the findings
    #[arg(short, long, value_enum, default_value_t, env = "STEADFAST_OUTPUT")]
    output: Format,
    /// The least that makes the exit code 1
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum FailOn {
    /// A finding that a cluster would deny
    #[default]
    Deny,
    /// A finding that a cluster would warn of
    Warn,
    /// Also what a cluster would inject
    Fix,
}

impl Check {
    pub(super) fn run(self) -> Result<Outcome> {
        let policies = self.policy.read()?;
        let objects = input::objects(&self.paths)?;
        let more = input::objects(&self.cluster)?;
        let cluster = input::cluster(objects.iter().chain(&more), self.complete)?;
        let mut findings = Vec::new();
        let sets: Vec<_> = objects
            .iter()
            .filter(|object| object.is_stateful_set())
            .collect();
        for set in &sets {
            let Place { line, column } = set.place("");
            let verdict = admission::admit(&policies, &cluster, set.namespace(), &set.value)
                .map_err(anyhow::Error::msg)
                .with_context(|| {
                    format!(
                        "{}:{line}:{column}: this StatefulSet cannot be read",
                        set.file
                    )
                })?;
            let name = set.value["metadata"]["name"].as_str().unwrap_or_default();
            findings.extend(verdict.judged.into_iter().map(|judged| {
                let place = set.place(judged.finding.at.pointer().as_str());
                Located {
                    file: set.file.to_string(),
                    place,
                    namespace: set.namespace().to_owned(),
                    name: name.to_owned(),
                    judged,
                }
            }));
        }
        let mut stdout = anstream::stdout().lock();
        match self.output {
            Format::Human => report::human::write(&mut stdout, &findings, sets.len())?,
            Format::Json => report::json::write(&mut stdout, &findings, sets.len())?,
        }
        stdout.flush()?;
        if sets.is_empty() {
            writeln!(
                anstream::stderr(),
                "warning: no StatefulSet (apps/v1) in the input"
            )?;
        }
        Ok(
            if findings.iter().any(|finding| self.fail_on.is_met(finding)) {
                Outcome::Findings
            } else {
                Outcome::Clean
            },
        )
    }
}

impl FailOn {
    fn is_met(self, finding: &Located) -> bool {
        use engine::Outcome::{Denied, Injected, Previewed, Warned};
        match finding.judged.outcome {
            Denied => true,
            Warned => self != Self::Deny,
            Injected | Previewed => self == Self::Fix,
            engine::Outcome::Audited | engine::Outcome::Waived => false,
        }
    }
}
