//! Which declared port speaks for a container.

use std::fmt;

use crate::object::view::{Container, ContainerPort};

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

/// Names of ports beside the service proper: they may open before it does, or after.
const ASIDE: &[&str] = &[
    "admin",
    "debug",
    "jmx",
    "metrics",
    "monitoring",
    "peer",
    "pprof",
    "profiling",
    "prometheus",
    "raft",
];

/// The port that speaks for the container: the conventional one, else the first TCP port that is not beside the service.
pub(super) fn main(container: &Container<'_>) -> Option<Port> {
    let tcp = || container.ports.iter().filter(|port| is_tcp(port));
    let conventional = CLIENTS
        .iter()
        .find_map(|name| tcp().find(|port| *port.name == **name));
    let port = conventional
        .or_else(|| tcp().find(|port| !is_aside(&port.name)))
        .or_else(|| tcp().next())?;
    let own = !port.name.is_empty()
        && container
            .ports
            .iter()
            .filter(|other| other.name == port.name)
            .count()
            == 1;
    Some(Port {
        number: u16::try_from(port.container_port).ok()?,
        name: own.then(|| port.name.to_string()),
        grpc: port.name.split('-').any(|word| word == "grpc"),
    })
}

/// A port that a TCP probe can ask. The API server takes 1 to 65535 and refuses the rest by itself.
fn is_tcp(port: &ContainerPort<'_>) -> bool {
    port.protocol == "TCP" && (1..=65535).contains(&port.container_port)
}

fn is_aside(name: &str) -> bool {
    name.split('-').any(|word| ASIDE.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::view::StatefulSet;

    fn of(ports: &str) -> Option<String> {
        let text = format!(
            r#"{{"spec":{{"template":{{"spec":{{"containers":[{{"ports":{ports}}}]}}}}}}}}"#
        );
        let set = StatefulSet::parse(&text).expect("a set");
        main(&set.spec.template.spec.containers[0]).map(|port| port.to_string())
    }

    #[test]
    fn the_conventional_port_comes_before_the_first() {
        assert_eq!(
            of(r#"[{"name":"metrics","containerPort":9090},{"name":"http","containerPort":80}]"#)
                .as_deref(),
            Some("http")
        );
        assert_eq!(
            of(r#"[{"name":"raft","containerPort":1},{"name":"sql","containerPort":2}]"#)
                .as_deref(),
            Some("sql")
        );
        assert_eq!(
            of(r#"[{"name":"metrics","containerPort":9090}]"#).as_deref(),
            Some("metrics")
        );
    }

    #[test]
    fn only_tcp_ports_that_can_exist_count() {
        assert_eq!(of("[]"), None);
        assert_eq!(of(r#"[{"containerPort":53,"protocol":"UDP"}]"#), None);
        assert_eq!(of(r#"[{"containerPort":-1},{"containerPort":70000},{"containerPort":53,"protocol":"TCP"}]"#).as_deref(), Some("53"));
    }

    #[test]
    fn a_name_given_twice_is_not_used() {
        assert_eq!(
            of(r#"[{"name":"a","containerPort":1},{"name":"a","containerPort":2}]"#).as_deref(),
            Some("1")
        );
    }
}
