//! The probes that are injected into a set of one image, with the ports that the test's server has.

use std::net::TcpListener;
use std::path::Path;
use std::{env, iter};

use regex::Regex;
use serde_json::{Value, json};
use steadfast::admission;
use steadfast::cluster::Manifests;
use steadfast::policy::PolicySet;

use super::prober::Probe;
use super::worker::Kind;

/// Ways to ask.
const HANDLERS: [&str; 3] = ["exec", "httpGet", "tcpSocket"];

/// A container with every probe that it was given.
pub(crate) struct Injected {
    container: Value,
}

impl Injected {
    /// What a set of this image gets, of which nothing is known but its ports: each with the free one that stands for it.
    pub(crate) fn of(image: &str, ports: &[(u16, u16)]) -> Self {
        let declared: Vec<_> = ports
            .iter()
            .map(|(port, _)| json!({"containerPort": port}))
            .collect();
        let set = json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s", "namespace": "default"},
            "spec": {
                "replicas": 1, "serviceName": "s", "selector": {"matchLabels": {"app": "s"}},
                "template": {
                    "metadata": {"labels": {"app": "s"}},
                    "spec": {"containers": [{"name": "c", "image": image, "ports": declared}]},
                },
            },
        });
        let cluster = Manifests::new(false);
        let verdict = admission::admit(&PolicySet::built_in(), &cluster, "default", &set, None);
        let patched = verdict
            .expect("a set")
            .patched
            .expect("something was injected");
        let mut container = patched["spec"]["template"]["spec"]["containers"][0].clone();
        for kind in Kind::ALL {
            for (from, to) in ports {
                renumber(&mut container[kind.field()], *from, *to);
            }
        }
        Self { container }
    }

    /// A probe of it; none where none was injected.
    pub(crate) fn probe(&self, kind: Kind) -> Option<&Value> {
        Some(&self.container[kind.field()]).filter(|probe| !probe.is_null())
    }

    /// All of them.
    pub(crate) fn probes(&self) -> Vec<Probe> {
        let probes = Kind::ALL
            .into_iter()
            .filter_map(|kind| Some((kind, self.probe(kind)?)));
        probes
            .map(|(kind, probe)| Probe::read(kind, probe))
            .collect()
    }

    /// The same with another handler in one of them.
    pub(crate) fn with(&self, kind: Kind, handler: &Value) -> Self {
        let mut container = self.container.clone();
        let probe = container[kind.field()].as_object_mut().expect("it has one");
        probe.retain(|key, _| !HANDLERS.contains(&key.as_str()));
        probe.extend(handler.as_object().cloned().expect("a handler"));
        Self { container }
    }

    /// The same with a command in the place of one handler.
    pub(crate) fn with_command(&self, kind: Kind, command: &str) -> Self {
        self.with(kind, &json!({"exec": {"command": ["sh", "-c", command]}}))
    }

    /// The same, whose commands find programs in this folder first, as they do in the image.
    pub(crate) fn finding(mut self, folder: &Path) -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let all = iter::once(folder.to_owned()).chain(env::split_paths(&path));
        let path = env::join_paths(all).expect("parts of PATH");
        let before = ["env".to_owned(), format!("PATH={}", path.display())];
        for kind in Kind::ALL {
            let command = self
                .container
                .pointer_mut(&format!("/{}/exec/command", kind.field()));
            if let Some(words) = command.and_then(Value::as_array_mut) {
                words.splice(0..0, before.clone().map(Value::from));
            }
        }
        self
    }

    /// Whether this probe waits for an answer of the program: a connection is the operating system's to accept.
    pub(crate) fn waits_for_answer(&self, kind: Kind) -> bool {
        self.probe(kind)
            .is_some_and(|probe| probe["tcpSocket"].is_null())
    }
}

/// Puts one port in the place of another, wherever the probe names it.
fn renumber(probe: &mut Value, from: u16, to: u16) {
    for handler in ["tcpSocket", "httpGet"] {
        if let Some(port) = probe.pointer_mut(&format!("/{handler}/port"))
            && *port == from
        {
            *port = to.into();
        }
    }
    let number = Regex::new(&format!(r"\b{from}\b")).expect("a pattern");
    let words = probe
        .pointer_mut("/exec/command")
        .and_then(Value::as_array_mut);
    for word in words.into_iter().flatten() {
        let text = word.as_str().unwrap_or_default();
        *word = number.replace_all(text, to.to_string()).into();
    }
}

/// So many ports that nobody listens on.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    // Held until all are known: none comes twice.
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

#[test]
fn ports_are_renumbered_everywhere() {
    let mut probe = json!({
        "exec": {"command": ["sh", "-c", "a -p 5432 15432 x:5432"]},
        "httpGet": {"port": 5432}, "tcpSocket": {"port": 80},
    });
    renumber(&mut probe, 5432, 7);
    assert_eq!(probe["exec"]["command"][2], "a -p 7 15432 x:7");
    assert_eq!(probe["httpGet"]["port"], 7);
    assert_eq!(probe["tcpSocket"]["port"], 80);
}
