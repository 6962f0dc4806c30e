//! The command line.
//!
//! Exit codes are part of the interface: 0 clean, 1 findings at or above `--fail-on`, 2 could not do the work. Findings go
//! to stdout, everything else to stderr.

mod amiss;
#[cfg(feature = "server")]
mod certs;
mod check;
mod contradiction;
mod explain;
mod fix;
mod given;
mod input;
mod review;
mod rules;
#[cfg(feature = "server")]
mod serve;
mod stored;
mod suite;
mod test;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::policy::PolicySet;

/// Admission policy for StatefulSets: injects what is missing, rejects what would break or lose data.
#[derive(Debug, Parser)]
#[command(
    name = "steadfast",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = EXIT_CODES
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        env = "STEADFAST_COLOR"
    )]
    color: Color,
}

const EXIT_CODES: &str = "Exit codes: 0 clean, 1 findings (check, review: denied; fix: denied still, or --diff shows any; test: failed), 2 could not do the work";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the admission webhook over TLS
    #[cfg(feature = "server")]
    Serve(serve::Serve),
    /// Say what a cluster would do with manifests
    Check(check::Check),
    /// Write into manifests what a cluster would inject, and what only a manifest can repair
    ///
    /// One file, or stdin, comes out repaired on stdout; of folders and several files, what would change. What was done, and
    /// what a cluster would still say, is told on stderr.
    Fix(fix::Fix),
    /// Answer one AdmissionReview exactly as the server would
    Review(review::Review),
    /// Run policy unit tests: reviews or manifests, and what is expected of the answers
    Test(test::Test),
    /// List the rules
    Rules(rules::Rules),
    /// Explain a rule: why, what it injects, parameters, an example
    Explain(explain::Explain),
    /// Make or renew a certificate authority and a serving pair
    #[cfg(feature = "server")]
    Certs(certs::Certs),
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// How to print findings and lists.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
}

/// Where the policies come from.
#[derive(Args, Clone, Debug)]
struct PolicyArgs {
    /// File or folder with policies; repeatable, `none` for the built-in one alone
    #[arg(
        long = "policy",
        value_name = "FILE|DIR",
        env = "STEADFAST_POLICY",
        value_delimiter = ','
    )]
    policies: Vec<PathBuf>,
}

impl PolicyArgs {
    fn read(&self) -> Result<PolicySet> {
        input::policies(&self.policies)
    }
}

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    Clean,
    Findings,
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    match arguments.command.run() {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        // Whoever reads the output has gone, as in `steadfast rules | head -1`.
        Err(error)
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) =>
        {
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

impl Command {
    fn run(self) -> Result<Outcome> {
        match self {
            #[cfg(feature = "server")]
            Self::Serve(serve) => serve.run(),
            Self::Check(check) => check.run(),
            Self::Fix(fix) => fix.run(),
            Self::Review(review) => review.run(),
            Self::Test(test) => test.run(),
            Self::Rules(rules) => rules.run(),
            Self::Explain(explain) => explain.run(),
            #[cfg(feature = "server")]
            Self::Certs(certs) => certs.run(),
        }
    }
}
