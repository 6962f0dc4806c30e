//! `steadfast check`: what a cluster would do with manifests.

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::given::GivenArgs;
use super::{Format, Outcome};
use crate::engine;
use crate::report::{self, Located, Report};
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
        for text in &given.texts {
            for set in given.sets(text, &mut amiss) {
                if let Some(verdict) = set.judge(engine::admit, &mut amiss) {
                    set.report(verdict, &mut report);
                }
            }
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
