//! What is known of the programs that run in a set: where a probe's value comes from.
//!
//! This is the room of the workload catalogue. Until an entry knows better, a probe is derived from the ports that the
//! container declares; nothing is ever invented.

pub mod data;
mod peers;
mod ports;
pub mod probe;

use crate::object::view::{Container, StatefulSet};

pub use peers::must_form_first;
pub use ports::Port;

/// How to ask a container whether it is well.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Handler {
    /// The port accepts a connection.
    Tcp(Port),
    /// The standard gRPC health service answers on this port.
    Grpc(u16),
}

/// Why no probe is derived for a container.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Withheld {
    /// A helper of the pod (proxy, exporter, reloader), whose state says nothing about the set's.
    Helper,
    /// It declares no TCP port.
    NoPort,
    /// It declares several, and none speaks for it.
    SeveralPorts,
    /// Its peers must find it before it is ready, and would not.
    Forming,
}

/// What is known besides the set, and what a policy says about deriving probes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preferences<'p> {
    /// More containers to leave alone, by name.
    pub helpers: &'p [String],
    /// Whether ports named `grpc` serve the standard health service.
    pub grpc_health: bool,
    /// The answer of [`must_form_first`], which reads every container, for all of them.
    pub must_form_first: bool,
}

/// How to ask `container` whether it is well: the one place where a probe's value comes from.
pub fn handler(
    set: &StatefulSet<'_>,
    container: &Container<'_>,
    preferences: Preferences<'_>,
) -> Result<Handler, Withheld> {
    // A pod's only container helps nobody.
    let accompanies = set.spec.template.spec.containers.len() > 1;
    let named = preferences
        .helpers
        .iter()
        .any(|name| *container.name == **name);
    if named || (accompanies && is_helper(&container.name)) {
        return Err(Withheld::Helper);
    }
    let port = ports::main(set, container)?;
    if preferences.must_form_first {
        return Err(Withheld::Forming);
    }
    Ok(match port {
        Port {
            number, grpc: true, ..
        } if preferences.grpc_health => Handler::Grpc(number),
        port => Handler::Tcp(port),
    })
}

/// Whether a container is named like a proxy, agent, exporter or reloader that stands beside the workload proper.
fn is_helper(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "agent",
        "consul-dataplane",
        "envoy",
        "envoy-sidecar",
        "exporter",
        "istio-proxy",
        "linkerd-proxy",
        "metrics",
        "queue-proxy",
        "reloader",
        "vault-agent",
        "kuma-sidecar",
    ];
    const ENDINGS: &[&str] = &["-exporter", "-metrics", "-reloader"];
    NAMES.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

impl std::fmt::Display for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(port) => write!(f, "tcpSocket {port}"),
            Self::Grpc(port) => write!(f, "grpc {port}"),
        }
    }
}

impl std::fmt::Display for Withheld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Helper => "it is a helper of the pod",
            Self::NoPort => "none could be injected: it declares no TCP port to ask",
            Self::SeveralPorts => "none was injected: it declares several TCP ports, and which one speaks for it is not clear",
            Self::Forming => {
                "none was injected: the set points at peers, and a probe that waits for them could keep it from forming"
            }
        })
    }
}
