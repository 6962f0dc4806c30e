//! A set for each workload of the catalogue: one container that runs it in the way that its entry describes.

use regex::Regex;
use serde_json::{Value, json};
use steadfast::workload::Workload;

/// Versions, one of which each pattern of tags takes.
const VERSIONS: [&str; 9] = [
    "30.1", "18.1", "12.1", "9.9", "3.9", "3.1", "2.7", "1.8", "16.1",
];

/// A set of one replica that runs `workload`, without probes.
pub(crate) fn set(workload: &Workload) -> Value {
    let tags = workload.tags.as_deref();
    let tags = tags.map(|tags| Regex::new(tags).expect("it is one"));
    let fits = |version: &&&str| tags.as_ref().is_none_or(|tags| tags.is_match(version));
    let version = VERSIONS.iter().find(fits).expect("some version fits");
    let image = format!("{}:{version}", workload.images[0]);
    let ports = workload.ports.iter().map(|port| {
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        json!({"name": port.name, "containerPort": port.port, "protocol": protocol})
    });
    let told = workload.role_tokens.iter().take(1);
    let switched_on = workload.enabled_by.iter().take(1);
    let (flags, variables): (Vec<_>, Vec<_>) = told
        .chain(switched_on)
        .partition(|told| told.starts_with('-') || !told.contains('='));
    let args: Vec<_> = flags.iter().flat_map(|flag| flag.split(' ')).collect();
    let env = variables.iter().filter_map(|variable| {
        let (name, value) = variable.split_once('=')?;
        Some(json!({"name": name, "value": if value == "http" { "http://127.0.0.1" } else { value }}))
    });
    let labels = json!({"app": workload.id});
    json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": workload.id},
        "spec": {
            "replicas": 1,
            "serviceName": workload.id,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{
                    "name": "main",
                    "image": image,
                    "args": args,
                    "env": env.collect::<Vec<_>>(),
                    "ports": ports.collect::<Vec<_>>(),
                }]},
            },
        },
    })
}
