//! # dangling-volume-mount
//! Finds mounts of a volume that is defined nowhere.
//! ## Why
//! A pod whose container mounts a volume that does not exist cannot be created. From Kubernetes 1.34 on the API server
//! refuses such a set; before, it accepted the set and no pod ever came up.
//! ## Fix
//! On CREATE, a claim template of that name, if everything speaks for data: the mount is writable, is no single file, lies neither
//! at the root nor under folders of the system (`/etc`, `/run`, `/tmp`, `/usr`, ...), is not named like configuration or
//! credentials, and no volume, claim template, ConfigMap, Secret or other such mount has a similar name (one of the two would be a
//! slip). The storage class, or a default class, must be known to exist. A set whose claims are deleted with its pods gets none.
//!
//! A list of claim templates that the author wrote is lengthened by `steadfast fix` in the manifest, if all of it is mounted, and
//! never in a cluster: without us, the next apply would be one that changes it.
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
//! A list of the author's own, lengthened in the manifest:
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   template:
//!     spec:
//!       containers:
//!       - name: db
//!         volumeMounts: [{name: data, mountPath: /var/lib/db}, {name: archive, mountPath: /var/lib/archive}]
//!   volumeClaimTemplates:
//!   - metadata: {name: data}
//!     spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 50Gi}}}
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
//!   template:
//!     spec:
//!       containers:
//!       - name: db
//!         volumeMounts: [{name: data, mountPath: /var/lib/db}, {name: archive, mountPath: /var/lib/archive}]
//!   volumeClaimTemplates:
//!   - metadata: {name: data}
//!     spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 50Gi}}}
//!   - apiVersion: v1
//!     kind: PersistentVolumeClaim
//!     metadata: {name: archive}
//!     spec:
//!       accessModes: [ReadWriteOnce]
//!       resources: {requests: {storage: 8Gi}}
//!       volumeMode: Filesystem
//! ```

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::object::quantity::Quantity;
use crate::object::view::{StatefulSet, Volume};
use crate::object::{ContainerKind, Mount, Named, is_dns_label};
use crate::rule::claim::{Claim, has_own, unwanted};
use crate::rule::{
    Context, Declare, Finding, Judges, Level, Levels, Meta, Operation, Report, Rule, Speaks,
};
use crate::workload::{data, place};

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
        Self {
            storage: Quantity::default_claim(),
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
        judges: Judges::Sets,
        speaks: Speaks::AtMutate,
        per_container: true,
        fixes: true,
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
            let (name, container) = (mount.volume, &*mount.container.name);
            let finding = Finding::new(
                mount.path(),
                format!("container {container} mounts {name:?}, which is defined nowhere"),
            )
            .container(container)
            .subject(name)
            .why("a pod with such a mount cannot be created");
            report.add(match self.doubt(sts, cx, name, &dangling) {
                Some(doubt) => {
                    finding.remedy(format!("define {name:?} under volumes or volumeClaimTemplates, or mend the mount's name. No claim template was injected: {doubt}"))
                }
                None if cx.operation == Operation::Update => finding.remedy(format!(
                    "add {name:?} to volumes if it holds no data; claim templates can be added only by `kubectl delete --cascade=orphan`, making the set anew, and deleting its pods one by one"
                )),
                None => {
                    let remedy = format!("add {name:?} to volumeClaimTemplates, or to volumes if it holds no data");
                    let claim = self.claim(name);
                    let done = claim.done(cx, "") + &folders(cx, name, &dangling);
                    let fixed = finding.fix(done, [claim.change()]);
                    match has_own(sts) {
                        Some(own) => fixed
                            .remedy(format!("{remedy}. No claim template was injected: {own}"))
                            .in_manifest_only(),
                        None => fixed.remedy(remedy),
                    }
                }
            });
        }
    }
}

impl DanglingVolumeMount {
    fn claim<'c>(&'c self, name: &'c str) -> Claim<'c> {
        Claim {
            name,
            storage: &self.storage,
            class: self.storage_class_name.as_deref(),
        }
    }

