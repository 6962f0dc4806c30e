//! # unpublished-peers
//! Finds sets whose pods need each other to become ready, behind a Service that hides pods that are not ready.
//! ## Why
//! Only ready pods have DNS names, unless the Service publishes the others, too. Members of a quorum are ready once they have
//! found each other, so they would wait for ever: when the set is made, and when all of its pods were gone.
//! ## Fix
//! Set `publishNotReadyAddresses: true` on the governing Service, which can always be changed. It is for peers; clients are better
//! served by another Service.
//!
//! Found are workloads of which the catalogue says that they need peers to be ready, and containers of others that name several of
//! the set's pods, or its governing Service as a whole, in command, args or env; in both cases only where they have a readiness or
//! startup probe, without which a pod is ready at once.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   replicas: 3
//!   serviceName: db
//!   template:
//!     metadata: {labels: {app: db}}
//!     spec:
//!       containers:
//!       - {name: db, args: ["--join=db-0.db,db-1.db,db-2.db"], readinessProbe: {httpGet: {path: /ready, port: 80}}}
//! ```
//! ```yaml cluster
//! apiVersion: v1
//! kind: Service
//! metadata: {name: db}
//! spec: {clusterIP: None, selector: {app: db}}
//! ---
//! apiVersion: v1
//! kind: Service
//! metadata: {name: db-peers}
//! spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: db}}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   replicas: 3
//!   serviceName: db-peers
//!   template:
//!     metadata: {labels: {app: db}}
//!     spec:
//!       containers:
//!       - {name: db, args: ["--join=db-0.db-peers,db-1.db-peers,db-2.db-peers"], readinessProbe: {httpGet: {path: /ready, port: 80}}}
//! ```

use k8s_openapi::api::core::v1::Service;
use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::StatefulSet;
use crate::rule::waiver::HEADLESS_SERVICE;
use crate::rule::{
    Context, Declare, Finding, Judges, Level, Levels, Meta, Operation, Report, Rule, Speaks,
    is_headless,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct UnpublishedPeers {}

impl Declare for UnpublishedPeers {
    const META: Meta = Meta {
        id: "unpublished-peers",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: true,
        fixes: false,
        source: include_str!("unpublished_peers.rs"),
    };
}

impl Rule for UnpublishedPeers {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        // Of a set that is there without a name, none governs; of one that is made, the one that it is still to name.
        let unwanted = sts.metadata.annotations.says(HEADLESS_SERVICE, "none");
        let is_governed = cx.operation == Operation::Create && !unwanted;
        if sts.spec.service_name.is_empty() && !is_governed {
            return;
        }
        let Some(service) = cx
            .governing_service(sts)
            .filter(|service| hides_unready(service))
        else {
            return;
        };
        let name = service.metadata.name.as_deref().unwrap_or_default();
        // Without a probe a container is ready as soon as it runs.
        let waiting = cx.needing_peers(sts, name).filter(|container| {
            container.readiness_probe.is_some() || container.startup_probe.is_some()
        });
        for container in waiting {
            report.add(
                Finding::new(
                    Path::of(&["spec", "serviceName"]),
                    format!(
                        "container {} needs its peers to become ready, and Service {name} hides pods that are not ready",
                        container.name
                    ),
                )
                .container(&container.name)
                .why("peers cannot find each other by DNS until they are ready, and they are not ready before they have found each other")
                .remedy(format!("set publishNotReadyAddresses: true on Service {name}")),
            );
        }
    }
}

/// Whether pods get DNS names from the Service only once they are ready (kubernetes/kubernetes
/// `staging/src/k8s.io/endpointslice/utils.go`, `podToEndpoint`).
fn hides_unready(service: &Service) -> bool {
    service.spec.as_ref().is_some_and(|spec| {
        let selector = spec.selector.as_ref();
        let has_selector = selector.is_some_and(|selector| !selector.is_empty());
        has_selector && is_headless(service) && spec.publish_not_ready_addresses != Some(true)
    })
}
