//! # shared-claim
//! Finds sets of several replicas whose pods all write to one claim that cannot be shared.
//! ## Why
//! A volume of the pod template is the same claim for every pod. With `ReadWriteOnce` only the pods of one node can use it: most
//! drivers let no pod on another node start, and pods on the same node write to the same files. With `ReadWriteOncePod` all pods but
//! one never start.
//! ## Fix
//! Make it a claim template, which gives each pod a claim of its own. Where the pods are meant to share their files, use a claim
//! that allows `ReadWriteMany`. Nothing is found where the claim is not known, or is mounted only for reading.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   replicas: 3
//!   template:
//!     spec:
//!       volumes: [{name: data, persistentVolumeClaim: {claimName: db-data}}]
//!       containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]
//! ```
//! ```yaml cluster
//! apiVersion: v1
//! kind: PersistentVolumeClaim
//! metadata: {name: db-data, namespace: default}
//! spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   replicas: 3
//!   template: {spec: {containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]}}
//!   volumeClaimTemplates:
//!   - metadata: {name: data}
//!     spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}
//! ```
//! Only one pod at a time:
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   replicas: 2
//!   template:
//!     spec:
//!       volumes: [{name: data, persistentVolumeClaim: {claimName: db-data}}]
//!       containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]
//! ```
//! ```yaml cluster
//! apiVersion: v1
//! kind: PersistentVolumeClaim
//! metadata: {name: db-data, namespace: default}
//! spec: {accessModes: [ReadWriteOncePod], resources: {requests: {storage: 8Gi}}}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   replicas: 2
//!   template:
//!     spec:
//!       volumes: [{name: data, persistentVolumeClaim: {claimName: db-data, readOnly: true}}]
//!       containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]
//! ```

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use serde::{Deserialize, Serialize};

use crate::object::view::{StatefulSet, Volume};
use crate::object::{At, Mount, Named};
use crate::rule::{
    Context, Declare, Finding, Judges, Known, Level, Levels, Meta, Operation, Report, Rule, Speaks,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SharedClaim {}

impl Declare for SharedClaim {
    const META: Meta = Meta {
        id: "shared-claim",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("shared_claim.rs"),
    };
}

/// No node has room for a pod with more claims, and each is looked for among all of the namespace.
const MOST: usize = 64;

impl Rule for SharedClaim {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        if sts.spec.replicas < 2 {
            return;
        }
        let written: BTreeSet<_> = sts
            .mounts()
            .filter(may_write)
            .map(|mount| mount.volume)
            .collect();
        // A claim template of the same name wins over the volume.
        let mut settled: BTreeSet<_> = sts
            .claim_templates()
            .map(|claim| claim.item().name())
            .collect();
        let shared = sts.volumes().filter_map(|volume| {
            let source = volume.item().claim.as_ref()?;
            let name = volume.item().name();
            let counts = !source.read_only && written.contains(name) && settled.insert(name);
            counts.then_some((volume, &*source.claim_name))
        });
        for (volume, claim) in shared.take(MOST) {
            let Known::Present(found) = cx.claim(claim) else {
                continue;
            };
            if let Some(few) = Few::of(&found) {
                report.add(few.finding(sts, cx, &volume, claim));
            }
        }
    }
}

fn may_write(mount: &Mount<'_, '_>) -> bool {
    mount.mount.is_none_or(|mount| !mount.read_only)
}

/// How few may use a claim at a time.
#[derive(Clone, Copy, Debug)]
enum Few {
    /// The pods of one node (kubernetes/kubernetes `pkg/volume/util/util.go`, `IsMultiAttachAllowed`).
    Node,
    /// One pod (kubernetes/kubernetes `pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go`).
    Pod,
}

impl Few {
    /// None where many may write, or nothing is said. What the bound volume can do counts, too: it may be more than was asked.
    fn of(claim: &PersistentVolumeClaim) -> Option<Self> {
        let asked = claim
            .spec
            .iter()
            .filter_map(|spec| spec.access_modes.as_ref());
        let bound = claim
            .status
            .iter()
            .filter_map(|status| status.access_modes.as_ref());
        let modes: BTreeSet<_> = asked.chain(bound).flatten().map(String::as_str).collect();
        if modes.contains("ReadWriteMany") {
            None
        } else if modes.contains("ReadWriteOncePod") {
            Some(Self::Pod)
        } else {
            modes.contains("ReadWriteOnce").then_some(Self::Node)
        }
    }

    fn finding(
        self,
        sts: &StatefulSet<'_>,
        cx: &Context<'_>,
        volume: &At<'_, Volume<'_>>,
        claim: &str,
    ) -> Finding {
        let (name, replicas) = (volume.item().name(), sts.spec.replicas);
        let (who, why) = match self {
            Self::Node => (
                "only the pods of one node can use (ReadWriteOnce)",
                "most drivers let no pod on another node start, and pods on one node write to the same files",
            ),
            Self::Pod => (
                "only one pod at a time can use (ReadWriteOncePod)",
                "all pods but one never start",
            ),
        };
        let remedy = match cx.operation {
            Operation::Create => {
                "make it a claim template, which gives each pod a claim of its own; or use a claim that allows ReadWriteMany"
            }
            Operation::Update => {
                "use a claim that allows ReadWriteMany, or one replica; a claim template, which gives each pod a claim of its own, can be added only by `kubectl delete --cascade=orphan`, making the set anew, and deleting its pods one by one"
            }
        };
        Finding::new(
            volume.path(),
            format!("volume {name} is one claim, {claim}, for {replicas} replicas, and {who}"),
        )
        .subject(name)
        .why(why)
        .remedy(remedy)
    }
}
