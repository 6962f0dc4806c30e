//! # unexpandable-storage
//! Finds claim templates of a storage class whose claims cannot grow.
//! ## Why
//! The size of a claim template can never be changed, and claims of a class without `allowVolumeExpansion: true` cannot be
//! grown either: when one is full, its data has to be moved (kubernetes/kubernetes
//! `plugin/pkg/admission/storage/persistentvolume/resize/admission.go`).
//! ## Fix
//! Use a class that allows expansion, or set `allowVolumeExpansion: true` on this one if its driver can do it; that can be
//! done at any time. Nothing is found where the class is not known, nor where it makes folders on nodes: their size is not
//! enforced.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec: {volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: local}}]}
//! ```
//! ```yaml cluster
//! apiVersion: v1
//! kind: List
//! items:
//! - {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: local}, provisioner: example.com/local}
//! - {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}, provisioner: example.com/disk, allowVolumeExpansion: true}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec: {volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast}}]}
//! ```

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::object::Named;
use crate::object::record::Record;
use crate::object::view::StatefulSet;
use crate::rule::{
    Context, Declare, Finding, Judges, Known, Level, Levels, Meta, Operation, Report, Rule, Speaks,
    WantedClass,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct UnexpandableStorage {}

impl Declare for UnexpandableStorage {
    const META: Meta = Meta {
        id: "unexpandable-storage",
        levels: Levels {
            baseline: Level::Audit,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("unexpandable_storage.rs"),
    };
}

/// Those that make a folder on a node. No size is enforced there, so no claim can be full.
const UNSIZED: &[&str] = &[
    "docker.io/hostpath",
    "k8s.io/minikube-hostpath",
    "kubernetes.io/host-path",
    "microk8s.io/hostpath",
    "rancher.io/local-path",
];

fn is_unsized(provisioner: &str) -> bool {
    UNSIZED.contains(&provisioner)
}

impl Rule for UnexpandableStorage {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        // The list can never be changed afterwards.
        if cx.operation == Operation::Update {
            return;
        }
        let record = Record::on(sts);
        let injected: BTreeSet<_> = record.iter().flat_map(Record::claims).collect();
        let claims = sts
            .claim_templates()
            .filter(|claim| !injected.contains(claim.item().name()));
        // The default class may be named beside, and is told once.
        let (mut asked, mut told) = (BTreeSet::new(), BTreeSet::new());
        for claim in claims {
            let Some(wanted) =
                WantedClass::of(&claim).filter(|wanted| asked.insert(wanted.clone()))
            else {
                continue;
            };
            let Known::Present(class) = cx.storage_class(wanted.name()) else {
                continue;
            };
            let class_name = class.metadata.name.as_deref().unwrap_or_default();
            let grows =
                class.allow_volume_expansion == Some(true) || is_unsized(&class.provisioner);
            if grows || !told.insert(class_name.to_owned()) {
                continue;
            }
            let name = claim.item().name();
            report.add(
                Finding::new(
                    claim.path(),
                    format!("claim template {name} is of storage class {class_name}, whose claims cannot grow"),
                )
                .subject(class_name)
                .why("a claim template's size can never be changed either, so when a claim is full its data has to be moved")
                .remedy(format!("use a class that allows expansion, or set allowVolumeExpansion: true on {class_name} if its driver can do it")),
            );
        }
    }
}
