//! # no-default-storage-class
//! Finds claim templates without a storage class in a cluster that has no default class.
//! ## Why
//! Nothing makes volumes for such claims: they stay Pending, and so do their pods, until there is a default class. From
//! Kubernetes 1.28 on they are given it then, before they were not (kubernetes/kubernetes
//! `pkg/controller/volume/persistentvolume/pv_controller.go`, `assignDefaultStorageClass`). The class of a claim template can
//! never be changed.
//! ## Fix
//! State `storageClassName`, or mark a class as the default one; `storageClassName: ""` says that volumes are made by hand.
//! Nothing is found where the classes are not known.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec: {volumeClaimTemplates: [{metadata: {name: data}}]}
//! ```
//! ```yaml cluster
//! apiVersion: storage.k8s.io/v1
//! kind: StorageClass
//! metadata: {name: fast}
//! provisioner: example.com/disk
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec: {volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}}]}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Named;
use crate::object::view::StatefulSet;
use crate::rule::{
    Context, Declare, Finding, Judges, Known, Level, Levels, Meta, Operation, Report, Rule, Speaks,
    WantedClass,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct NoDefaultStorageClass {}

impl Declare for NoDefaultStorageClass {
    const META: Meta = Meta {
        id: "no-default-storage-class",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("no_default_storage_class.rs"),
    };
}

impl Rule for NoDefaultStorageClass {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        // The list can never be changed afterwards.
        if cx.operation == Operation::Update {
            return;
        }
        let wants_default = |claim: &_| WantedClass::of(claim) == Some(WantedClass::Default);
        let first = sts.claim_templates().find(|claim| wants_default(claim));
        let Some(claim) = first.filter(|_| cx.storage_class(None) == Known::Absent) else {
            return;
        };
        let name = claim.item().name();
        report.add(
            Finding::new(
                claim.path(),
                format!("claim template {name} names no storage class, and the cluster has no default class"),
            )
            .why("claims stay Pending until there is a default class, and a claim template's class can never be changed")
            .remedy("state storageClassName (\"\" if volumes are made by hand), or mark a class as the default one"),
        );
    }
}
