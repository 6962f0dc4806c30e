//! Which declared port speaks for a container.

use std::fmt;

use super::Withheld;
use crate::object::view::{Container, ContainerPort, IntOrString, StatefulSet};

/// A declared TCP port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Port {
    /// The number.
    pub number: u16,
    /// The name, where no other port of the container has it.
    pub name: Option<String>,
    /// Whether its name says gRPC.
    pub grpc: bool,
}

impl Port {
    /// A port by its number alone.
    pub(super) fn numbered(number: u16) -> Self {
        Self {
            number,
            name: None,
            grpc: false,
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => self.number.fmt(f),
        }
    }
}

/// Names under which charts declare the port that clients use, most telling first.
const CLIENTS: &[&str] = &["http", "https", "web", "grpc", "client", "api", "tcp"];

/// Words for ports beside the service proper: they may open before it does, after it, or on one of the pods only.
const ASIDE: &[&str] = &[
    "admin",
    "cluster",
    "controller",
    "debug",
    "dist",
    "election",
    "epmd",
    "follower",
    "gossip",
    "internal",
    "internode",
    "intra",
    "jmx",
    "leader",
    "memberlist",
    "metrics",
    "monitoring",
    "peer",
    "pprof",
    "profiling",
    "prometheus",
    "quorum",
    "raft",
    "rep",
    "repl",
    "replication",
    "server",
    "transport",
];

/// Among more ports than this none is asked by its name.
const FEW: usize = 256;

/// The port that speaks for the container: the one that the user's own probes ask, else the one that clients use, else the
/// only TCP port that is not beside the service. Of several, none is guessed.
pub(super) fn main(set: &StatefulSet<'_>, container: &Container<'_>) -> Result<Port, Withheld> {
    if let Some(asked) = asked(set, container) {
        return Ok(asked);
    }
    // A debugger that is attached closes its port.
    let tcp = container.ports.iter().filter(|port| is_tcp(port));
    let tcp: Vec<_> = tcp
        .filter(|port| !has_word(port, &["debug", "jdwp"]))
        .collect();
    let beside_nothing: Vec<_> = tcp
        .iter()
        .copied()
        .filter(|port| !has_word(port, ASIDE))
        .collect();
    let candidates = if beside_nothing.is_empty() {
        tcp
    } else {
        beside_nothing
    };
    let conventional = || {
        CLIENTS
            .iter()
            .find_map(|word| candidates.iter().find(|port| has_word(port, &[word])))
    };
    match &candidates[..] {
        [] => Err(Withheld::NoPort),
        [only] if is_shared(set, only) => Err(Withheld::SharedPort),
        [only] => Ok(described(set, only)),
        // `http` beside a port of another kind is often the administration's: it speaks only where all are like it.
        several if several.iter().all(|port| has_word(port, CLIENTS)) => Ok(described(
            set,
            conventional().expect("each has one of the words"),
        )),
        _ => Err(Withheld::SeveralPorts),
    }
}

/// The declared port that the user's own probes ask.
pub(super) fn asked(set: &StatefulSet<'_>, container: &Container<'_>) -> Option<Port> {
    let tcp = container.ports.iter().filter(|port| is_tcp(port));
    let mut asked = tcp.filter(|port| is_asked(container, port));
    asked.next().map(|port| described(set, port))
}

/// The declared port of this number.
pub(super) fn declared(
    set: &StatefulSet<'_>,
    container: &Container<'_>,
    number: u16,
) -> Option<Port> {
    let mut tcp = container.ports.iter().filter(|port| is_tcp(port));
    let port = tcp.find(|port| port.container_port == i64::from(number));
    port.map(|port| described(set, port))
}

/// Whether the container declares any TCP port.
pub(super) fn declares_any(container: &Container<'_>) -> bool {
    container.ports.iter().any(is_tcp)
}

/// A port that a TCP probe can ask. The API server takes 1 to 65535 and refuses the rest by itself.
fn is_tcp(port: &ContainerPort<'_>) -> bool {
    port.protocol == "TCP" && (1..=65535).contains(&port.container_port)
}

/// Whether a probe that the user wrote asks this port.
fn is_asked(container: &Container<'_>, port: &ContainerPort<'_>) -> bool {
    let probes = [
        &container.readiness_probe,
        &container.liveness_probe,
        &container.startup_probe,
    ];
    let asked = probes.into_iter().flatten().filter_map(|probe| {
        let http = probe.http_get.as_ref().map(|http| &http.port);
        http.or_else(|| probe.tcp_socket.as_ref().map(|tcp| &tcp.port))
    });
    asked.into_iter().any(|asked| match asked {
        IntOrString::Number(number) => *number == port.container_port,
        IntOrString::Name(name) => !name.is_empty() && *name == port.name,
    })
}

