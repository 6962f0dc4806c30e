//! Verdicts as text: for people, and for machines.

pub mod diff;
pub mod human;
pub mod json;
pub mod reference;

use std::collections::BTreeMap;

use crate::engine::{Judged, Outcome, Restored};
use crate::object::yaml::Place;

/// A finding with the place that it has in a file.
#[derive(Clone, Debug)]
pub struct Located {
    /// The file.
    pub file: String,
    /// The place in it.
    pub place: Place,
    /// The set's namespace.
    pub namespace: String,
    /// The set's name; empty where it has none yet.
    pub name: String,
    /// The finding.
    pub judged: Judged,
}

/// Everything that is to be said of some sets.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many sets were judged.
    pub sets: usize,
    /// What was found.
    pub findings: Vec<Located>,
    /// What updates got back, or were rid of.
    pub restored: Vec<Done>,
}

impl Report {
    /// How many findings have each outcome, in words: `1 denied, 2 warned`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut counts: Vec<_> = counts(&self.findings)
            .map(|(outcome, count)| format!("{count} {}", outcome.as_str()))
            .collect();
        let restored = self.restored.len();
        counts.extend((restored > 0).then(|| format!("{restored} restored")));
        match counts[..] {
            [] => "nothing found".to_owned(),
            _ => counts.join(", "),
        }
    }
}

/// Something that was done to an update, with its place in a file.
#[derive(Clone, Debug)]
pub struct Done {
    /// The file.
    pub file: String,
    /// The place in it, or the nearest around it.
    pub place: Place,
    /// The set's namespace.
    pub namespace: String,
    /// The set's name.
    pub name: String,
    /// What was done, and where in the set.
    pub restored: Restored,
}

/// How many findings have each outcome, the worst first.
fn counts(findings: &[Located]) -> impl Iterator<Item = (Outcome, usize)> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.judged.outcome).or_insert(0) += 1;
    }
    counts.into_iter().rev()
}
