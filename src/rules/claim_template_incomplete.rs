//! # claim-template-incomplete
//! Finds claim templates that lack access modes or a size.
//! ## Why
//! No claim can be made of such a template. From Kubernetes 1.34 on the API server refuses the set; before, it accepted the set
//! and no pod ever came up (kubernetes/kubernetes `pkg/apis/core/validation/validation.go`,
//! `ValidatePersistentVolumeClaimSpec`).
//! ## Fix
//! State `accessModes` and `resources.requests.storage`. In a cluster nothing is filled in: size and class can never be changed,
//! so they are for the author to say. `steadfast fix` writes what is left out into the manifest: `ReadWriteOnce`, and the size of
//! the parameter `storage`.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast}}]
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates:
//!   - metadata: {name: data}
//!     spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}
//! ```
//! A size that is none is not replaced:
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates:
//!   - metadata: {name: data}
//!     spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 0Gi}}}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates:
//!   - metadata: {name: data}
//!     spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1e10}}}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::quantity::Quantity;
use crate::object::view::{ClaimSpec, ClaimTemplate, StatefulSet};
use crate::object::{At, Change, Named};
use crate::rule::{
    Context, Declare, Finding, Judges, Level, Levels, Meta, Operation, Report, Rule, Speaks,
};

/// The parameters.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ClaimTemplateIncomplete {
    /// The size that `steadfast fix` writes where none is stated.
    storage: Quantity,
}

impl Default for ClaimTemplateIncomplete {
    fn default() -> Self {
        Self {
            storage: Quantity::default_claim(),
        }
    }
}

impl Declare for ClaimTemplateIncomplete {
    const META: Meta = Meta {
        id: "claim-template-incomplete",
        levels: Levels {
            baseline: Level::Deny,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtMutate,
        per_container: false,
        fixes: true,
        source: include_str!("claim_template_incomplete.rs"),
    };
}

impl Rule for ClaimTemplateIncomplete {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        // Later it cannot be mended, and whether the set works is seen.
        if cx.operation == Operation::Update {
            return;
        }
        for claim in sts.claim_templates().filter(|claim| can_be_read(claim)) {
            let (name, asks) = (claim.item().name(), claim.asks());
            let lacks = lacks(&asks);
            if lacks.is_empty() {
                continue;
            }
            let finding = Finding::new(
                claim.path(),
                format!("claim template {name} has {}", lacks.join(" and ")),
            );
            let finding = finding
                .subject(name)
                .why("no claim can be made of it, so no pod can start")
                .remedy("state what is missing: accessModes (such as [ReadWriteOnce]), a size in resources.requests.storage (such as 8Gi); `steadfast fix` writes what is left out");
            report.add(match self.complete(&claim, &asks) {
                Some((done, changes)) => finding.fix(done, changes).in_manifest_only(),
                None => finding,
            });
        }
    }
}

impl ClaimTemplateIncomplete {
    /// The edits that state what is left out, and what they do; none where something is there that is wrong.
    fn complete(
        &self,
        claim: &At<'_, ClaimTemplate<'_>>,
        asks: &ClaimSpec<'_>,
    ) -> Option<(String, Vec<Change>)> {
        let (spec, storage) = (claim.path().key("spec"), self.storage.as_str());
        let (mut done, mut changes) = (Vec::new(), Vec::new());
        if asks.access_modes.is_empty() {
            done.push("accessModes [ReadWriteOnce]".to_owned());
            changes.push(Change::set(
                spec.clone().key("accessModes"),
                ["ReadWriteOnce"],
            ));
        }
        if asks.resources.storage().is_none() {
            done.push(format!("a size of {storage}"));
            let requests = spec.key("resources").key("requests");
            changes.push(Change::set(requests.key("storage"), storage));
        }
        let all = done.len() == lacks(asks).len();
        // What has no name is no template yet.
        (all && !claim.item().name().is_empty())
            .then(|| (format!("added {}", done.join(" and ")), changes))
    }
}

/// What is of another type than it must be does not get past the API server, and what it lacks cannot be told.
fn can_be_read(claim: &ClaimTemplate<'_>) -> bool {
    let text = claim.spec.text();
    text.is_empty() || text == "null" || serde_json::from_str::<ClaimSpec<'_>>(text).is_ok()
}

/// What is missing in a claim's spec.
fn lacks(asks: &ClaimSpec<'_>) -> Vec<String> {
    let modes = asks.access_modes.iter().all(|mode| mode.is_empty());
    let size = match asks.resources.storage() {
        None => Some("no size (resources.requests.storage)".to_owned()),
        Some(size) if Quantity::parse(&size).is_some() => None,
        Some(size) => Some(format!(
            "a size (resources.requests.storage) that is no amount above 0 such as 8Gi{}",
            shown(&size)
        )),
    };
    let modes = modes.then(|| "no accessModes".to_owned());
    modes.into_iter().chain(size).collect()
}

/// A text that is not longer than any amount.
fn shown(size: &str) -> String {
    match size.len() {
        0..=32 => format!(", {size:?}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_not_said_to_be_missing() {
        let template = |spec: &str| format!(r#"{{"metadata":{{"name":"data"}},"spec":{spec}}}"#);
        for (spec, readable) in [
            ("null", true),
            ("{}", true),
            (r#"{"accessModes":5}"#, false),
        ] {
            let text = template(spec);
            let claim: ClaimTemplate<'_> = serde_json::from_str(&text).expect("a template");
            assert_eq!(can_be_read(&claim), readable, "{spec}");
        }
    }
}
