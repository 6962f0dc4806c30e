//! # volatile-data
//! Finds containers whose data goes with their pod.
//! ## Why
//! A database that keeps its data in an `emptyDir`, on its node, in the container's own layer or beside the volume that is there
//! for it starts empty after the next rollout, eviction or restart.
//! ## Fix
//! On CREATE, and only where a policy states `storage`: a claim template with the mount, folder and environment that the
//! catalogue (`steadfast explain workload NAME`) has for the workload, if it is certainly that workload, it runs as its image runs by itself
//! (without a command, configuration, or words that may name another folder),
//! the container's user may write to the volume (`fsGroup`), the set has no claim templates of its own, and the storage class,
//! or a default class, is known to exist. Of other workloads a policy can say where their data is, by `mountPath`. Without
//! `storage` the fix is only shown. A volume that is there is never replaced.
//!
//! **Size and class of a claim template can never be changed.** A later manifest that declares it must state the same.
//! ## Example
//! ```yaml before
//! metadata: {name: cache}
//! spec: {template: {spec: {containers: [{name: redis, image: "redis:8"}]}}}
//! ```
//! ```yaml cluster
//! apiVersion: storage.k8s.io/v1
//! kind: StorageClass
//! metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
//! provisioner: example.com/disk
//! ```
//! ```yaml params
//! storage: 8Gi
//! ```
//! ```yaml after
//! metadata: {name: cache}
//! spec:
//!   template: {spec: {containers: [{name: redis, image: "redis:8", volumeMounts: [{name: data, mountPath: /data}]}]}}
//!   volumeClaimTemplates:
//!   - apiVersion: v1
//!     kind: PersistentVolumeClaim
//!     metadata: {name: data}
//!     spec:
//!       accessModes: [ReadWriteOnce]
//!       resources: {requests: {storage: 8Gi}}
//!       volumeMode: Filesystem
//! ```
//! A volume that is there, and is not where the data is:
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   template: {spec: {containers: [{name: db, image: "postgres:16", volumeMounts: [{name: data, mountPath: /var/lib/postgresql}]}]}}
//!   volumeClaimTemplates: [{metadata: {name: data}}]
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   template: {spec: {containers: [{name: db, image: "postgres:16", volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]}]}}
//!   volumeClaimTemplates: [{metadata: {name: data}}]
//! ```

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{EnvVar, VolumeMount};
use serde::{Deserialize, Serialize};

use crate::object::quantity::Quantity;
use crate::object::view::{Container, StatefulSet};
use crate::object::{At, Change, Named};
use crate::rule::claim::{Claim, has_own, unwanted};
use crate::rule::{
    Context, Declare, Finding, Judges, Level, Levels, Meta, Operation, Report, Rule, Speaks,
};
use crate::workload::fleeting::{Fleeting, beside, fleeting};
use crate::workload::keeping::{serves, unfit};
use crate::workload::{Data, Workload, data};

/// The parameters.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct VolatileData {
    /// How large an injected claim is; without it none is injected, only shown, with 8Gi.
    storage: Option<Quantity>,
    /// The class of an injected claim; without one, the cluster's default class.
    storage_class_name: Option<String>,
    /// Where the only container of a set has its data, if its workload is not known and it mounts nothing that lasts.
    mount_path: Option<Folder>,
}

/// A folder that may hold data: an absolute path, and none of the system's.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String")]
struct Folder(String);

impl TryFrom<String> for Folder {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        match data::system_folder(&path) {
            _ if !path.starts_with('/') => {
                Err(format!("{path:?} is no absolute path such as /data"))
            }
            Some(folder) => Err(format!(
                "{path:?} is no place for data, being at or under {folder}"
            )),
            None => Ok(Self(path)),
        }
    }
}

impl Declare for VolatileData {
    const META: Meta = Meta {
        id: "volatile-data",
        levels: Levels {
            baseline: Level::Warn,
            // A cache may start empty, and only its owner knows.
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: true,
        fixes: true,
        source: include_str!("volatile_data.rs"),
    };
}

/// The name of an injected claim template.
const NAME: &str = "data";

/// Data that goes with its pod.
struct Lost<'v, 'a> {
    container: At<'v, Container<'a>>,
    on: Fleeting<'v>,
    workload: Option<&'v Workload>,
    data: &'v Data,
}

impl Rule for VolatileData {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        if is_crowded(sts) {
            return;
        }
        let stated = self.mount_path.as_ref().map(|path| Data {
            mount_path: path.0.clone(),
            ..Data::default()
        });
        let lost: Vec<_> = sts
            .containers()
            .flat_map(|container| lost(sts, cx, container, stated.as_ref()))
            .collect();
        let mut told = BTreeSet::new();
        // One word for a container, however many folders it has: the defect is one.
        for one in lost.iter().filter(|one| told.insert(&*one.container.name)) {
            report.add(if let Fleeting::Beside { volume, .. } = one.on {
                let place = &one.data.mount_path;
                one.finding().remedy(format!(
                    "mount {volume} at {place}; if the set runs already, save its data first"
                ))
            } else if cx.operation == Operation::Update {
                one.finding().remedy("make the claims <claim>-<set>-N and copy the data there; then make the set anew with the claim template and its mount (kubectl delete --cascade=orphan), and delete its pods one by one")
            } else {
                self.repaired(sts, cx, one, lost.len())
            });
        }
    }
}

