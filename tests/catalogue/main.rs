//! The catalogue against what authors wrote: their own probes are taken out of every manifest that lies beside the repository,
//! and what is injected in their stead is compared with them.
//!
//! `differences.tsv` lists every difference in handler or port, each judged by reading. `UPDATE=1` writes it anew, and keeps
//! what was judged.

mod claims;
#[path = "../common/mod.rs"]
mod common;
mod entries;
mod judged;
#[path = "../common/running.rs"]
mod running;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use steadfast::admission;
use steadfast::cluster::Manifests;
use steadfast::policy::PolicySet;

use common::fixtures;
use judged::Judged;

const FIELDS: [&str; 3] = ["readinessProbe", "livenessProbe", "startupProbe"];

/// What the list says above itself.
const HEAD: &str = "# manifest\tset\tcontainer\tprobe\tauthor\tinjected\tjudged\n";

/// How a probe asks, in few words.
fn asks(probe: &Value, container: &Value) -> String {
    let number = |port: &Value| match port {
        Value::String(name) => {
            let ports = container["ports"].as_array().into_iter().flatten();
            let mut named = ports.filter(|port| port["name"] == name.as_str());
            let declared = named.next().map(|port| port["containerPort"].to_string());
            declared.unwrap_or_else(|| name.clone())
        }
        port => port.to_string(),
    };
    for handler in ["httpGet", "tcpSocket", "grpc"] {
        let asked = &probe[handler];
        if !asked.is_null() {
            let path = asked["path"].as_str().unwrap_or_default();
            return format!("{handler} {}{path}", number(&asked["port"]));
        }
    }
    let command = probe["exec"]["command"].as_array().into_iter().flatten();
    let words: Vec<_> = command.filter_map(Value::as_str).collect();
    if words.is_empty() {
        return "none".to_owned();
    }
    let words = words
        .join(" ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    format!("exec {}", words.chars().take(100).collect::<String>())
}

fn containers(set: &Value) -> Vec<Value> {
    let list = set.pointer("/spec/template/spec/containers");
    list.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The set without a probe in any container.
fn stripped(set: &Value) -> Value {
    let mut set = set.clone();
    let list = set.pointer_mut("/spec/template/spec/containers");
    for container in list.and_then(Value::as_array_mut).into_iter().flatten() {
        for field in FIELDS {
            container
                .as_object_mut()
                .expect("a container")
                .remove(field);
        }
    }
    set
}

/// Every probe of every container of a set: the author's, and ours in its stead.
fn compared(fixture: &fixtures::Fixture) -> Vec<(String, String, String)> {
    let mut cluster = Manifests::new(true);
    for object in &fixture.beside {
        // What is no object of ours to read says nothing.
        let _ = cluster.add(object, "default");
    }
    let bare = stripped(&fixture.object);
    let verdict = admission::admit(&PolicySet::built_in(), &cluster, "default", &bare, None);
    // A template that is filled in by something else: no API server would read it.
    let Ok(verdict) = verdict else {
        return Vec::new();
    };
    let repaired = verdict.patched.unwrap_or(bare);
    let pairs = containers(&fixture.object)
        .into_iter()
        .zip(containers(&repaired));
    let mut all = Vec::new();
    for (theirs, ours) in pairs {
        for field in FIELDS {
            let place = format!("{}\t{field}", theirs["name"].as_str().unwrap_or_default());
            all.push((
                place,
                asks(&theirs[field], &theirs),
                asks(&ours[field], &ours),
            ));
        }
    }
    all
}

#[test]
fn what_is_injected_asks_as_authors_do() {
    let mut judged = Judged::read("tests/catalogue/differences.tsv", HEAD);
    let corpus = fixtures::in_manifests("../shared/corpus");
    if corpus.is_empty() {
        return;
    }
    let mut injections = String::new();
    for fixture in &corpus {
        let set = fixture.object["metadata"]["name"]
            .as_str()
            .unwrap_or_default();
        let manifest = fixture.name.rsplit('/').next().unwrap_or_default();
        for (place, theirs, ours) in compared(fixture) {
            let _ = writeln!(injections, "{manifest}\t{set}\t{place}\t{theirs}\t{ours}");
            if ours == "none" || theirs == "none" || ours == theirs {
                continue;
            }
            let line = format!("{manifest}\t{set}\t{place}\t{theirs}\t{ours}");
            judged.add(&line);
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        fs::write(root.join("target/injections.tsv"), &injections).expect("a file");
    }
    judged.settle();
}
