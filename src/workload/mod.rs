//! What is known of the programs that run in a set: where a probe's value comes from.
//!
//! This is the room of the workload catalogue. Until an entry knows better, a probe is derived from the ports that the
//! container declares; nothing is ever invented.

mod peers;
mod ports;
pub mod probe;

use crate::object::view::{Container, StatefulSet};

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
    /// Its peers must find it before it is ready, and the governing Service hides pods that are not.
    Forming,
}

/// What a policy says about deriving probes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preferences<'p> {
    /// More containers to leave alone, by name.
    pub helpers: &'p [String],
    /// Whether ports named `grpc` serve the standard health service.
    pub grpc_health: bool,
    /// Whether the governing Service is known to publish pods that are not ready.
    pub publishes_unready: bool,
}

/// How to ask `container` whether it is well: the one place where a probe's value comes from.
pub fn handler(
    set: &StatefulSet<'_>,
    container: &Container<'_>,
    preferences: Preferences<'_>,
) -> Result<Handler, Withheld> {
    if is_helper(&container.name)
        || preferences
            .helpers
            .iter()
            .any(|name| *container.name == **name)
    {
        return Err(Withheld::Helper);
    }
    let port = ports::main(container).ok_or(Withheld::NoPort)?;
    if !preferences.publishes_unready && peers::must_form_first(set) {
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
            Self::NoPort => "none could be injected, since it declares no TCP port to ask",
            Self::Forming => {
                "none is injected, since its pods must find each other first and its Service hides pods that are not \
                 ready (publishNotReadyAddresses: true on the Service, or podManagementPolicy: Parallel, changes that)"
            }
        })
    }
}
