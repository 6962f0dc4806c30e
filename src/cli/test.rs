//! `steadfast test`: policy unit tests.

mod human;
mod json;
mod junit;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use regex::Regex;

use super::Outcome;
use super::suite::{self, Case, Ended, Goldens};

const EXAMPLE: &str = "\
A small suite:
  policy: policy.yaml                  # file, folder or list; without it the built-in one
  tests:
  - name: a bare web app is repaired
    object: app.yaml                   # a manifest; or review: FILE with an AdmissionReview
    cluster: [services.yaml]           # all there is in the cluster; without it nothing is known
    expect:
      allowed: true
      findings: [{rule: missing-readiness-probe, container: web, outcome: injected}]
      warnings: ['added tcpSocket']    # regular expressions
      patched: repaired.yaml           # the whole object after mutation; --update writes it";

/// Run policy unit tests.
///
/// Files called suite.yaml or *.suite.yaml are suites: questions to the webhooks (reviews, or manifests), and what is
/// expected of the answers.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLE)]
pub(super) struct Test {
    /// Suites, and folders that are searched for them
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only the tests whose `suite/test` this regular expression matches
    #[arg(long, value_name = "REGEX")]
    run: Option<Regex>,
    /// Rewrite the expected files (`patched`, `patch`) that differ
    #[arg(long)]
    update: bool,
    /// How to print the results
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

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
    Junit,
}

/// A test that was run, or passed over.
struct Done<'s> {
    case: Case<'s>,
    ended: Ended,
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
struct Summary {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Test {
    pub(super) fn run(self) -> Result<Outcome> {
        let suites = suite::find(&self.paths)?;
        let wanted = |case: &Case<'_>| {
            let wanted = self.run.as_ref();
            wanted.is_none_or(|wanted| wanted.is_match(&id(case)))
        };
        let cases: Vec<_> = suites
            .iter()
            .flat_map(suite::Suite::cases)
            .filter(wanted)
            .collect();
        if let (true, Some(wanted)) = (cases.is_empty(), &self.run) {
            bail!("no test is called like /{wanted}/");
        }
        let mut goldens = Goldens::new(self.update);
        let mut stdout = anstream::stdout().lock();
        let mut done = Vec::new();
        for case in cases {
            let ended = suite::run(&case, &mut goldens)?;
            let one = Done { case, ended };
            if let Format::Human = self.output {
                human::write(&mut stdout, &one)?;
            }
            done.push(one);
        }
        let summary = Summary::of(&done);
        match self.output {
            Format::Human => human::finish(&mut stdout, summary)?,
            Format::Json => json::write(&mut stdout, &done, summary)?,
            Format::Junit => junit::write(&mut stdout, &done, summary)?,
        }
        stdout.flush()?;
        for file in goldens.updated() {
            writeln!(anstream::stderr(), "updated {}", file.display())?;
        }
        Ok(if summary.failed > 0 {
            Outcome::Findings
        } else {
            Outcome::Clean
        })
    }
}

/// What `--run` looks at, and the output names.
fn id(case: &Case<'_>) -> String {
    format!("{}/{}", case.file(), case.name())
}

impl Summary {
    fn of(done: &[Done<'_>]) -> Self {
        let mut summary = Self::default();
        for one in done {
            match one.ended {
                Ended::Passed => summary.passed += 1,
                Ended::Failed(_) => summary.failed += 1,
                Ended::Skipped(_) => summary.skipped += 1,
            }
        }
        summary
    }
}
