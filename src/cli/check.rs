//! `steadfast check`: what a cluster would do with manifests.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};

use super::input::{self, Object};
use super::{Outcome, PolicyArgs};
use crate::admission;
use crate::engine;
use crate::object::yaml::Place;
use crate::policy::PolicySet;
use crate::report::{self, Located};
use crate::rule::ClusterView;

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
        let (objects, mut errors) = input::readable_objects(&self.paths);
        let more = input::objects(&self.cluster)?;
        let cluster = input::cluster(objects.iter().chain(&more), self.complete)?;
        let mut findings = Vec::new();
        let sets: Vec<_> = objects
            .iter()
            .filter(|object| object.is_stateful_set())
            .collect();
        for set in &sets {
            match judge(set, &policies, &cluster) {
                Ok(found) => findings.extend(found),
                Err(error) => errors.push(error),
            }
        }
        let mut stdout = anstream::stdout().lock();
        match self.output {
            Format::Human => report::human::write(&mut stdout, &findings, sets.len())?,
            Format::Json => report::json::write(&mut stdout, &findings, sets.len())?,
        }
        stdout.flush()?;
        if sets.is_empty() && errors.is_empty() {
            writeln!(
                anstream::stderr(),
                "warning: no StatefulSet (apps/v1) in the input"
            )?;
        }
        // What could be judged is said; what could not makes the work undone.
        if let Some(last) = errors.pop() {
            for error in errors {
                writeln!(anstream::stderr(), "error: {error:#}")?;
            }
            return Err(last);
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

/// The findings of one set, each with its place in the file.
fn judge(set: &Object, policies: &PolicySet, cluster: &dyn ClusterView) -> Result<Vec<Located>> {
    let name = set.value["metadata"]["name"].as_str().unwrap_or_default();
    let verdict =
        admission::admit(policies, cluster, set.namespace(), &set.value).map_err(|error| {
            let Place { line, column } = set.place(&error.pointer());
            anyhow!(
                "{}:{line}:{column}: StatefulSet {name} cannot be read: {error}",
                set.file
            )
        })?;
    let located = verdict.judged.into_iter().map(|judged| Located {
        file: set.file.to_string(),
        place: set.place(judged.finding.at.pointer().as_str()),
        namespace: set.namespace().to_owned(),
        name: name.to_owned(),
        judged,
    });
    Ok(located.collect())
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
