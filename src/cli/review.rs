//! `steadfast review`: one AdmissionReview, answered exactly as the server would.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};

use super::{Outcome, PolicyArgs, input};
use crate::admission::{self, Phase};
use crate::cluster::Unseen;
use crate::rule::ClusterView;

/// Answer one AdmissionReview exactly as the server would.
#[derive(Args, Debug)]
pub(super) struct Review {
    /// The AdmissionReview as JSON; stdin without one, or with `-`
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,
    /// Which of the two webhooks is asked
    #[arg(long, value_enum)]
    phase: PhaseArg,
    /// Manifests that stand for the cluster, all there is in it; without any, nothing of it is known
    #[arg(long, value_name = "FILE|DIR")]
    cluster: Vec<PathBuf>,
    #[command(flatten)]
    policy: PolicyArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PhaseArg {
    /// Repairs
    Mutate,
    /// Speaks about what is left
    Validate,
}

impl From<PhaseArg> for Phase {
    fn from(phase: PhaseArg) -> Self {
        match phase {
            PhaseArg::Mutate => Self::Mutate,
            PhaseArg::Validate => Self::Validate,
        }
    }
}

impl Review {
    pub(super) fn run(self) -> Result<Outcome> {
        let policies = self.policy.read()?;
        let cluster = view(&self.cluster)?;
        let mut texts = input::texts(&self.file)?;
        let Some((file, text)) = texts.pop().filter(|_| texts.is_empty()) else {
            bail!("{} is a folder; a review is one file", self.file.display())
        };
        let answer = admission::handle(
            self.phase.into(),
            &policies,
            cluster.as_ref(),
            text.as_bytes(),
        )
        .context(file)?;
        let mut stdout = anstream::stdout().lock();
        stdout.write_all(&answer.body)?;
        writeln!(stdout)?;
        if answer.unread {
            bail!(
                "the StatefulSet could not be read, so it was not judged; the answer has the reason as its warning"
            );
        }
        Ok(if answer.allowed {
            Outcome::Clean
        } else {
            Outcome::Findings
        })
    }
}

/// Manifests that stand for the cluster are all there is in it; without any, nothing is known.
pub(super) fn view(paths: &[PathBuf]) -> Result<Box<dyn ClusterView>> {
    if paths.is_empty() {
        return Ok(Box::new(Unseen));
    }
    Ok(Box::new(input::cluster(&input::objects(paths)?, true)?))
}
