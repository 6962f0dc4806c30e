//! # undeclared-probe-port
//! Finds probes that ask a port by a name which their container does not declare.
//! ## Why
//! The API server accepts it; the kubelet finds no such port, and the probe fails each time: the pod never gets ready, or
//! is killed over and over. It happens where a port is renamed and a probe is forgotten.
//! ## Fix
//! Name a port that the container declares, or ask by number: a number need not be declared.
//! ## Example
//! ```yaml before
//! metadata: {name: web}
//! spec:
//!   template:
//!     spec:
//!       containers:
//!       - name: web
//!         ports: [{name: web, containerPort: 80}]
//!         readinessProbe: {httpGet: {port: http}}
//! ```
//! ```yaml after
//! metadata: {name: web}
//! spec:
//!   template:
//!     spec:
//!       containers:
//!       - name: web
//!         ports: [{name: web, containerPort: 80}]
//!         readinessProbe: {httpGet: {port: web}}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::ContainerKind;
use crate::object::view::{Container, IntOrString, Probe, StatefulSet};
use crate::object::yaml::nearest;
use crate::rule::{Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct UndeclaredProbePort {}

impl Declare for UndeclaredProbePort {
    const META: Meta = Meta {
        id: "undeclared-probe-port",
        levels: Levels {
            baseline: Level::Deny,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: true,
        fixes: false,
        source: include_str!("undeclared_probe_port.rs"),
    };
}

impl Rule for UndeclaredProbePort {
    fn check(&self, sts: &StatefulSet<'_>, _: &Context<'_>, report: &mut Report) {
        let probed = sts
            .all_containers()
            .filter(|(kind, _)| *kind != ContainerKind::Init);
        for (_, container) in probed {
            for (field, probe, harm) in [
                (
                    "readinessProbe",
                    &container.readiness_probe,
                    "the pod never gets ready",
                ),
                (
                    "livenessProbe",
                    &container.liveness_probe,
                    "the container is killed over and over",
                ),
                (
                    "startupProbe",
                    &container.startup_probe,
                    "the container is killed over and over",
                ),
            ] {
                let Some((handler, name)) = probe
                    .as_ref()
                    .and_then(|probe| undeclared(probe, &container))
                else {
                    continue;
                };
                let at = container.path().key(field).key(handler).key("port");
                let of = &*container.name;
                report.add(
                    Finding::new(at, format!("the {field} of container {of} asks port {name:?}, which {of} does not declare"))
                        .container(of)
                        .subject(field)
                        .why(format!("the kubelet finds no such port, so the probe always fails: {harm}"))
                        .remedy(remedy(name, &container)),
                );
            }
        }
    }
}

/// The name that a probe asks, and how it asks it, where the container has no such port. Text that is a number is one
/// (kubernetes/kubernetes `pkg/probe/util.go`).
fn undeclared<'v>(
    probe: &'v Probe<'_>,
    container: &Container<'_>,
) -> Option<(&'static str, &'v str)> {
    let http = probe.http_get.as_ref().map(|http| ("httpGet", &http.port));
    let tcp = probe
        .tcp_socket
        .as_ref()
        .map(|tcp| ("tcpSocket", &tcp.port));
    http.into_iter()
        .chain(tcp)
        .find_map(|(handler, port)| match port {
            IntOrString::Name(name) => {
                let declared = container.ports.iter().any(|port| port.name == *name);
                (!declared && name.parse::<u16>().is_err()).then_some((handler, &**name))
            }
            IntOrString::Number(_) => None,
        })
}

fn remedy(name: &str, container: &Container<'_>) -> String {
    let names: Vec<_> = container
        .ports
        .iter()
        .map(|port| &*port.name)
        .filter(|name| !name.is_empty())
        .collect();
    match (nearest(name, names.iter().copied()), &names[..]) {
        (Some(near), _) => format!("ask {near:?}, or a port by its number"),
        (None, [only]) => format!("ask {only:?}, or a port by its number"),
        (None, []) => format!("name a declared port {name:?}, or ask by number"),
        (None, names) => format!("ask one of {}, or a port by its number", names.join(", ")),
    }
}
