//! # missing-readiness-probe
//! Finds containers without a readiness probe.
//! ## Why
//! Without one a pod counts as ready as soon as its process has started. A StatefulSet starts, and later replaces, its
//! pods one after the other and waits for each to be ready: without a probe it waits for nothing, and Services send
//! traffic to a server that does not listen yet.
//! ## Fix
//! On CREATE, as the catalogue of workloads knows that the container's image is to be asked (`steadfast explain workload NAME`); a
//! policy's `workloads` come before it. Where the manifest leaves doubt (TLS, a path prefix, a port of its own, somebody's own
//! image of that name), only a connection to the port is asked for.
//!
//! Of any other image, `tcpSocket` on the declared port that speaks for the container: the one that its other probes ask, else one
//! with a conventional name (`http`, `client`, ...), else the only TCP port that is not for metrics, peers or administration. An HTTP path, a file or a
//! command is never invented, and neither is a gRPC health service: the kubelet counts a server that does not implement
//! it as failed (`grpcHealth: true` states that yours do).
//!
//! Nothing is injected where no TCP port is declared, or several of which none speaks for the container; into init
//! containers, native sidecars, and containers beside the workload that are named like proxies, exporters and reloaders;
//! nor where it could keep the set from forming: more than one replica, command, args or env that point at peers, and pods
//! that start one after the other (`OrderedReady`) or are hidden until they are ready.
//! ## Example
//! ```yaml before
//! metadata: {name: web}
//! spec: {template: {spec: {containers: [{name: web, ports: [{name: http, containerPort: 80}]}]}}}
//! ```
//! ```yaml after
//! metadata: {name: web}
//! spec:
//!   template:
//!     spec:
//!       containers:
//!       - name: web
//!         ports: [{name: http, containerPort: 80}]
//!         readinessProbe:
//!           tcpSocket: {port: http}
//!           periodSeconds: 10
//!           timeoutSeconds: 5
//!           successThreshold: 1
//!           failureThreshold: 3
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Change;
use crate::object::view::StatefulSet;
use crate::rule::{
    AtLeast, Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks,
};
use crate::workload::{Kind, Withheld, probe};

/// The parameters.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct MissingReadinessProbe {
    /// Seconds between two questions of an injected probe, at least.
    period_seconds: AtLeast<1>,
    /// Whether ports named `grpc` serve the standard health service, so that it can be asked.
    grpc_health: bool,
    /// More containers that need no probe, by name.
    helpers: Vec<String>,
}

impl Default for MissingReadinessProbe {
    fn default() -> Self {
        Self {
            period_seconds: AtLeast::new(10),
            grpc_health: false,
            helpers: Vec::new(),
        }
    }
}

impl Declare for MissingReadinessProbe {
    const META: Meta = Meta {
        id: "missing-readiness-probe",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: true,
        fixes: true,
        source: include_str!("missing_readiness_probe.rs"),
    };
}

impl Rule for MissingReadinessProbe {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let bare = sts
            .containers()
            .filter(|container| container.readiness_probe.is_none());
        for container in bare {
            let source = cx.asked(
                sts,
                &container,
                Kind::Readiness,
                &self.helpers,
                self.grpc_health,
            );
            if source == Err(Withheld::Helper) {
                continue;
            }
            let name = &*container.name;
            let at = container.path().key(Kind::Readiness.field());
            let finding = Finding::new(at.clone(), format!("container {name} has no readiness probe"))
                .container(name)
                .why("without one a pod is ready as soon as its process runs, and neither rollout nor traffic waits for it");
            report.add(match source {
                Ok(asked) => {
                    let probe = probe::readiness(&asked, self.period_seconds.get());
                    let period = probe.period_seconds.unwrap_or_default();
                    finding
                        .remedy(
                            "add a readinessProbe to the container that asks whether it can serve",
                        )
                        .fix(
                            format!("added {asked}, every {period} s"),
                            [Change::set(at, probe)],
                        )
                        .of_workload(asked.workload)
                }
                Err(withheld @ Withheld::Harmful { .. }) => finding
                    .remedy(format!("leave it so; {withheld}"))
                    .is_advice(),
                Err(withheld) => {
                    finding.remedy(format!("add a readinessProbe to the container; {withheld}"))
                }
            });
        }
    }
}