/// Whether several containers of the pod declare this port: they share one network, so only one of them can listen.
fn is_shared(set: &StatefulSet<'_>, port: &ContainerPort<'_>) -> bool {
    let containers = set.spec.template.spec.containers.iter();
    let ports = containers.flat_map(|container| container.ports.iter());
    let same =
        |other: &&ContainerPort<'_>| is_tcp(other) && other.container_port == port.container_port;
    ports.filter(same).nth(1).is_some()
}

fn has_word(port: &ContainerPort<'_>, words: &[&str]) -> bool {
    port.name.split('-').any(|word| words.contains(&word))
}

/// The port as a probe names it. A name that another port of the pod has, too, may be taken for that one.
fn described(set: &StatefulSet<'_>, port: &ContainerPort<'_>) -> Port {
    let named = |other: &&ContainerPort<'_>| other.name == port.name;
    let ports = set
        .all_containers()
        .flat_map(|(_, container)| container.item().ports.iter());
    // More than a pod ever has: to compare each with all would take the square of their number.
    let few = ports.clone().nth(FEW).is_none();
    let own = few && !port.name.is_empty() && ports.filter(named).count() == 1;
    Port {
        number: u16::try_from(port.container_port).expect("a TCP port that can be asked"),
        name: own.then(|| port.name.to_string()),
        grpc: has_word(port, &["grpc"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ports: &str, more: &str) -> Result<String, Withheld> {
        let text = format!(
            r#"{{"spec":{{"template":{{"spec":{{"containers":[{{"ports":{ports}{more}}},{{"ports":[{{"name":"twice","containerPort":1}}]}}]}}}}}}}}"#
        );
        let set = StatefulSet::parse(&text).expect("a set");
        main(&set, &set.spec.template.spec.containers[0]).map(|port| port.to_string())
    }

    #[test]
    fn one_port_speaks_for_the_container() {
        for (ports, port) in [
            (
                r#"[{"name":"metrics","containerPort":9090},{"name":"http","containerPort":80}]"#,
                "http",
            ),
            (
                r#"[{"name":"raft","containerPort":1},{"name":"sql","containerPort":2}]"#,
                "sql",
            ),
            (
                r#"[{"name":"server","containerPort":2888},{"name":"leader-election","containerPort":3888},{"name":"zookeeper","containerPort":2181}]"#,
                "zookeeper",
            ),
            (
                r#"[{"name":"cluster","containerPort":6222},{"name":"nats","containerPort":4222}]"#,
                "nats",
            ),
            (
                r#"[{"name":"grpc","containerPort":9},{"name":"https","containerPort":8443},{"name":"http-web","containerPort":8080}]"#,
                "http-web",
            ),
            (r#"[{"name":"metrics","containerPort":9090}]"#, "metrics"),
            (r#"[{"name":"server","containerPort":9090}]"#, "server"),
            (
                r#"[{"containerPort":53,"protocol":"UDP"},{"containerPort":54}]"#,
                "54",
            ),
            (
                r#"[{"containerPort":-1},{"containerPort":70000},{"containerPort":53,"protocol":"TCP"}]"#,
                "53",
            ),
            (r#"[{"name":"twice","containerPort":5}]"#, "5"),
        ] {
            assert_eq!(of(ports, "").as_deref(), Ok(port), "{ports}");
        }
    }

    #[test]
    fn of_several_none_is_guessed() {
        for ports in [
            r#"[{"containerPort":2888},{"containerPort":3888},{"containerPort":2181}]"#,
            r#"[{"name":"amqp","containerPort":5672},{"name":"http","containerPort":15672}]"#,
        ] {
            assert_eq!(of(ports, ""), Err(Withheld::SeveralPorts), "{ports}");
        }
        assert_eq!(of("[]", ""), Err(Withheld::NoPort));
    }

    #[test]
    fn the_port_that_the_user_asks_comes_first() {
        let ports =
            r#"[{"name":"https","containerPort":8443},{"name":"app","containerPort":9000}]"#;
        for probe in [
            r#","readinessProbe":{"httpGet":{"port":9000}}"#,
            r#","livenessProbe":{"tcpSocket":{"port":"app"}}"#,
        ] {
            assert_eq!(of(ports, probe).as_deref(), Ok("app"), "{probe}");
        }
    }
}
