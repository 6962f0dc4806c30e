//! What a rule is: it reads a StatefulSet and its context, and reports findings. Nothing else.
//!
//! A rule never edits, logs, reads a clock or asks anybody but its [`Context`]. A mutation is the fix of a finding, so a
//! rule cannot reject what it would have written, nor write what it would not have found.

pub mod claim;
mod class;
mod cluster;
mod context;
pub mod doc;
mod finding;
mod params;
pub mod selector;
pub mod service;
pub mod waiver;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::object::view::StatefulSet;

pub use class::WantedClass;
pub use cluster::{ClusterView, Known, Listing, Question, is_headless, selects};
pub use context::{Context, Operation};
pub use finding::{Finding, Fix, Report};
pub use params::AtLeast;

/// One rule, configured.
pub trait Rule: Send + Sync {
    /// Reports what is wrong with `sts`.
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report);
}

/// What a rule declares about itself. The struct is the parameters, its `Default` their defaults.
pub trait Declare: Rule + Default + DeserializeOwned + Serialize + 'static {
    /// The rule's name, levels and source.
    const META: Meta;
}

/// What is known of a rule before it is configured.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// The id: the defect in kebab-case, and the file's name.
    pub id: &'static str,
    /// What happens to a finding that is left, by profile.
    pub levels: Levels,
    /// Whether the rule is about what a set is, or about what an update does to it.
    pub judges: Judges,
    /// Which call speaks: where the API server refuses the object before `/validate` sees it, only `/mutate` can.
    pub speaks: Speaks,
    /// Whether its findings are about single containers, so that a waiver may name some.
    pub per_container: bool,
    /// Whether its findings may carry a fix: only such a rule injects.
    pub fixes: bool,
    /// The rule's own file: its head is the documentation, the examples and the test.
    pub source: &'static str,
}

impl Meta {
    /// Whether the API server refuses an update for what the rule finds, whatever we say of it.
    #[must_use]
    pub fn refused_anyway(&self) -> bool {
        self.judges == Judges::Updates && self.speaks == Speaks::AtMutate
    }
}

/// The level of a rule in each profile.
#[derive(Clone, Copy, Debug)]
pub struct Levels {
    /// The default: denies only what is certain to break or to lose data.
    pub baseline: Level,
    /// For teams that want every set complete.
    pub strict: Level,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Judges {
    /// What a set is. On UPDATE only a defect that is new is denied.
    Sets,
    /// What an update does. Nothing is found where nothing is changed.
    Updates,
}

/// The call in which a finding that is left is said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Speaks {
    /// In `/validate`, on the final object.
    AtValidate,
    /// In `/mutate` as a warning, since the API server itself refuses the object next; in `/validate`, too.
    AtMutate,
}

/// What happens to a finding that is left.
#[derive(Clone, Copy, Debug, serde::Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rule does not run, and fixes nothing.
    Off,
    /// Noted in the audit log.
    Audit,
    /// Shown to the user.
    Warn,
    /// The request is denied.
    Deny,
}

/// What happens to a finding's fix on CREATE.
#[derive(Clone, Copy, Debug, serde::Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FixMode {
    /// Nothing; the finding does not mention it.
    Off,
    /// It is described, not carried out.
    Preview,
    /// It is carried out.
    Apply,
}

/// A rule before it is configured: a row of the registry.
#[derive(Clone, Copy)]
pub struct Entry {
    /// What the rule declares about itself.
    pub meta: Meta,
    /// Makes the rule from its parameters.
    pub configure: fn(&Value) -> Result<Box<dyn Rule>, ParameterError>,
    /// The default parameters.
    pub defaults: fn() -> Value,
}

/// Why parameters do not fit a rule; the path leads into the parameters.
pub type ParameterError = serde_path_to_error::Error<serde_json::Error>;

impl Entry {
    /// The registry's row of `R`.
    #[must_use]
    pub const fn of<R: Declare>() -> Self {
        Self {
            meta: R::META,
            configure: |params| {
                serde_path_to_error::deserialize::<_, R>(params).map(|rule| Box::new(rule) as _)
            },
            defaults: || serde_json::to_value(R::default()).expect("parameters are plain data"),
        }
    }
}

impl Level {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
