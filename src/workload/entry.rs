//! What is known of one workload, as a file of the catalogue or a policy states it.

use serde::{Deserialize, Serialize};

use crate::workload::Kind;

/// One workload. [catalogue/README.md](catalogue/README.md) says what each key means.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts, each true or not by itself"
)]
pub struct Workload {
    /// Its name.
    pub id: String,
    /// The ends of the image repositories that hold it, such as `bitnami/redis`.
    pub images: Vec<String>,
    /// What the tag must match, where the image is another workload in another version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// Which of the image's programs it is, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What the command line must have, where one image runs several programs: one of these, as whole words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role_tokens: Vec<String>,
    /// The ports that it listens on by default; the first one is what clients use.
    #[serde(default)]
    pub ports: Vec<DefaultPort>,
    /// What it must not lose.
    #[serde(default)]
    pub data: Vec<Data>,
    /// Whether it can serve.
    #[serde(default)]
    pub readiness: Option<KnownProbe>,
    /// Whether only a restart helps; none where a restart makes things worse.
    #[serde(default)]
    pub liveness: Option<KnownProbe>,
    /// Whether it has started.
    #[serde(default)]
    pub startup: Option<KnownProbe>,
    /// The reasons for the three, also for those that it has not.
    #[serde(default)]
    pub why: Why,
    /// What the governing Service's name has after the set's.
    #[serde(default)]
    pub headless_suffix: String,
    /// As its chart or operator has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_management_policy: Option<String>,
    /// As its chart or operator has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_strategy: Option<String>,
    /// As its chart or operator has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination_grace_period_seconds: Option<u32>,
    /// Which of the three above nobody sets: the value is the API server's, and no recommendation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defaulted: Vec<String>,
    /// Whether its governing Service shows pods that are not ready.
    #[serde(default)]
    pub publish_not_ready_addresses: bool,
    /// Whether it becomes ready only once it has found its peers: a quorum, a leader.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ready_needs_peers: bool,
    /// Whether a majority of its replicas must be up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quorum: bool,
    /// The user that the image runs as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<u32>,
    /// The group that its volumes must belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fs_group: Option<u32>,
    /// Whether the image has no shell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_shell: bool,
    /// Arguments and environment variables that speak for TLS on its ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tls_hints: Vec<String>,
    /// Arguments and environment variables with which it is another program, or another role: it is then not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_if: Vec<String>,
    /// Whether its commands get an answer also where its port speaks TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls_proof: bool,
    /// Arguments and environment variables of which one must be there for its probes to be answered; else only its port is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enabled_by: Vec<String>,
    /// Whether any of those also says that it is answered in plain HTTP, whatever else speaks for TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_when_enabled: bool,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Where the facts are from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// How far it is relied on.
    #[serde(default)]
    pub confidence: Confidence,
    /// When its sources were read, as `2026-07-01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<String>,
}

/// How far an entry is relied on.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Never to inject anything.
    Low,
    /// For the ports that are asked, and for where none should be.
    Medium,
    /// As it stands.
    #[default]
    High,
}

impl Confidence {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A port that is listened on by default.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultPort {
    /// Its name in charts.
    pub name: String,
    /// Its number.
    pub port: u16,
    /// `UDP` where it is not TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
}

/// A path that must outlive the pod.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Data {
    /// Where it is mounted.
    pub mount_path: String,
    /// Whether the image itself, without arguments and variables, keeps its data there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_default: bool,
    /// The folder of the volume to mount there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_path: Option<String>,
    /// What the environment must say.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub env: std::collections::BTreeMap<String, String>,
    /// Where a volume would not hold it although it looks like the place, and why.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub misplaced: std::collections::BTreeMap<String, String>,
    /// What else is to be known.
    #[serde(default)]
    pub note: String,
}

/// The reasons for the three probes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Why {
    /// For readiness.
    pub readiness: String,
    /// For liveness.
    pub liveness: String,
    /// For startup.
    pub startup: String,
}

/// A probe that a workload is known to answer. Ports are numbers: names are the manifest's.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KnownProbe {
    /// By running a command in the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<Exec>,
    /// By HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_get: Option<HttpGet>,
    /// By opening a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_socket: Option<TcpSocket>,
    /// Seconds before the first question.
    #[serde(default)]
    pub initial_delay_seconds: u32,
    /// Seconds between two questions.
    #[serde(default = "ten")]
    pub period_seconds: u32,
    /// Seconds that an answer may take.
    #[serde(default = "five")]
    pub timeout_seconds: u32,
    /// After how many failures in a row something is done.
    #[serde(default = "three")]
    pub failure_threshold: u32,
}

fn ten() -> u32 {
    10
}

fn five() -> u32 {
    5
}

fn three() -> u32 {
    3
}

/// A command.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The program and its arguments.
    pub command: Vec<String>,
}

/// A question by HTTP.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HttpGet {
    /// With its query.
    pub path: String,
    /// The number.
    pub port: u16,
    /// `HTTP` or `HTTPS`.
    #[serde(default = "http")]
    pub scheme: String,
}

fn http() -> String {
    "HTTP".to_owned()
}

/// A connection.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TcpSocket {
    /// The number.
    pub port: u16,
}

impl KnownProbe {
    /// The port that it asks; none of a command, whose port is its own affair.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match (&self.http_get, &self.tcp_socket) {
            (Some(http), _) => Some(http.port),
            (None, Some(tcp)) => Some(tcp.port),
            (None, None) => None,
        }
    }
}

impl Workload {
    /// The probe of this kind, and why it is so or why there is none. What has a liveness probe also has a startup probe.
    #[must_use]
    pub fn probe(&self, kind: Kind) -> (Option<&KnownProbe>, &str) {
        match kind {
            Kind::Readiness => (self.readiness.as_ref(), &self.why.readiness),
            Kind::Liveness => (self.liveness.as_ref(), &self.why.liveness),
            Kind::Startup => (
                self.startup.as_ref().or(self.liveness.as_ref()),
                &self.why.startup,
            ),
        }
    }

    /// The TCP ports that it listens on by default, that of its clients first.
    pub fn tcp_ports(&self) -> impl Iterator<Item = u16> {
        let tcp = |port: &&DefaultPort| port.protocol.as_deref().is_none_or(|of| of == "TCP");
        self.ports.iter().filter(tcp).map(|port| port.port)
    }
}
