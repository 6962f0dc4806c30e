//! # claims-deleted
//! Finds updates after which the claims of a set are deleted with its pods.
//! ## Why
//! `persistentVolumeClaimRetentionPolicy: Delete` makes the controller delete claims, and mostly the data with them, on the
//! next scale-down (`whenScaled`) or with the set (`whenDeleted`). A claim that holds data today would be gone by a change
//! of `replicas`, or by a set that is deleted to be made anew.
//! ## Fix
//! Leave it at `Retain`, and delete claims by hand. A set that is made with `Delete` is not found, nor one that had it.
//! ## Example
//! ```yaml old
//! metadata: {name: db}
//! spec: {volumeClaimTemplates: [{metadata: {name: data}}]}
//! ```
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}}]
//!   persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Delete}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}}]
//!   persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::StatefulSet;
use crate::rule::{Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ClaimsDeleted {}

impl Declare for ClaimsDeleted {
    const META: Meta = Meta {
        id: "claims-deleted",
        levels: Levels {
            baseline: Level::Deny,
            strict: Level::Deny,
        },
        judges: Judges::Updates,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("claims_deleted.rs"),
    };
}

impl Rule for ClaimsDeleted {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let Some(old) = cx.old else { return };
        if sts.spec.volume_claim_templates.is_empty() {
            return;
        }
        let (is, was) = (&sts.spec.claim_retention, &old.spec.claim_retention);
        for (field, is, was, when) in [
            (
                "whenDeleted",
                &is.when_deleted,
                &was.when_deleted,
                "with the set",
            ),
            (
                "whenScaled",
                &is.when_scaled,
                &was.when_scaled,
                "with each pod that a smaller number of replicas takes away",
            ),
        ] {
            if **is != *"Delete" || **was == *"Delete" {
                continue;
            }
            let at = Path::of(&["spec", "persistentVolumeClaimRetentionPolicy", field]);
            report.add(
                Finding::new(at.clone(), format!("{at} becomes Delete"))
                    .subject(field)
                    .why(format!("claims that hold data now would be deleted {when}"))
                    .remedy("leave it at Retain, and delete the claims that nobody needs by hand"),
            );
        }
    }
}
