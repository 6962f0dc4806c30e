//! What must hold for whatever comes in: each target's law, as a function that panics where it is broken.

// Called by the fuzz targets and by the test that holds the laws against the seeds.
#![allow(missing_docs, unreachable_pub)]

pub mod manifest;
pub mod policy;
pub mod review;
pub mod view;

mod once;

use steadfast::policy::{PolicyFile, PolicySet};

/// The strictest policy there is, so that every rule speaks.
fn strict() -> PolicySet {
    let text = "apiVersion: steadfast.dev/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {name: strict}\nspec: {profile: strict}\n";
    let policies = PolicyFile::read("strict.yaml", text).expect("the policy is right");
    PolicySet::new(policies).expect("the policy is right")
}

/// Panics unless an error about `file` begins with a place that `text` has, and says something after it.
fn has_a_place(file: &str, text: &str, error: &str) {
    let place = || {
        let rest = error.strip_prefix(file)?.strip_prefix(':')?;
        let (line, rest) = rest.split_once(':')?;
        let (column, message) = rest.split_once(": ")?;
        let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
        // A text that ends too early may be wrong in the line after its last one.
        let lines = text.split(['\n', '\r']).count();
        (line >= 1 && line <= lines + 1 && column >= 1 && !message.is_empty()).then_some(())
    };
    assert!(
        place().is_some(),
        "no place, or none that the text has: {error}"
    );
}
