//! # duplicate-claim-template
//! Finds claim templates that have one name.
//! ## Why
//! The API server accepts them, and the last one wins without a word: what the others ask for is never made
//! (kubernetes/kubernetes `pkg/controller/statefulset/stateful_set_utils.go`, `getPersistentVolumeClaims`).
//! ## Fix
//! Remove all but one, or give each its own name and its own mount.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates:
//!   - metadata: {name: data}
//!     spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 100Gi}}}
//!   - metadata: {name: data}
//!     spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates:
//!   - metadata: {name: data}
//!     spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 100Gi}}}
//!   - metadata: {name: log}
//!     spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::object::Named;
use crate::object::view::StatefulSet;
use crate::rule::{
    Context, Declare, Finding, Judges, Level, Levels, Meta, Operation, Report, Rule, Speaks,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct DuplicateClaimTemplate {}

impl Declare for DuplicateClaimTemplate {
    const META: Meta = Meta {
        id: "duplicate-claim-template",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("duplicate_claim_template.rs"),
    };
}

impl Rule for DuplicateClaimTemplate {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let mut by_name = BTreeMap::new();
        for claim in sts.claim_templates() {
            let (count, last) = by_name.entry(claim.item().name()).or_insert((0, claim));
            (*count, *last) = (*count + 1, claim);
        }
        // One without a name is for the API server to refuse.
        let several = by_name
            .into_iter()
            .filter(|(name, (count, _))| *count > 1 && !name.is_empty());
        for (name, (count, last)) in several {
            report.add(
                Finding::new(
                    last.path(),
                    format!("{count} claim templates are called {name}"),
                )
                .subject(name)
                .why("the last one wins without a word, and what the others ask for is never made")
                .remedy(match cx.operation {
                    Operation::Create => "remove all but one, or give each its own name",
                    Operation::Update => "nothing can be changed on this set any more; a new set can have one of them (kubectl delete --cascade=orphan, then make it anew)",
                }),
            );
        }
    }
}
