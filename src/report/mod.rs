//! Verdicts as text: for people, and for machines.

pub mod human;
pub mod json;
pub mod reference;

use std::collections::BTreeMap;

use crate::engine::{Judged, Outcome};
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

/// How many findings have each outcome, the worst first.
fn counts(findings: &[Located]) -> impl Iterator<Item = (Outcome, usize)> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.judged.outcome).or_insert(0) += 1;
    }
    counts.into_iter().rev()
}
