//! # missing-liveness-probe
//! Finds containers without a liveness probe.
//! ## Why
//! A server that hangs but does not exit is restarted by nobody. A liveness probe that is too eager is worse, though: it
//! kills a database in the middle of its recovery, and the recovery begins anew.
//! ## Fix
//! On CREATE, as the catalogue of workloads knows that the container's image is to be asked (`steadfast explain workload NAME`),
//! else `tcpSocket` on the port that speaks for the container (as in missing-readiness-probe), so slow that only a
//! dead server fails it: 120 s of failures by default. A liveness probe never comes without a startup probe: where the
//! container has none, one with a budget of 30 min is added, and until it passes the liveness probe does not ask. Where the
//! catalogue has a longer budget, that one holds.
//!
//! It is withheld where a readiness probe would be. Of workloads that a restart makes worse (Elasticsearch, Vault, RabbitMQ, ...)
//! the catalogue says so: none is injected, and nobody is denied for it. Where it does harm elsewhere, waive the rule.
//! ## Example
//! ```yaml before
//! metadata: {name: web}
//! spec: {template: {spec: {containers: [{name: web, ports: [{containerPort: 80}]}]}}}
//! ```
//! ```yaml after
//! metadata: {name: web}
//! spec:
//!   template:
//!     spec:
//!       containers:
//!       - name: web
//!         ports: [{containerPort: 80}]
//!         livenessProbe:
//!           tcpSocket: {port: 80}
//!           periodSeconds: 20
//!           timeoutSeconds: 5
//!           successThreshold: 1
//!           failureThreshold: 6
//!         startupProbe:
//!           tcpSocket: {port: 80}
//!           periodSeconds: 10
//!           timeoutSeconds: 5
//!           successThreshold: 1
//!           failureThreshold: 180
//! ```
//! ```yaml before
//! spec: {template: {spec: {containers: [{name: web, ports: [{containerPort: 80}], startupProbe: {exec: {command: [up]}}}]}}}
//! ```
//! ```yaml params
//! killAfterSeconds: 300
//! ```
//! ```yaml after
//! spec:
//!   template:
//!     spec:
//!       containers:
//!       - name: web
//!         ports: [{containerPort: 80}]
//!         startupProbe: {exec: {command: [up]}}
//!         livenessProbe:
//!           tcpSocket: {port: 80}
//!           periodSeconds: 20
//!           timeoutSeconds: 5
//!           successThreshold: 1
//!           failureThreshold: 15
//! ```

use std::fmt::Write as _;

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
pub struct MissingLivenessProbe {
    /// Seconds that a container has to start before an injected startup probe gives up, at least; 60 or more.
    startup_budget_seconds: AtLeast<60>,
    /// Seconds of failures after which an injected liveness probe kills, at least; 120 or more.
    kill_after_seconds: AtLeast<120>,
    /// Whether ports named `grpc` serve the standard health service, so that it can be asked.
    grpc_health: bool,
    /// More containers that need no probe, by name.
    helpers: Vec<String>,
}

impl Default for MissingLivenessProbe {
    fn default() -> Self {
        Self {
            startup_budget_seconds: AtLeast::new(1800),
            kill_after_seconds: AtLeast::new(120),
            grpc_health: false,
            helpers: Vec::new(),
        }
    }
}

impl Declare for MissingLivenessProbe {
    const META: Meta = Meta {
        id: "missing-liveness-probe",
        levels: Levels {
            baseline: Level::Audit,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: true,
        fixes: true,
        source: include_str!("missing_liveness_probe.rs"),
    };
}

impl Rule for MissingLivenessProbe {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let bare = sts
            .containers()
            .filter(|container| container.liveness_probe.is_none());
        for container in bare {
            let ask = |kind| cx.asked(sts, &container, kind, &self.helpers, self.grpc_health);
            let source = ask(Kind::Liveness).and_then(|asked| Ok((asked, ask(Kind::Startup)?)));
            if source == Err(Withheld::Helper) {
                continue;
            }
            let name = &*container.name;
            let at = |kind: Kind| container.path().key(kind.field());
            let finding = Finding::new(
                at(Kind::Liveness),
                format!("container {name} has no liveness probe"),
            )
            .container(name)
            .why("nobody restarts a server that hangs without exiting");
            report.add(match source {
                Ok((alive, started)) => {
                    let liveness = probe::liveness(&alive, self.kill_after_seconds.get());
                    let kill = probe::patience(&liveness);
                    let mut done = format!("added {alive}, kills after {kill} s");
                    let mut changes = vec![Change::set(at(Kind::Liveness), liveness)];
                    if container.startup_probe.is_none() {
                        let startup = probe::startup(&started, self.startup_budget_seconds.get());
                        let budget = probe::patience(&startup);
                        let _ = write!(done, ", and a startup probe with {budget} s to start");
                        changes.push(Change::set(at(Kind::Startup), startup));
                    }
                    finding
                        .remedy(
                            "add a livenessProbe that only a dead server fails, and a startupProbe",
                        )
                        .fix(done, changes)
                        .of_workload(alive.workload)
                }
                Err(withheld @ Withheld::Harmful { .. }) => finding
                    .remedy(format!("leave it so; {withheld}"))
                    .is_advice(),
                Err(withheld) => finding.remedy(format!(
                    "add a livenessProbe and a startupProbe; {withheld}"
                )),
            });
        }
    }
}
