//! `steadfast check`: what a cluster would do with manifests.

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::given::{Amiss, GivenArgs, Subject};
use super::{Format, Outcome};
use crate::admission;
use crate::engine;
use crate::object;
use crate::report::{self, Done, Located, Report};
use crate::rule::Level;

/// Say what a cluster would do with manifests.
#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    given: GivenArgs,
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
        let (given, mut amiss) = self.given.read()?;
        let mut report = Report::default();
        for set in given.texts.iter().flat_map(|text| given.sets(text)) {
            judge(set, &mut report, &mut amiss);
        }
        let mut stdout = anstream::stdout().lock();
        match self.output {
            // Where nothing could be read, the errors say it all.
            Format::Human if amiss.is_all() => {}
            Format::Human => report::human::write(&mut stdout, &report)?,
            Format::Json => report::json::write(&mut stdout, &report)?,
        }
        stdout.flush()?;
        amiss.say()?;
        let fails = report.findings.iter().any(|one| self.fail_on.is_met(one))
            || self.fail_on == FailOn::Fix && !report.restored.is_empty();
        Ok(if fails {
            Outcome::Findings
        } else {
            Outcome::Clean
        })
    }
}

/// Adds to the report what a cluster would do with a set.
fn judge(subject: Subject<'_>, report: &mut Report, amiss: &mut Amiss) {
    let Some(verdict) = subject.judge(admission::admit, amiss) else {
        return;
    };
    let Subject { set, namespace, .. } = subject;
    let place = |at: &object::Path| set.place(at.pointer().as_str());
    report.sets += 1;
    let findings = verdict.judged.into_iter().map(|judged| Located {
        file: set.file.to_string(),
        place: place(&judged.finding.at),
        namespace: namespace.to_owned(),
        name: set.name().to_owned(),
        judged,
    });
    report.findings.extend(findings);
    let restored = verdict.restored.into_iter().map(|restored| Done {
        file: set.file.to_string(),
        place: place(&restored.at),
        namespace: namespace.to_owned(),
        name: set.name().to_owned(),
        restored,
    });
    report.restored.extend(restored);
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