impl VolatileData {
    /// The finding with its repair: a claim, where a policy says how large, and where nothing speaks against it.
    fn repaired(
        &self,
        sts: &StatefulSet<'_>,
        cx: &Context<'_>,
        one: &Lost<'_, '_>,
        all: usize,
    ) -> Finding {
        let finding = one.finding();
        let remedy = format!(
            "add a claim template and mount it at {}",
            one.data.mount_path
        );
        let stated = match self.storage {
            Some(_) => "",
            None => "; a policy that states the parameter storage has it added",
        };
        let storage = self.storage.clone().unwrap_or_else(Quantity::default_claim);
        let claim = Claim {
            name: NAME,
            storage: &storage,
            class: self.storage_class_name.as_deref(),
        };
        if let Some(doubt) = one.doubt(sts, cx, &claim, all) {
            return finding.remedy(format!("{remedy}{stated}. None was injected: {doubt}"));
        }
        let own = has_own(sts);
        let workload = one.workload.map(|workload| workload.id.clone());
        let mut fixed = finding
            .fix(claim.done(cx, &one.place()), one.changes(&claim))
            .of_workload(workload);
        if self.storage.is_none() {
            fixed = fixed.as_proposal();
        }
        match own {
            Some(own) => fixed
                .remedy(format!("{remedy}{stated}. None was injected: {own}"))
                .in_manifest_only(),
            None => fixed.remedy(remedy + stated),
        }
    }
}

/// No pod has so many of anything, and to look at each container beside all others takes their square.
const CROWD: usize = 256;

fn is_crowded(sts: &StatefulSet<'_>) -> bool {
    let pod = &sts.spec.template.spec;
    let mut all = sts.all_containers();
    pod.containers.len() + pod.init_containers.len() > CROWD
        || pod.volumes.len() > CROWD
        || sts.spec.volume_claim_templates.len() > CROWD
        || all.any(|(_, container)| container.item().volume_mounts.len() > CROWD)
}

/// What a container loses; `stated` is where an unknown workload has its data.
fn lost<'v, 'a>(
    sts: &'v StatefulSet<'a>,
    cx: &'v Context<'_>,
    container: At<'v, Container<'a>>,
    stated: Option<&'v Data>,
) -> Vec<Lost<'v, 'a>> {
    let workload = cx.workload(&container);
    let is_alone = sts.spec.template.spec.containers.len() == 1;
    let all = match workload {
        Some(workload) if !serves(&container, workload) => &[],
        Some(workload) => &workload.data[..],
        None if is_alone => stated.map_or(&[][..], std::slice::from_ref),
        None => &[],
    };
    let is_certain = |data: &&Data| workload.is_none() || data.by_default;
    let beside = workload.and_then(|workload| beside(sts, container.item(), workload));
    let lost = all.iter().filter(is_certain).filter_map(|data| {
        let on = beside.or_else(|| fleeting(sts, container.item(), &data.mount_path))?;
        Some(Lost {
            container,
            on,
            workload,
            data,
        })
    });
    lost.collect()
}

impl Lost<'_, '_> {
    fn finding(&self) -> Finding {
        let (name, path) = (&*self.container.name, &self.data.mount_path);
        let who = match self.workload {
            Some(workload) => format!("container {name} ({})", workload.id),
            None => format!("container {name}"),
        };
        let (message, why) = self.on.said(&who, path);
        Finding::new(self.container.path(), message)
            .container(name)
            .why(why)
    }

    /// What speaks against a claim for it.
    fn doubt(
        &self,
        sts: &StatefulSet<'_>,
        cx: &Context<'_>,
        claim: &Claim<'_>,
        all: usize,
    ) -> Option<String> {
        if let Fleeting::Pod(volume) | Fleeting::Node(volume) | Fleeting::Beside { volume, .. } =
            self.on
        {
            return Some(format!("volume {volume} has its place"));
        }
        if all > 1 {
            return Some("the set keeps data in several places".to_owned());
        }
        let volumes = sts.volumes().map(|volume| volume.item().name());
        let claims = sts.claim_templates().map(|claim| claim.item().name());
        if volumes.chain(claims).any(|name| name == NAME) {
            return Some(format!("a volume {NAME} is there for something else"));
        }
        let unfit = || unfit(sts, &self.container, self.workload?, self.data);
        unwanted(sts).or_else(unfit).or_else(|| claim.unbound(cx))
    }

    /// Where its claim is mounted, in words.
    fn place(&self) -> String {
        let path = &self.data.mount_path;
        let folder = self
            .data
            .sub_path
            .iter()
            .map(|folder| format!(", folder {folder} of it"));
        let env = self
            .data
            .env
            .iter()
            .map(|(name, value)| format!(", with {name}={value}"));
        let more: String = folder.chain(env).collect();
        format!(", mounted at {path}{more}")
    }

    /// The claim template, its mount, and what tells the program of the mount.
    fn changes(&self, claim: &Claim<'_>) -> Vec<Change> {
        let mount = VolumeMount {
            name: claim.name.to_owned(),
            mount_path: self.data.mount_path.clone(),
            sub_path: self.data.sub_path.clone(),
            ..VolumeMount::default()
        };
        let there = |name: &str| {
            self.container
                .env
                .iter()
                .any(|variable| variable.name == *name)
        };
        let env = self.data.env.iter().filter(|(name, _)| !there(name));
        let env = env.map(|(name, value)| {
            let variable = EnvVar {
                name: name.clone(),
                value: Some(value.clone()),
                ..EnvVar::default()
            };
            Change::append(self.container.path().key("env"), variable)
        });
        let mount = Change::append(self.container.path().key("volumeMounts"), mount);
        [claim.change(), mount].into_iter().chain(env).collect()
    }
}
