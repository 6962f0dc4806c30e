//! What is known of the programs that run in a set: where a probe's value comes from.
//!
//! The catalogue knows many workloads by their images; every other probe is derived from the ports that the container declares.
//! Nothing is ever invented.

mod bound;
mod catalogue;
pub mod data;
mod entry;
mod faults;
pub mod fleeting;
mod image;
pub mod keeping;
mod peers;
pub mod place;
mod ports;
pub mod probe;
mod source;
mod started;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;

pub use catalogue::{COMMON, Catalogue, read_ahead};
pub use entry::{Confidence, Data, KnownProbe, Workload};
pub use faults::{Fault, faults};
pub use peers::{Forming, services_named};
pub use ports::Port;
pub use source::probe as asked;

/// What a probe is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Whether it can serve.
    Readiness,
    /// Whether only a restart helps.
    Liveness,
    /// Whether it has started.
    Startup,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Readiness, Self::Liveness, Self::Startup];

    /// The container's field.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Readiness => "readinessProbe",
            Self::Liveness => "livenessProbe",
            Self::Startup => "startupProbe",
        }
    }
}

/// How to ask a container whether it is well.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Handler {
    /// The port accepts a connection.
    Tcp(Port),
    /// The standard gRPC health service answers on this port.
    Grpc(u16),
    /// A page answers.
    Http {
        /// With its query.
        path: String,
        /// Where.
        port: Port,
        /// `HTTP` or `HTTPS`.
        scheme: String,
    },
    /// A command ends well.
    Exec(Vec<String>),
}

/// How to ask a container, and where that comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// In which way.
    pub handler: Handler,
    /// How patiently.
    pub numbers: Numbers,
    /// The workload of the catalogue, where it is one.
    pub workload: Option<String>,
}

/// How patiently a workload is asked; a policy's numbers are the least.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Numbers {
    /// Seconds before the first question.
    pub initial_delay: u32,
    /// Seconds between two questions; none where the kind of probe says it.
    pub period: Option<u32>,
    /// Seconds that an answer may take: a busy server is slow before it is dead.
    pub timeout: u32,
    /// After how many failures in a row something is done.
    pub failures: u32,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            initial_delay: 0,
            period: None,
            timeout: 5,
            failures: 3,
        }
    }
}

impl Numbers {
    fn of(probe: &KnownProbe) -> Self {
        Self {
            initial_delay: probe.initial_delay_seconds,
            period: Some(probe.period_seconds),
            timeout: probe.timeout_seconds,
            failures: probe.failure_threshold,
        }
    }
}

/// Why no probe is derived for a container.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Withheld {
    /// A helper of the pod (proxy, exporter, reloader), whose state says nothing about the set's.
    Helper,
    /// It declares no TCP port.
    NoPort,
    /// Its command only waits.
    Idle,
    /// It listens on loopback only.
    Loopback,
    /// It is told to listen on no port.
    NoListener,
    /// What it runs at its first start may take any time.
    FirstStart,
    /// It declares several, and none speaks for it.
    SeveralPorts,
    /// Another container of the pod declares the same.
    SharedPort,
    /// Its peers must find it before it is ready, and would not.
    Forming,
    /// Its image runs several programs, and its command line does not tell which.
    Role,
    /// There are too many of its kind.
    Crowd,
    /// None is right for it.
    Harmful {
        /// The workload.
        workload: String,
        /// Why.
        why: String,
    },
}

/// What is known besides the set, and what a policy says about deriving probes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preferences<'p> {
    /// More containers to leave alone, by name.
    pub helpers: &'p [String],
    /// Whether ports named `grpc` serve the standard health service.
    pub grpc_health: bool,
    /// What [`Forming::of`] says, which reads every container, for all of them.
    pub forming: Forming,
}

/// Whether a container is named like a proxy, agent, exporter or reloader that stands beside the workload proper.
fn is_helper(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "agent",
        "backup",
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
        "xtrabackup",
    ];
    const ENDINGS: &[&str] = &["-backup", "-exporter", "-metrics", "-proxy", "-reloader"];
    NAMES.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(port) => write!(f, "tcpSocket {port}"),
            Self::Grpc(port) => write!(f, "grpc {port}"),
            Self::Http { path, port, .. } => write!(f, "httpGet {path} on {port}"),
            Self::Exec(_) => f.write_str("exec check"),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.workload {
            Some(workload) => write!(f, "{} of workload {workload}", self.handler),
            None => self.handler.fmt(f),
        }
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Helper => "it is a helper of the pod",
            Self::NoPort => "none could be injected: it declares no TCP port to ask",
            Self::Idle => "none was injected: its command only waits",
            Self::Loopback => "none was injected: it listens on loopback only, where no probe reaches it",
            Self::NoListener => "none was injected: it is told to listen on no TCP port",
            Self::FirstStart => "none was injected: what it runs when it starts for the first time (/docker-entrypoint-initdb.d) may take any time, and a kill would leave half of it done",
            Self::SeveralPorts => "none was injected: it declares several TCP ports, and which one speaks for it is not clear",
            Self::SharedPort => "none was injected: another container of the pod declares the same port, and only one can listen",
            Self::Forming => {
                "none was injected: its pods wait for their peers, and a probe would keep them from forming unless they start at once (podManagementPolicy: Parallel) behind a headless Service with publishNotReadyAddresses: true"
            }
            Self::Role => "none was injected: its image runs several programs, and command and args do not tell which",
            Self::Crowd => "none was injected: the pod has too many containers",
            Self::Harmful { workload, why } => {
                return write!(f, "none was injected into workload {workload}: {why}");
            }
        })
    }
}
