//! Which edits authors make: more often those that meet what was injected.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use serde_json::{Value, json};

use super::edit::{Edit, InClaims, InContainer, RECORD};
use super::manifest::{
    ANNOTATIONS, CONTAINERS, IMAGES, PORTS, PROBES, container, mount, numbers, port, probe,
    strategy,
};

/// An edit.
pub(super) fn edit() -> impl Strategy<Value = Edit> {
    let two_at_once = json!({"type": "OnDelete", "rollingUpdate": {"partition": 3}});
    let strategies = prop_oneof![4 => strategy(), 1 => Just(two_at_once)];
    prop_oneof![
        6 => field(),
        3 => option::weighted(0.8, strategies)
            .prop_map(|value| Edit::Field(vec!["spec", "updateStrategy"], value)),
        14 => (0..3usize, in_container()).prop_map(|(index, edit)| Edit::Container(index, edit)),
        1 => (0..3usize, select(CONTAINERS)).prop_map(|(index, name)| Edit::Rename(index, name)),
        1 => container(select(CONTAINERS)).prop_map(Edit::Add),
        1 => (0..3usize).prop_map(Edit::Remove),
        1 => Just(Edit::Reverse),
        2 => in_claims().prop_map(Edit::Claims),
        2 => unknown(),
    ]
}

/// A key that nobody knows, somewhere.
pub(super) fn unknown() -> impl Strategy<Value = Edit> {
    (0..64usize).prop_map(Edit::Unknown)
}

/// A field of the set, and what may be written there.
type Field = (Vec<&'static str>, Vec<Value>);

fn field() -> impl Strategy<Value = Edit> {
    let newer = json!({"version": 9, "injected": []}).to_string();
    let none = json!({"version": 1, "injected": []}).to_string();
    let retention = json!({"whenDeleted": "Delete", "whenScaled": "Retain"});
    let mut fields: Vec<Field> = vec![
        (
            vec!["spec", "serviceName"],
            vec![json!(""), json!("peers"), json!("others")],
        ),
        (vec!["spec", "podManagementPolicy"], vec![json!("Parallel")]),
        (vec!["spec", "replicas"], vec![json!(0), json!(1), json!(3)]),
        (
            vec!["spec", "persistentVolumeClaimRetentionPolicy"],
            vec![retention],
        ),
        (
            vec!["spec", "selector", "matchLabels", "tier"],
            vec![json!("data")],
        ),
        (
            vec!["spec", "template", "metadata", "annotations"],
            vec![json!({"restartedAt": "now"})],
        ),
        (vec!["metadata", "labels"], vec![json!({"team": "a"})]),
        (
            vec!["metadata", "annotations"],
            vec![json!({"example.com/team": "b"})],
        ),
        (RECORD.to_vec(), vec![json!(newer), json!(none), json!("{")]),
    ];
    let annotations = ANNOTATIONS.iter();
    fields.extend(
        annotations.map(|(key, value)| (vec!["metadata", "annotations", key], vec![json!(value)])),
    );
    let edits = fields.into_iter().map(|(path, values)| {
        let value = option::weighted(0.7, select(values));
        value.prop_map(move |value| Edit::Field(path.clone(), value))
    });
    Union::new(edits)
}

fn in_container() -> impl Strategy<Value = InContainer> {
    use InContainer as In;
    let names: Vec<_> = PORTS
        .iter()
        .map(|(name, _)| json!(name))
        .filter(|name| name != "")
        .collect();
    let image = select(IMAGES).prop_map(Value::from);
    let mounts = vec![
        ("data", "/data"),
        ("scratch", "/state"),
        ("state", "/else"),
        ("state", "/state"),
    ];
    let env = vec![
        json!([]),
        json!([{"name": "STATE", "value": "/elsewhere"}]),
        json!([{"name": "STATE", "value": "/state/x"}, {"name": "STATE", "value": "/state/x"}]),
        json!([{"name": "A", "value": "b"}]),
    ];
    prop_oneof![
        2 => image.prop_map(|image| In::Field("image", image)),
        3 => (0..2usize, select(names)).prop_map(|(index, name)| In::Port(index, "name", name)),
        2 => (0..2usize, select(PORTS))
            .prop_map(|(index, (_, number))| In::Port(index, "containerPort", json!(number + 1))),
        1 => (0..2usize).prop_map(|index| In::Port(index, "protocol", json!("UDP"))),
        3 => (0..2usize).prop_map(In::DropPort),
        1 => select(PORTS).prop_map(|(name, number)| In::AddPort(port(name, number))),
        8 => (select(PROBES), probe()).prop_map(|(kind, probe)| In::Field(kind, probe)),
        2 => (select(PROBES), numbers()).prop_map(|(kind, numbers)| In::Numbers(kind, numbers)),
        2 => select(PROBES).prop_map(In::DropProbe),
        2 => select(mounts).prop_map(|(name, at)| In::Mount(mount(name, at))),
        1 => (0..2usize).prop_map(In::Unmount),
        2 => select(env).prop_map(In::Env),
    ]
}

fn in_claims() -> impl Strategy<Value = InClaims> {
    prop_oneof![
        3 => (0..2usize).prop_map(InClaims::Drop),
        1 => Just(InClaims::Reverse),
        1 => (0..2usize).prop_map(InClaims::Grow),
        1 => select(vec!["data", "more"]).prop_map(InClaims::Add),
    ]
}
