//! How clients deliver an author's edits: as the whole manifest, laid over what is stored, or made in what is stored.

use serde_json::{Map, Value, json};

/// A way of delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Delivery {
    /// `kubectl replace`, and operators: nothing but the manifest.
    Put,
    /// `kubectl apply`: what changed since the last manifest, laid over what is stored; the manifest comes along as an
    /// annotation.
    Apply,
    /// The same by the server, who keeps account of what the author owns.
    ServerSideApply,
    /// Helm 3: as apply, and without a trace.
    Merge,
    /// `kubectl edit`: the stored set, edited.
    Edit,
}

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Delivery {
    /// Whether the request shows what the author left out.
    pub(super) fn leaves_a_trace(self) -> bool {
        matches!(self, Self::Apply | Self::ServerSideApply)
    }

    /// The request for the author's manifest `now`, who applied `before` last, over the `stored` set.
    pub(super) fn request(self, now: &Value, before: &Value, stored: &Value) -> Value {
        let mut request = match self {
            Self::Put => now.clone(),
            Self::Edit => stored.clone(),
            Self::Apply | Self::ServerSideApply | Self::Merge => merged(stored, before, now),
        };
        let metadata = request["metadata"]
            .as_object_mut()
            .expect("a set has metadata");
        metadata.shift_remove("managedFields");
        let (manager, operation) = match self {
            Self::Apply => ("kubectl-client-side-apply", "Update"),
            Self::ServerSideApply => ("kubectl", "Apply"),
            _ => return request,
        };
        let fields = json!([{"manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": owned(now)}]);
        metadata.insert("managedFields".to_owned(), fields);
        if self == Self::Apply {
            metadata.entry("annotations").or_insert_with(|| json!({}))[LAST_APPLIED] =
                now.to_string().into();
        }
        request
    }
}

/// What tells the items of a list from each other; none where the list is one value.
fn key(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "volumes" | "env" => Some("name"),
        "ports" => Some("containerPort"),
        "volumeMounts" => Some("mountPath"),
        _ => None,
    }
}

/// The live object with the author's edits: what was in the manifest `before` and is not `now` is taken away, and `now` is
/// laid over the rest.
fn merged(live: &Value, before: &Value, now: &Value) -> Value {
    let (Value::Object(live), Value::Object(now)) = (live, now) else {
        return now.clone();
    };
    let mut all = live.clone();
    all.retain(|field, _| now.contains_key(field) || before.get(field).is_none());
    for (field, now) in now {
        let (live, before) = (&live.get(field).unwrap_or(&Value::Null), &before[field]);
        let value = match key(field) {
            Some(key) if live.is_array() && now.is_array() => merged_lists(live, before, now, key),
            _ => merged(live, before, now),
        };
        all.insert(field.clone(), value);
    }
    Value::Object(all)
}

fn merged_lists(live: &Value, before: &Value, now: &Value, key: &str) -> Value {
    fn find<'v>(list: &'v Value, key: &str, like: &Value) -> Option<&'v Value> {
        let mut items = list.as_array()?.iter();
        items.find(|item| item[key] == like[key])
    }
    let items = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let stated = items(now).into_iter().map(|item| {
        let others = (find(live, key, &item), find(before, key, &item));
        let (live, before) = (others.0.unwrap_or(&Value::Null), others.1);
        merged(live, before.unwrap_or(&Value::Null), &item)
    });
    let others = items(live)
        .into_iter()
        .filter(|item| find(now, key, item).is_none() && find(before, key, item).is_none());
    stated.chain(others).collect()
}

/// The fields of a manifest, as managedFields name them.
fn owned(value: &Value) -> Value {
    let Value::Object(map) = value else {
        return json!({});
    };
    let fields = map.iter().map(|(field, value)| {
        let below = match (key(field), value) {
            (Some("name"), Value::Array(items)) => {
                let items = items.iter();
                let named =
                    items.map(|item| (format!("k:{}", json!({"name": item["name"]})), owned(item)));
                Value::Object(named.collect())
            }
            _ => owned(value),
        };
        (format!("f:{field}"), below)
    });
    Value::Object(fields.collect::<Map<_, _>>())
}