    /// What speaks against a claim template of this name; all of it must be clear, since it can never be taken back.
    fn doubt(
        &self,
        sts: &StatefulSet<'_>,
        cx: &Context<'_>,
        name: &str,
        dangling: &[Mount<'_, '_>],
    ) -> Option<String> {
        let uses = || dangling.iter().filter(|mount| mount.volume == name);
        let configs = cx.cluster.configs(cx.namespace);
        let volumes = sts.volumes().map(|volume| volume.item().name());
        let claims = sts.claim_templates().map(|claim| claim.item().name());
        let others = volumes.chain(claims).chain(
            dangling
                .iter()
                .map(|mount| mount.volume)
                .filter(|other| *other != name),
        );
        if let Some(unwanted) = unwanted(sts) {
            return Some(unwanted);
        }
        if dangling.len() > SLIPS {
            return Some(format!(
                "{} mounts are of volumes that are defined nowhere, so something else is amiss",
                dangling.len()
            ));
        }
        // As names of volumes are (kubernetes/kubernetes `pkg/apis/core/validation/validation.go`, `ValidateVolumes`).
        if !is_dns_label(name) {
            return Some("the mount has a name that no volume can have".to_owned());
        }
        if uses().all(|mount| mount.mount.is_some_and(|mount| mount.read_only)) {
            return Some("it is mounted read-only".to_owned());
        }
        if uses().all(|mount| is_plain_init(sts, mount)) {
            return Some("only an init container mounts it".to_owned());
        }
        if let Some(idle) = idle_volume(sts) {
            return Some(format!(
                "{idle:?} is defined and mounted nowhere, so one of the two names is probably a slip"
            ));
        }
        let not_data = uses().find_map(|mount| match mount.mount {
            Some(_) if is_known_place(cx, mount) => None,
            Some(mount) => data::doubt(mount),
            None => Some("it is used as a raw block device".to_owned()),
        });
        let misplaced = || {
            uses().find_map(|mount| {
                let workload = cx.workload(&mount.container)?;
                let reason = place::misplaced(&mount.container, mount.mount?, workload);
                let reason = reason.map(str::to_owned);
                let reason = reason.or_else(|| place::elsewhere(&mount.container, workload))?;
                Some(format!("of {} it is known that {reason}", workload.id))
            })
        };
        not_data
            .or_else(misplaced)
            .or_else(|| {
                similar(name, others).map(|other| format!("the set also speaks of {other:?}"))
            })
            .or_else(|| {
                similar(name, configs.iter().map(String::as_str))
                    .map(|other| format!("there is a ConfigMap or Secret {other}"))
            })
            .or_else(|| self.claim(name).unbound(cx))
    }
}

/// Whether a workload is known to have its data right there.
fn is_known_place(cx: &Context<'_>, used: &Mount<'_, '_>) -> bool {
    let found = cx.workload(&used.container).zip(used.mount);
    found.is_some_and(|(workload, mount)| place::is_known(mount, workload))
}

/// What is said of mounts that give a workload the whole volume, where it is known to want a folder of it.
fn folders(cx: &Context<'_>, name: &str, dangling: &[Mount<'_, '_>]) -> String {
    let said = dangling.iter().filter_map(|used| {
        let mount = used.mount.filter(|_| used.volume == name)?;
        let workload = cx.workload(&used.container)?;
        let folder = place::wanted_folder(&used.container, mount, workload)?;
        Some(format!(
            ". {} is known to want a folder of a volume at {}: add subPath: {folder} to its mount",
            workload.id, mount.mount_path
        ))
    });
    said.collect()
}

/// A volume for data, or a claim template, that nothing mounts.
fn idle_volume<'s>(sts: &'s StatefulSet<'_>) -> Option<&'s str> {
    let mounted: BTreeSet<_> = sts.mounts().map(|mount| mount.volume).collect();
    let may_hold_data = |volume: &Volume<'_>| {
        let given = [
            volume.config_map,
            volume.secret,
            volume.projected,
            volume.downward_api,
        ];
        !given.iter().any(|source| source.is_there()) && !data::is_named_otherwise(&volume.name)
    };
    let volumes = sts.volumes().filter(|volume| may_hold_data(volume.item()));
    let volumes = volumes.map(|volume| volume.item().name());
    let claims = sts.claim_templates().map(|claim| claim.item().name());
    volumes.chain(claims).find(|name| !mounted.contains(name))
}

/// Whether a container that ends before the others begin has this mount.
fn is_plain_init(sts: &StatefulSet<'_>, mount: &Mount<'_, '_>) -> bool {
    let mut containers = sts.all_containers();
    containers.any(|(kind, container)| {
        kind == ContainerKind::Init && std::ptr::eq(container.item(), mount.container.item())
    })
}

/// The longest name of a volume, a DNS label (kubernetes/apimachinery `pkg/util/validation/validation.go`).
const NAME: usize = 63;

/// With more dangling mounts than this a part of the manifest is missing, and nothing is guessed.
const SLIPS: usize = 32;

/// A name that differs so little, or is so much a part of the other, that one of the two is probably a slip. What differs by its
/// number is one of a row.
fn similar<'o>(name: &str, others: impl Iterator<Item = &'o str>) -> Option<&'o str> {
    let is_word_of = |word: &str, of: &str| of.split('-').any(|part| part == word);
    let in_a_row = |other: &str| row(name).is_some() && row(name) == row(other);
    // A longer one is no volume's name, and to compare two takes the product of their lengths.
    let is_like = |other: &str| {
        let most = match name.len().min(other.len()) {
            0..=2 => 0,
            3 | 4 => 1,
            _ => 2,
        };
        other.len() <= NAME && strsim::damerau_levenshtein(name, other) <= most
    };
    others.into_iter().find(|other| {
        !in_a_row(other) && (is_word_of(name, other) || is_word_of(other, name) || is_like(other))
    })
}

/// What names have in common that differ by their number.
fn row(name: &str) -> Option<&str> {
    let row = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (row.len() < name.len()).then_some(row)
}
