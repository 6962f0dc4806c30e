//! # dangling-volume-mount
//! Finds mounts of a volume that is defined nowhere.
//! ## Why
//! A pod whose container mounts a volume that does not exist cannot be created. From Kubernetes 1.34 on the API server
//! refuses such a set; before, it accepted the set and no pod ever came up.
//! ## Fix
//! On CREATE, a claim template of that name, if the set has no claim templates of its own and everything speaks for data:
//! the mount is writable, is no single file, does not lie under `/etc`, `/run`, `/var/run`, `/tmp` or `/usr`, is not named
//! like configuration, and no volume has a similar name (that would be a slip). The storage class, or a default class, must
//! be known to exist.
//!
//! **Size and class of a claim template can never be changed.** A later manifest that declares it must state the same.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec: {template: {spec: {containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]}}}
//! ```
//! ```yaml cluster
//! apiVersion: storage.k8s.io/v1
//! kind: StorageClass
//! metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
//! provisioner: example.com/disk
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   template: {spec: {containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]}}
//!   volumeClaimTemplates:
//!   - apiVersion: v1
//!     kind: PersistentVolumeClaim
//!     metadata: {name: data}
//!     spec:
//!       accessModes: [ReadWriteOnce]
//!       resources: {requests: {storage: 8Gi}}
//!       volumeMode: Filesystem
//! ```

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

use crate::object::quantity::Quantity;
use crate::object::view::StatefulSet;
use crate::object::{Change, Mount, Named, Path};
use crate::rule::{Context, Declare, Finding, Known, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct DanglingVolumeMount {
    /// How large an injected claim is.
    storage: Quantity,
    /// The class of an injected claim; without one, the cluster's default class.
    storage_class_name: Option<String>,
}

impl Default for DanglingVolumeMount {
    fn default() -> Self {
        // What the Bitnami charts ask for.
        Self {
            storage: Quantity::parse("8Gi").expect("an amount"),
            storage_class_name: None,
        }
    }
}

impl Declare for DanglingVolumeMount {
    const META: Meta = Meta {
        id: "dangling-volume-mount",
        levels: Levels {
            baseline: Level::Deny,
            strict: Level::Deny,
        },
        speaks: Speaks::AtMutate,
        source: include_str!("dangling_volume_mount.rs"),
    };
}

impl Rule for DanglingVolumeMount {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let volumes = sts.volumes().map(|volume| volume.item().name());
        let known: BTreeSet<_> = volumes
            .chain(sts.claim_templates().map(|claim| claim.item().name()))
            .collect();
        let dangling: Vec<_> = sts
            .mounts()
            .filter(|mount| !known.contains(mount.volume))
            .collect();
        let mut seen = BTreeSet::new();
        for mount in dangling.iter().filter(|mount| seen.insert(mount.volume)) {
            let name = mount.volume;
            let finding = Finding::new(
                mount.path.clone(),
                format!(
                    "container {} mounts {name:?}, which is defined nowhere",
                    &*mount.container.name
                ),
            )
            .container(&mount.container.name)
            .subject(name)
            .why("a pod with such a mount cannot be created");
            let uses = || dangling.iter().filter(|other| other.volume == name);
            let doubt = if sts.spec.volume_claim_templates.is_empty() {
                let read_only =
                    uses().all(|other| other.mount.is_some_and(|mount| mount.read_only));
                let read_only = read_only.then(|| "it is mounted read-only".to_owned());
                read_only
                    .or_else(|| uses().find_map(|mount| doubt(mount)))
                    .or_else(|| similar(name, &known))
            } else {
                Some(
                    "the set has claim templates of its own, and that list can never be changed"
                        .to_owned(),
                )
            };
            report.add(match doubt.or_else(|| self.no_class(cx)) {
                Some(doubt) => finding.remedy(format!("define {name:?} under volumes or volumeClaimTemplates, or mend the mount's name ({doubt})")),
                None => finding.remedy(format!("add {name:?} to volumeClaimTemplates, or to volumes if it holds no data")).fix(
                    self.done(sts, name),
                    [Change::append(Path::of(&["spec", "volumeClaimTemplates"]), self.claim(name))],
                ),
            });
        }
    }
}

impl DanglingVolumeMount {
    fn claim(&self, name: &str) -> PersistentVolumeClaim {
        let storage = resource::Quantity(self.storage.as_str().to_owned());
        PersistentVolumeClaim {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(PersistentVolumeClaimSpec {
                access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
                resources: Some(VolumeResourceRequirements {
                    requests: Some(BTreeMap::from([("storage".to_owned(), storage)])),
                    ..VolumeResourceRequirements::default()
                }),
                storage_class_name: self.storage_class_name.clone(),
                volume_mode: Some("Filesystem".to_owned()),
                ..PersistentVolumeClaimSpec::default()
            }),
            status: None,
        }
    }

    fn done(&self, sts: &StatefulSet<'_>, name: &str) -> String {
        let class = self.storage_class_name.as_deref().map_or_else(
            || "the default class".to_owned(),
            |class| format!("class {class}"),
        );
        let set = match &*sts.metadata.name {
            "" => "<set>",
            set => set,
        };
        format!(
            "added a claim template, {} of {class}. It can never change, and later manifests must state it alike; leftover claims {name}-{set}-N are adopted",
            self.storage.as_str()
        )
    }

    /// Why a claim might never be bound.
    fn no_class(&self, cx: &Context<'_>) -> Option<String> {
        match (
            cx.storage_class(self.storage_class_name.as_deref()),
            &self.storage_class_name,
        ) {
            (Known::Present(_), _) => None,
            (_, Some(class)) => Some(format!(
                "no claim was injected: storage class {class} is not known to exist"
            )),
            (_, None) => {
                Some("no claim was injected: no default storage class is known to exist".to_owned())
            }
        }
    }
}

/// What speaks against this use being one of data.
fn doubt(mount: &Mount<'_, '_>) -> Option<String> {
    let Some(mount) = mount.mount else {
        return Some("a raw block device".to_owned());
    };
    let path = mount.mount_path.trim_end_matches('/');
    let under = ["/etc", "/run", "/var/run", "/tmp", "/usr"]
        .into_iter()
        .find(|root| {
            path.strip_prefix(root)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
    let last = |path: &str| {
        path.rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_start_matches('.')
            .contains('.')
    };
    let words = [
        "cert",
        "certs",
        "certificate",
        "certificates",
        "conf",
        "config",
        "configuration",
        "configmap",
        "init",
        "scripts",
        "script",
        "secret",
        "secrets",
        "tls",
        "tmp",
    ];
    let word = mount.name.split('-').find(|word| words.contains(word));
    match (under, word) {
        _ if last(&mount.sub_path) || last(&mount.sub_path_expr) || last(path) => {
            Some("a single file is mounted".to_owned())
        }
        (Some(root), _) => Some(format!("it is mounted under {root}")),
        (_, Some(word)) => Some(format!(
            "{word:?} in its name speaks for a ConfigMap or Secret"
        )),
        (None, None) => None,
    }
}

/// A volume whose name differs so little that the mount is probably misspelt.
fn similar(name: &str, known: &BTreeSet<&str>) -> Option<String> {
    let close = |other: &&&str| {
        let part = other.split('-').any(|word| word == name)
            || name.split('-').any(|word| word == **other);
        part || strsim::damerau_levenshtein(name, other) <= 2
    };
    known
        .iter()
        .find(close)
        .map(|other| format!("there is a volume {other:?}"))
}
