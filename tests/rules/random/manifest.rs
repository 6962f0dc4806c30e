//! Random manifests, as an author writes them: few names, so that edits meet what is there.

use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// Names of containers; one of them reads like a position.
pub(super) const CONTAINERS: &[&str] = &["app", "db", "web", "0"];

/// Ports by name; no two have one number, since clients tell them by it.
pub(super) const PORTS: &[(&str, u16)] = &[
    ("http", 8080),
    ("client", 5432),
    ("grpc", 9000),
    ("metrics", 9100),
    ("", 7000),
];

/// Every kind of probe.
pub(super) const PROBES: &[&str] = &["readinessProbe", "livenessProbe", "startupProbe"];

const VOLUMES: &[&str] = &["config", "scratch"];
const CLAIMS: &[&str] = &["data", "logs"];
/// One volume is defined nowhere at times, one never.
const MOUNTS: &[(&str, &str)] = &[
    ("data", "/var/lib/db"),
    ("logs", "/var/lib/logs"),
    ("config", "/srv/config"),
    ("lost", "/var/lib/lost"),
];

/// Annotations that an author may write, and values.
pub(super) const ANNOTATIONS: &[(&str, &str)] = &[
    ("example.com/team", "a"),
    ("steadfast.dev/inject", "false"),
    ("steadfast.dev/headless-service", "none"),
    (
        "allow.steadfast.dev/missing-readiness-probe",
        "[app] it is so",
    ),
    ("allow.steadfast.dev/missing-liveness-probe", "it is so"),
    ("allow.steadfast.dev/volatile-data", "it is so"),
    ("allow.steadfast.dev/dangling-volume-mount", "it is so"),
];

/// An object of the parts that are there.
fn object<const N: usize>(parts: [(&str, Option<Value>); N]) -> Value {
    let stated = parts
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(stated.collect())
}

/// A set.
pub(super) fn manifest() -> impl Strategy<Value = Value> {
    let annotations = option::weighted(0.3, annotations());
    let replicas = option::of((0..4).prop_map(Value::from));
    let service = option::weighted(0.4, select(vec![json!(""), json!("peers")]));
    let management = option::weighted(0.2, select(vec![json!("Parallel"), json!("OrderedReady")]));
    let spec = (
        replicas,
        service,
        management,
        option::weighted(0.4, strategy()),
        option::weighted(0.4, claims()),
        pod(),
    );
    (annotations, spec).prop_map(
        |(annotations, (replicas, service, management, strategy, claims, pod))| {
            let spec = object([
                ("replicas", replicas),
                ("serviceName", service),
                ("podManagementPolicy", management),
                ("updateStrategy", strategy),
                ("selector", Some(json!({"matchLabels": {"app": "db"}}))),
                (
                    "template",
                    Some(json!({"metadata": {"labels": {"app": "db"}}, "spec": pod})),
                ),
                ("volumeClaimTemplates", claims),
            ]);
            let metadata = object([("name", Some(json!("db"))), ("annotations", annotations)]);
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": spec})
        },
    )
}

fn annotations() -> impl Strategy<Value = Value> {
    subsequence(ANNOTATIONS, 1..3).prop_map(|pairs| {
        let pairs = pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), json!(value)));
        Value::Object(pairs.collect())
    })
}

/// An update strategy.
pub(super) fn strategy() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"type": "OnDelete"}),
        json!({"type": "OnDelete"}),
        json!({"type": "RollingUpdate"}),
        json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}),
        json!({"rollingUpdate": {"partition": 0, "maxUnavailable": 1}}),
        json!({}),
    ])
}

fn claims() -> impl Strategy<Value = Value> {
    subsequence(CLAIMS, 0..=CLAIMS.len())
        .prop_map(|names| names.into_iter().map(|name| claim(name, "1Gi")).collect())
}

/// A claim template.
pub(super) fn claim(name: &str, size: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}}}})
}

