//! Edits of a set as data, so that a life that breaks a law can be made shorter.

use serde_json::{Map, Value, json};

use super::manifest::claim;

/// An edit. What it is about is counted off in what is there; where nothing is, nothing is done.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// A field of the set is written, or left out.
    Field(Vec<&'static str>, Option<Value>),
    /// A container proper is edited.
    Container(usize, InContainer),
    /// A container proper gets another name, unless one has it.
    Rename(usize, &'static str),
    /// A container comes at the end, unless one has its name.
    Add(Value),
    /// A container proper goes, unless it is the last.
    Remove(usize),
    /// The containers stand the other way round.
    Reverse,
    /// The list of claim templates is edited.
    Claims(InClaims),
    /// An object gets a key that nobody knows.
    Unknown(usize),
}

/// An edit of a container.
#[derive(Clone, Debug)]
pub(super) enum InContainer {
    /// A field is written.
    Field(&'static str, Value),
    /// A field of a declared port is written.
    Port(usize, &'static str, Value),
    /// A port is declared no longer.
    DropPort(usize),
    /// A port is declared.
    AddPort(Value),
    /// Numbers are written into a probe, whether there is one or not.
    Numbers(&'static str, Map<String, Value>),
    /// A probe goes.
    DropProbe(&'static str),
    /// A volume is mounted.
    Mount(Value),
    /// A mount goes.
    Unmount(usize),
    /// The environment is written.
    Env(Value),
}

/// An edit of the list of claim templates.
#[derive(Clone, Debug)]
pub(super) enum InClaims {
    Drop(usize),
    Reverse,
    Grow(usize),
    Add(&'static str),
}

/// The annotation that says what was injected.
pub(super) const RECORD: &[&str] = &["metadata", "annotations", "steadfast.dev/injected"];

impl Edit {
    /// Carries the edit out.
    pub(super) fn apply(&self, set: &mut Value) {
        let pod = &mut set["spec"]["template"]["spec"];
        let is_taken = |containers: &[Value], name: &Value| {
            containers
                .iter()
                .any(|container| container["name"] == *name)
        };
        match self {
            Self::Field(path, value) => write(set, path, value.as_ref()),
            Self::Container(index, edit) => {
                let containers = list(pod, "containers");
                let index = index % containers.len();
                edit.apply(&mut containers[index]);
            }
            Self::Rename(index, name) => {
                let containers = list(pod, "containers");
                if !is_taken(containers, &json!(name)) {
                    let index = index % containers.len();
                    containers[index]["name"] = json!(name);
                }
            }
            Self::Add(container) => {
                let containers = list(pod, "containers");
                if !is_taken(containers, &container["name"]) {
                    containers.push(container.clone());
                }
            }
            Self::Remove(index) => {
                let containers = list(pod, "containers");
                if containers.len() > 1 {
                    containers.remove(index % containers.len());
                }
            }
            Self::Reverse => list(pod, "containers").reverse(),
            Self::Claims(edit) => edit.apply(list(&mut set["spec"], "volumeClaimTemplates")),
            Self::Unknown(index) => {
                let mut objects = Vec::new();
                objects_of(set, String::new(), &mut objects);
                let at = &objects[index % objects.len()];
                if let Some(object) = set.pointer_mut(at) {
                    object["fromTheFuture"] = json!({"deep": [1, null, {"name": ""}]});
                }
            }
        }
    }
}

impl InContainer {
    fn apply(&self, container: &mut Value) {
        match self {
            Self::Field(key, value) => container[*key] = value.clone(),
            Self::Port(index, key, value) => {
                if let Some(port) = nth(list(container, "ports"), *index) {
                    port[*key] = value.clone();
                }
            }
            Self::DropPort(index) => drop_nth(list(container, "ports"), *index),
            Self::AddPort(port) => list(container, "ports").push(port.clone()),
            Self::Numbers(kind, numbers) => {
                for (key, number) in numbers {
                    container[*kind][key] = number.clone();
                }
            }
            Self::DropProbe(kind) => drop(
                container
                    .as_object_mut()
                    .and_then(|all| all.shift_remove(*kind)),
            ),
            Self::Mount(mount) => list(container, "volumeMounts").push(mount.clone()),
            Self::Unmount(index) => drop_nth(list(container, "volumeMounts"), *index),
            Self::Env(env) => container["env"] = env.clone(),
        }
    }
}

impl InClaims {
    fn apply(&self, claims: &mut Vec<Value>) {
        match self {
            Self::Drop(index) => drop_nth(claims, *index),
            Self::Reverse => claims.reverse(),
            Self::Grow(index) => {
                if let Some(claim) = nth(claims, *index) {
                    claim["spec"]["resources"]["requests"]["storage"] = json!("9Gi");
                }
            }
            Self::Add(name) => claims.push(claim(name, "1Gi")),
        }
    }
}

fn nth(list: &mut [Value], index: usize) -> Option<&mut Value> {
    let count = list.len().max(1);
    list.get_mut(index % count)
}

fn drop_nth(list: &mut Vec<Value>, index: usize) {
    if !list.is_empty() {
        list.remove(index % list.len());
    }
}

/// The list under a key; an empty one is made where none is.
fn list<'v>(object: &'v mut Value, key: &str) -> &'v mut Vec<Value> {
    if object[key].is_null() {
        object[key] = json!([]);
    }
    object[key].as_array_mut().expect("a list")
}

fn write(set: &mut Value, path: &[&str], value: Option<&Value>) {
    let (last, above) = path.split_last().expect("a field has a name");
    if let Some(value) = value {
        above.iter().fold(set, |at, key| &mut at[*key])[*last] = value.clone();
        return;
    }
    let object = above.iter().try_fold(set, |at, key| at.get_mut(*key));
    if let Some(object) = object.and_then(Value::as_object_mut) {
        object.shift_remove(*last);
    }
}

/// The pointers to all objects that are no maps of strings.
fn objects_of(value: &Value, at: String, found: &mut Vec<String>) {
    let strings = [
        "labels",
        "annotations",
        "matchLabels",
        "requests",
        "managedFields",
    ];
    match value {
        Value::Object(map) => {
            for (key, value) in map
                .iter()
                .filter(|(key, _)| !strings.contains(&key.as_str()))
            {
                objects_of(value, format!("{at}/{key}"), found);
            }
            found.push(at);
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                objects_of(item, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}
