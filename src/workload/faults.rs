//! What is wrong with the entries of a catalogue: a wrong probe is an outage.

use std::collections::{BTreeMap, HashMap};

use regex::Regex;

use super::entry::{KnownProbe, Workload};

/// Something wrong with one of several entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The entry's position.
    pub index: usize,
    /// Where in it, as a JSON pointer.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// The longest times that a probe may state, in seconds: beyond them a unit was mistaken.
const LONGEST: u32 = 600;

/// Everything that is wrong with these entries.
#[must_use]
pub fn faults(workloads: &[Workload]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut ids = HashMap::new();
    let mut images: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, workload) in workloads.iter().enumerate() {
        let mut say = |pointer: String, message: String| {
            faults.push(Fault {
                index,
                pointer,
                message,
            });
        };
        if let Some(other) = ids.insert(&*workload.id, index) {
            say(
                "/id".to_owned(),
                format!("`{}` is also entry {}", workload.id, other + 1),
            );
        }
        of_one(workload, &mut say);
        for image in &workload.images {
            images.entry(image).or_default().push(index);
        }
    }
    for (image, holders) in images {
        let told_apart = |index: &usize| {
            let workload = &workloads[*index];
            workload.tags.is_some() || !workload.role_tokens.is_empty()
        };
        if holders.len() > 1 && !holders.iter().all(told_apart) {
            faults.push(Fault {
                index: holders[1],
                pointer: "/images".to_owned(),
                message: format!(
                    "{image} is also an image of `{}`; `tags` or `roleTokens` must tell them apart",
                    workloads[holders[0]].id
                ),
            });
        }
    }
    faults
}

fn of_one(workload: &Workload, say: &mut dyn FnMut(String, String)) {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if workload.id.is_empty() || !workload.id.chars().all(is_plain) {
        say(
            "/id".to_owned(),
            format!(
                "{:?} is no name of lower-case letters, digits and dashes",
                workload.id
            ),
        );
    }
    if workload.images.is_empty() {
        say("/images".to_owned(), "there is none".to_owned());
    }
    for (index, image) in workload.images.iter().enumerate() {
        let is_part = |part: &str| {
            let is_plain =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
            !part.is_empty() && part.chars().all(is_plain)
        };
        let registry = image.split_once('/').map(|(first, _)| first);
        let has_registry =
            registry.is_some_and(|first| first.contains('.') || first == "localhost");
        if has_registry || !image.split('/').all(is_part) {
            say(
                format!("/images/{index}"),
                format!(
                    "{image:?} is no repository without registry and tag, in lower case, such as bitnami/redis"
                ),
            );
        }
    }
    if let Some(error) = workload
        .tags
        .as_deref()
        .and_then(|tags| Regex::new(tags).err())
    {
        say(
            "/tags".to_owned(),
            format!("no regular expression: {error}"),
        );
    }
    for (name, probe) in [
        ("readiness", &workload.readiness),
        ("liveness", &workload.liveness),
        ("startup", &workload.startup),
    ] {
        if let Some(message) = probe.as_ref().and_then(|probe| of_probe(workload, probe)) {
            say(format!("/{name}"), message);
        }
    }
    for (index, port) in workload.ports.iter().enumerate() {
        if port.port == 0 || port.name.is_empty() {
            say(
                format!("/ports/{index}"),
                "expected a name and a number from 1 to 65535".to_owned(),
            );
        }
    }
    for (field, value, allowed) in [
        (
            "podManagementPolicy",
            &workload.pod_management_policy,
            ["OrderedReady", "Parallel"],
        ),
        (
            "updateStrategy",
            &workload.update_strategy,
            ["RollingUpdate", "OnDelete"],
        ),
    ] {
        if let Some(value) = value.as_deref().filter(|value| !allowed.contains(value)) {
            say(
                format!("/{field}"),
                format!("{value:?}; expected {}", allowed.join(" or ")),
            );
        }
    }
    for (index, data) in workload.data.iter().enumerate() {
        let misplaced = data.misplaced.keys().map(|path| ("misplaced", path));
        for (key, path) in misplaced.chain([("mountPath", &data.mount_path)]) {
            if !path.starts_with('/') {
                say(
                    format!("/data/{index}/{key}"),
                    format!("{path:?} does not begin with /"),
                );
            }
        }
    }
}

fn of_probe(workload: &Workload, probe: &KnownProbe) -> Option<String> {
    let handlers = [
        probe.exec.is_some(),
        probe.http_get.is_some(),
        probe.tcp_socket.is_some(),
    ];
    if handlers.into_iter().filter(|is_there| *is_there).count() != 1 {
        let names = ["exec", "httpGet", "tcpSocket"].into_iter().zip(handlers);
        let found: Vec<_> = names
            .filter(|(_, is_there)| *is_there)
            .map(|(name, _)| name)
            .collect();
        let found = if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(" and ")
        };
        return Some(format!(
            "found {found}; expected one of exec, httpGet and tcpSocket"
        ));
    }
    if let Some(exec) = &probe.exec {
        if exec.command.is_empty() {
            return Some("exec has no command".to_owned());
        }
        let shells = ["sh", "bash", "/bin/sh", "/bin/bash"];
        if workload.no_shell && shells.contains(&&*exec.command[0]) {
            return Some("exec asks a shell, which the image has not (noShell)".to_owned());
        }
    }
    if let Some(http) = &probe.http_get {
        if !http.path.starts_with('/') {
            return Some(format!(
                "httpGet path {:?} does not begin with /",
                http.path
            ));
        }
        if !matches!(&*http.scheme, "HTTP" | "HTTPS") {
            return Some(format!(
                "httpGet scheme {:?}; expected HTTP or HTTPS",
                http.scheme
            ));
        }
    }
    if let Some(port) = probe
        .port()
        .filter(|port| !workload.tcp_ports().any(|known| known == *port))
    {
        let known: Vec<_> = workload.tcp_ports().map(|port| port.to_string()).collect();
        let known = if known.is_empty() {
            "it states none".to_owned()
        } else {
            known.join(", ")
        };
        return Some(format!(
            "it asks port {port}, which is not among its TCP ports (`ports`): {known}"
        ));
    }
    let times = [
        ("periodSeconds", probe.period_seconds, 1),
        ("timeoutSeconds", probe.timeout_seconds, 1),
        ("failureThreshold", probe.failure_threshold, 1),
        ("initialDelaySeconds", probe.initial_delay_seconds, 0),
    ];
    times.into_iter().find_map(|(name, value, least)| {
        let most = if name == "failureThreshold" {
            10_000
        } else {
            LONGEST
        };
        (!(least..=most).contains(&value))
            .then(|| format!("{name} is {value}; expected {least} to {most}"))
    })
}