fn pod() -> impl Strategy<Value = Value> {
    let containers = subsequence(CONTAINERS, 1..=3).prop_flat_map(|names| {
        let containers = names.into_iter().map(|name| container(Just(name)).boxed());
        containers.collect::<Vec<_>>()
    });
    let inits = subsequence(vec!["setup", "proxy"], 0..=2).prop_map(|names| {
        let native = |name| json!({"name": name, "image": "i", "restartPolicy": "Always", "ports": [{"containerPort": 15020}]});
        let plain = |name| json!({"name": name, "image": "i", "volumeMounts": [mount("data", "/data")]});
        let inits = names.into_iter().map(|name| if name == "proxy" { native(name) } else { plain(name) });
        inits.collect()
    });
    let volumes = subsequence(VOLUMES, 0..=VOLUMES.len()).prop_map(|names| {
        let volumes = names
            .into_iter()
            .map(|name| json!({"name": name, "emptyDir": {}}));
        volumes.collect()
    });
    (
        containers,
        option::weighted(0.3, inits),
        option::weighted(0.3, volumes),
    )
        .prop_map(|(containers, inits, volumes)| {
            object([
                ("initContainers", inits),
                ("containers", Some(Value::Array(containers))),
                ("volumes", volumes),
            ])
        })
}

/// Images, of which nothing is known, or how they are asked: a page, a command, a port, and never whether they live.
pub(super) const IMAGES: &[&str] = &[
    "example.com/app:1",
    "example.com/app:2",
    "minio/minio:1",
    "jenkins/jenkins:2",
    "mariadb:11",
    "elasticsearch:8",
];

/// A container of one of these names.
pub(super) fn container(name: impl Strategy<Value = &'static str>) -> impl Strategy<Value = Value> {
    let probes = btree_map(select(PROBES), probe(), 0..2);
    let ports = subsequence(PORTS, 0..=2)
        .prop_map(|ports| ports.into_iter().map(|(name, number)| port(name, number)));
    let mounts = subsequence(MOUNTS, 0..=2)
        .prop_map(|mounts| mounts.into_iter().map(|(name, at)| mount(name, at)));
    let mounts = option::of(mounts.prop_map(Iterator::collect));
    (
        name,
        prop_oneof![3 => Just(IMAGES[0]), 2 => select(IMAGES)],
        option::weighted(0.9, ports.prop_map(Iterator::collect)),
        mounts,
        probes,
    )
        .prop_map(|(name, image, ports, mounts, probes)| {
            let mut container = object([
                ("name", Some(json!(name))),
                ("image", Some(json!(image))),
                ("ports", ports),
                ("volumeMounts", mounts),
            ]);
            for (kind, probe) in probes {
                container[kind] = probe;
            }
            container
        })
}

/// A declared port, with or without a name.
pub(super) fn port(name: &str, number: u16) -> Value {
    let name = Some(name).filter(|name| !name.is_empty()).map(Value::from);
    object([("name", name), ("containerPort", Some(number.into()))])
}

/// A mount.
pub(super) fn mount(name: &str, at: &str) -> Value {
    json!({"name": name, "mountPath": at})
}

/// A probe, whole: one handler, and some numbers, ours among them.
pub(super) fn probe() -> impl Strategy<Value = Value> {
    let handlers = vec![
        json!({"exec": {"command": ["up"]}}),
        json!({"grpc": {"port": 9000}}),
        json!({"httpGet": {"path": "/up", "port": "http"}}),
        json!({"httpGet": {"path": "/up", "port": 8080}}),
        json!({"tcpSocket": {"port": "client"}}),
        json!({"tcpSocket": {"port": 7000}}),
    ];
    (select(handlers), numbers()).prop_map(|(mut probe, numbers)| {
        for (key, number) in numbers {
            probe[key] = number;
        }
        probe
    })
}

/// Some numbers of a probe.
pub(super) fn numbers() -> impl Strategy<Value = Map<String, Value>> {
    let all = [
        ("periodSeconds", 20),
        ("timeoutSeconds", 5),
        ("failureThreshold", 6),
        ("initialDelaySeconds", 30),
    ];
    subsequence(all.to_vec(), 0..3).prop_map(|numbers| {
        let numbers = numbers
            .into_iter()
            .map(|(key, number)| (key.to_owned(), json!(number)));
        numbers.collect()
    })
}
