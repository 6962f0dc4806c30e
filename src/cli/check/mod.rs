//! `steadfast check`: what a cluster would do with manifests.

mod old;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Error, Result, anyhow};
use clap::{Args, ValueEnum};

use self::old::Stored;
use super::input::{self, Object};
use super::{Format, Outcome, PolicyArgs};
use crate::admission;
use crate::cluster::DEFAULT_NAMESPACE;
use crate::engine;
use crate::object;
use crate::object::yaml::Place;
use crate::policy::PolicySet;
use crate::report::{self, Done, Located, Report};
use crate::rule::{ClusterView, Level};

/// Say what a cluster would do with manifests.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// Manifests: files, folders, or `-` for stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What is stored: sets with a namesake here are judged as its update, the others as made
    #[arg(long, value_name = "FILE|DIR")]
    old: Vec<PathBuf>,
    /// More manifests that are in the cluster, and are not judged; with --complete all there is
    #[arg(long, value_name = "FILE|DIR")]
    cluster: Vec<PathBuf>,
    /// What is given is all there is in the cluster
    #[arg(long)]
    complete: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    /// How to print the findings
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        env = "STEADFAST_OUTPUT"
    )]
    output: Format,
    /// The least that makes the exit code 1
    #[arg(long, value_enum, default_value_t, value_name = "OUTCOME")]
    fail_on: FailOn,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum FailOn {
    /// A finding that a cluster would deny
    #[default]
    Deny,
    /// A finding that a cluster would warn of
    Warn,
    /// Also what a cluster would inject, or give back to an update
    Fix,
}

impl Check {
    pub(super) fn run(self) -> Result<Outcome> {
        let policies = self.policy.read()?;
        let (objects, errors) = input::readable_objects(&self.paths);
        let more = input::objects(&self.cluster)?;
        let stored = Stored::read(&self.old)?;
        let beside = objects.iter().chain(&more).chain(&stored.others);
        let cluster = input::cluster(beside, self.complete)?;
        let mut checked = Checked {
            errors,
            ..Checked::default()
        };
        for set in objects.iter().filter(|object| object.is_stateful_set()) {
            let old = stored.of(set);
            if !self.old.is_empty() && old.is_none() {
                let stated = set
                    .stated_namespace()
                    .map(|namespace| format!("{namespace}/"));
                let namespace = stated.unwrap_or_default();
                checked.made.push(format!("{namespace}{}", set.name()));
            }
            checked.judge(set, old, &policies, &cluster);
        }
        let report = &checked.report;
        let mut stdout = anstream::stdout().lock();
        match self.output {
            // Where nothing could be read, the errors say it all.
            Format::Human if report.sets == 0 && !checked.errors.is_empty() => {}
            Format::Human => report::human::write(&mut stdout, report)?,
            Format::Json => report::json::write(&mut stdout, report)?,
        }
        stdout.flush()?;
        checked.say_what_is_amiss()?;
        let mut findings = checked.report.findings.iter();
        let fails = findings.any(|finding| self.fail_on.is_met(finding))
            || self.fail_on == FailOn::Fix && !checked.report.restored.is_empty();
        // What could be judged is said; what could not makes the work undone.
        match checked.errors.pop() {
            Some(error) => Err(error),
            None if fails => Ok(Outcome::Findings),
            None => Ok(Outcome::Clean),
        }
    }
}

/// What came of the sets so far.
#[derive(Default)]
struct Checked {
    report: Report,
    /// The names of those of which nothing is stored, where something should be.
    made: Vec<String>,
    notes: Vec<String>,
    has_questions: bool,
    errors: Vec<Error>,
}

impl Checked {
    fn judge(
        &mut self,
        set: &Object,
        old: Option<&Object>,
        policies: &PolicySet,
        cluster: &dyn ClusterView,
    ) {
        let name = set.name();
        let said = |pointer: &str, message: String| {
            let Place { line, column } = set.place(pointer);
            let name = if name.is_empty() {
                "without a name"
            } else {
                name
            };
            format!(
                "{}:{line}:{column}: StatefulSet {name}: {message}",
                set.file
            )
        };
        // A manifest that names no namespace goes where the set is that it changes.
        let namespace = set
            .stated_namespace()
            .or_else(|| old.and_then(Object::stated_namespace));
        let namespace = namespace.unwrap_or(DEFAULT_NAMESPACE);
        let old = old.map(|old| &old.value);
        match admission::admit(policies, cluster, namespace, &set.value, old) {
            Ok(verdict) => {
                self.report.sets += 1;
                self.notes
                    .extend(verdict.notes.into_iter().map(|note| said("", note)));
                self.has_questions |= !verdict.questions.is_empty();
                let place = |at: &object::Path| set.place(at.pointer().as_str());
                let findings = verdict.judged.into_iter().map(|judged| Located {
                    file: set.file.to_string(),
                    place: place(&judged.finding.at),
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    judged,
                });
                self.report.findings.extend(findings);
                let restored = verdict.restored.into_iter().map(|restored| Done {
                    file: set.file.to_string(),
                    place: place(&restored.at),
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    restored,
                });
                self.report.restored.extend(restored);
            }
            Err(error) => self.errors.push(anyhow!(said(
                &error.pointer(),
                format!("cannot be read: {error}")
            ))),
        }
    }

    /// On stderr, all but the last error, which is the command's own.
    fn say_what_is_amiss(&self) -> Result<()> {
        let mut stderr = anstream::stderr().lock();
        for note in &self.notes {
            writeln!(stderr, "warning: {note}")?;
        }
        if !self.made.is_empty() {
            writeln!(
                stderr,
                "note: judged as made, since --old has no set of that namespace and name: {}",
                self.made.join(", ")
            )?;
        }
        if self.has_questions {
            writeln!(
                stderr,
                "note: some of this hangs on Services, claims or storage classes that are not in the input; give their manifests by \
                 --cluster, or say that there are no others by --complete"
            )?;
        }
        if self.report.sets == 0 && self.errors.is_empty() {
            writeln!(stderr, "warning: no StatefulSet (apps/v1) in the input")?;
        }
        for error in self
            .errors
            .split_last()
            .map_or(&[][..], |(_, others)| others)
        {
            writeln!(stderr, "error: {error:#}")?;
        }
        Ok(())
    }
}

impl FailOn {
    fn is_met(self, finding: &Located) -> bool {
        use engine::Outcome::{Denied, Injected, Previewed, Warned};
        match finding.judged.outcome {
            Denied => true,
            Warned => self != Self::Deny,
            // The defect is left.
            Previewed => {
                self == Self::Fix || self == Self::Warn && finding.judged.level >= Level::Warn
            }
            Injected => self == Self::Fix,
            engine::Outcome::Audited | engine::Outcome::Waived => false,
        }
    }
}
