//! # unknown-storage-class
//! Finds claim templates of a storage class that does not exist.
//! ## Why
//! Nothing makes volumes for such claims: they stay Pending, and so do their pods, until somebody creates the class, or
//! volumes of that class by hand. The class of a claim template can never be changed.
//! ## Fix
//! Name a class that exists. Where volumes are made by hand for a class without an object, say so:
//! `allow.steadfast.dev/unknown-storage-class: "<reason>"`. Nothing is found where the classes are not known, nor where the
//! template picks its volumes by `volumeName` or `selector`.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fsat, accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}}]
//! ```
//! ```yaml cluster
//! apiVersion: storage.k8s.io/v1
//! kind: StorageClass
//! metadata: {name: fast}
//! provisioner: example.com/disk
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}}]
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Named;
use crate::object::view::StatefulSet;
use crate::object::yaml::nearest;
use crate::rule::{
    Context, Declare, Finding, Judges, Known, Level, Levels, Meta, Operation, Report, Rule, Speaks,
    WantedClass,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct UnknownStorageClass {}

impl Declare for UnknownStorageClass {
    const META: Meta = Meta {
        id: "unknown-storage-class",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("unknown_storage_class.rs"),
    };
}

/// No node has room for a pod with more claims; to look for the nearest of two names takes the product of their lengths.
const MOST: usize = 64;

impl Rule for UnknownStorageClass {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        // The list can never be changed afterwards.
        if cx.operation == Operation::Update {
            return;
        }
        for claim in sts.claim_templates().take(MOST) {
            let Some(WantedClass::Named(class)) = WantedClass::of(&claim) else {
                continue;
            };
            if cx.storage_class(Some(&class)) != Known::Absent {
                continue;
            }
            let name = claim.item().name();
            report.add(
                Finding::new(
                    claim.path(),
                    format!("claim template {name} names storage class {class:?}, which does not exist"),
                )
                .subject(name)
                .why("claims stay Pending until somebody creates the class, or volumes of it by hand, and a claim template's class can never be changed")
                .remedy(remedy(&class, cx)),
            );
        }
    }
}

/// What to do. Only the class that was probably meant is named: whoever reaches our port learns no others.
fn remedy(class: &str, cx: &Context<'_>) -> String {
    let listed = cx.cluster.storage_classes().items;
    let names = listed
        .iter()
        .filter_map(|class| class.metadata.name.as_deref());
    let near = nearest(class, names).map(|near| format!(" ({near}?)"));
    let near = near.unwrap_or_default();
    format!(
        "name a class that exists{near}, as kubectl get storageclass lists them, or create storage class {class}"
    )
}
