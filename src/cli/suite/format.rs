//! What a suite says, read strictly: a name that nobody knows is an error.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use regex::Regex;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::{Map, Value};

use crate::engine::Outcome;
use crate::policy::unknown_rule;
use crate::rule::Level;
use crate::rules;

/// A suite.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Written {
    #[serde(default)]
    pub(super) policy: Paths,
    #[serde(deserialize_with = "some")]
    pub(super) tests: Vec<Test>,
}

/// One test: a question to the webhooks, and what is expected of the answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Test {
    pub(super) name: String,
    /// Why it is not run.
    pub(super) skip: Option<String>,
    /// The one webhook that is asked; without it both, one after the other.
    pub(super) phase: Option<PhaseName>,
    /// Instead of the suite's.
    pub(super) policy: Option<Paths>,
    pub(super) review: Option<PathBuf>,
    pub(super) object: Option<Source<Map<String, Value>>>,
    pub(super) old_object: Option<Source<Map<String, Value>>>,
    pub(super) operation: Option<Operation>,
    pub(super) namespace: Option<String>,
    /// Those of the namespace that the set is in.
    pub(super) namespace_labels: Option<BTreeMap<String, String>>,
    pub(super) user_info: Option<Map<String, Value>>,
    pub(super) dry_run: Option<bool>,
    /// All there is in the cluster; without it nothing is known.
    pub(super) cluster: Option<Paths>,
    pub(super) expect: Expect,
}

/// What is expected. What is not stated is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Expect {
    pub(super) allowed: Option<bool>,
    #[serde(deserialize_with = "some")]
    pub(super) findings: Vec<Wanted>,
    /// Each is matched by some warning.
    #[serde(deserialize_with = "some")]
    pub(super) warnings: Vec<Pattern>,
    pub(super) no_warnings: Option<bool>,
    pub(super) denial: Option<Pattern>,
    /// By key; without the prefix that the API server puts before it.
    pub(super) audit_annotations: BTreeMap<String, Pattern>,
    /// The whole object after mutation.
    pub(super) patched: Option<PathBuf>,
    pub(super) patch: Option<Source<Vec<Value>>>,
    pub(super) unchanged: Option<bool>,
}

/// Findings that are expected: all of those that fit what is stated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Wanted {
    pub(super) rule: Option<RuleId>,
    pub(super) container: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) level: Option<Level>,
    pub(super) outcome: Option<Outcome>,
    /// With names (`spec.template.spec.containers[web].readinessProbe`) or as a JSON pointer.
    pub(super) path: Option<String>,
    pub(super) message: Option<Pattern>,
    /// How many; without it at least one.
    pub(super) count: Option<usize>,
}

/// Which of the two webhooks is asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum PhaseName {
    Mutate,
    Validate,
}

/// What is being done to the set.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Operation {
    Create,
    Update,
    Delete,
}

impl Operation {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// One path or several; `none` stands for no file.
#[derive(Debug, Default)]
pub(super) struct Paths(pub(super) Vec<PathBuf>);

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let paths = match Value::deserialize(deserializer)? {
            Value::Array(paths) => paths,
            path => vec![path],
        };
        let paths = paths.into_iter().map(|path| match path {
            Value::String(path) => Ok(PathBuf::from(path)),
            other => Err(D::Error::custom(format_args!(
                "{other} is no path; expected a file or folder, or a list of them"
            ))),
        });
        let paths: Vec<_> = paths.collect::<Result<_, _>>()?;
        Ok(Self(
            paths
                .into_iter()
                .filter(|path| path.as_os_str() != "none")
                .collect(),
        ))
    }
}

/// A value that stands in a file, or here.
#[derive(Debug)]
pub(super) enum Source<T> {
    File(PathBuf),
    Inline(T),
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Source<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(file) => Ok(Self::File(file.into())),
            value => T::deserialize(value)
                .map(Self::Inline)
                .map_err(|error| D::Error::custom(format_args!("{error}, or the path of a file"))),
        }
    }
}

/// The id of a rule that there is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct RuleId(pub(super) &'static str);

impl<'de> Deserialize<'de> for RuleId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        match rules::find(&id) {
            Some(entry) => Ok(Self(entry.meta.id)),
            None => Err(D::Error::custom(unknown_rule(&id))),
        }
    }
}

/// A regular expression, found anywhere in a text.
#[derive(Debug)]
pub(super) struct Pattern(pub(super) Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Self).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            D::Error::custom(format_args!(
                "`{text}` is no regular expression: {}",
                reason.trim_start_matches("error: ")
            ))
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.0)
    }
}

/// A list that says something.
fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let items = Vec::deserialize(deserializer)?;
    if items.is_empty() {
        return Err(D::Error::custom("an empty list says nothing; remove it"));
    }
    Ok(items)
}

impl Expect {
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            allowed,
            findings,
            warnings,
            no_warnings,
            denial,
            audit_annotations,
            patched,
            patch,
            unchanged,
        } = self;
        let flags = allowed.or(*no_warnings).or(*unchanged);
        flags.is_none()
            && findings.is_empty()
            && warnings.is_empty()
            && denial.is_none()
            && audit_annotations.is_empty()
            && patched.is_none()
            && patch.is_none()
    }
}
