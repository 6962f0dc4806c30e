//! Which rules hold, how hard, with which parameters, and for whom.
//!
//! A [`Policy`] or [`PolicySet`] that exists is right: unknown rules, parameters and levels are errors when it is read.

mod file;
mod set;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rule::{FixMode, Level, Meta, Rule};
use crate::workload::Catalogue;

pub use file::PolicyFile;
pub(crate) use file::unknown_rule;
pub use set::{PolicySet, Subject};

/// The rules that hold for one subject, in the order in which they run.
pub struct Policy {
    /// The rules; those at level `off` are not among them.
    pub rules: Vec<Selected>,
    /// What is known of workloads.
    pub catalogue: Catalogue,
}

/// A rule that holds.
pub struct Selected {
    /// What the rule declares about itself.
    pub meta: Meta,
    /// What happens to a finding that is left.
    pub level: Level,
    /// What happens to its fix before.
    pub fix: FixMode,
    /// The rule's parameters.
    pub params: Value,
    /// The rule.
    pub rule: Box<dyn Rule>,
}

/// The levels that hold where no policy states one.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Denies only what is certain to break or to lose data.
    #[default]
    Baseline,
    /// For teams that want every set complete.
    Strict,
}

/// Why a policy cannot be used: one message, with file, line, column and excerpt where there is a file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(pub(crate) String);

impl Profile {
    /// The level of a rule in this profile.
    #[must_use]
    pub fn level(self, meta: &Meta) -> Level {
        match self {
            Self::Baseline => meta.levels.baseline,
            Self::Strict => meta.levels.strict,
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(
                self.rules
                    .iter()
                    .map(|rule| (rule.meta.id, rule.level, rule.fix)),
            )
            .finish()
    }
}
