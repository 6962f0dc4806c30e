//! Who wrote a field: the user, or the API server that filled in a default.
//!
//! Both read the same in the object, and nearly everywhere that is right. Where it matters, `metadata.managedFields` and
//! kubectl's last-applied annotation tell, for the clients that leave such a trace. Neither is a security input.

use serde::Deserialize;
use serde_json::Value;

use super::view::ObjectMeta;
use super::{Path, Segment, json};

/// Who wrote a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Author {
    /// The user.
    User,
    /// Nobody: the user left it out, and the API server filled it in.
    Server,
    /// It cannot be told; to be treated as the user's.
    Unknown,
}

/// Who wrote the field at `keys`, on CREATE.
///
/// A server-side apply owns just what the user wrote. A client-side apply leaves the manifest in an annotation; the
/// annotation alone could be a copy of another object's, so its manager must have written this one. Every other client
/// owns the defaults too, and nothing can be told.
#[must_use]
pub fn author(metadata: &ObjectMeta<'_>, keys: &[&'static str]) -> Author {
    let Some(managers) = managers(metadata) else {
        return Author::Unknown;
    };
    if managers.iter().all(|manager| manager.operation == "Apply") {
        let at = Path::of(keys);
        let owned = managers
            .iter()
            .any(|manager| reaches(&manager.fields, at.segments()));
        return if owned { Author::User } else { Author::Server };
    }
    let applied = managers
        .iter()
        .all(|manager| manager.manager == KUBECTL_APPLY);
    match metadata.annotations.last_applied.filter(|_| applied) {
        Some(raw) => last_applied(raw.text(), &Path::of(keys)),
        None => Author::Unknown,
    }
}

/// Whether it is shown that whoever wrote the field at `beside` left out the one at `at`, on UPDATE.
///
/// That nobody owns a field shows it only of a server-side apply: every other client owns what it changed, and a value that
/// was there already is not changed by writing it once more. kubectl's annotation tells what was written all the same.
#[must_use]
pub fn is_left_out(metadata: &ObjectMeta<'_>, at: &Path, beside: &Path) -> bool {
    let Some(managers) = managers(metadata) else {
        return false;
    };
    let owns = |manager: &Manager, at: &Path| reaches(&manager.fields, at.segments());
    if managers.iter().any(|manager| owns(manager, at)) {
        return false;
    }
    let mut authors = managers.iter().filter(|manager| owns(manager, beside));
    authors.any(|author| match (&*author.operation, &*author.manager) {
        ("Apply", _) => true,
        (_, KUBECTL_APPLY) => metadata.annotations.last_applied.is_some_and(|raw| {
            last_applied(raw.text(), beside) == Author::User
                && last_applied(raw.text(), at) == Author::Server
        }),
        _ => false,
    })
}

/// Whether anybody applies the object server-side.
#[must_use]
pub fn is_applied_server_side(metadata: &ObjectMeta<'_>) -> bool {
    let managers = managers(metadata).unwrap_or_default();
    managers.iter().any(|manager| manager.operation == "Apply")
}

/// Whether it is shown that the user wrote the field at `at`, or something in it: a server-side apply owns it, or kubectl's
/// manifest has it.
#[must_use]
pub fn is_written(metadata: &ObjectMeta<'_>, at: &Path) -> bool {
    let managers = managers(metadata).unwrap_or_default();
    let applied = managers
        .iter()
        .any(|manager| manager.operation == "Apply" && reaches(&manager.fields, at.segments()));
    let by_kubectl = managers
        .iter()
        .any(|manager| manager.manager == KUBECTL_APPLY);
    applied
        || by_kubectl
            && metadata
                .annotations
                .last_applied
                .is_some_and(|raw| last_applied(raw.text(), at) == Author::User)
}

/// Whether any manager owns the field at `at`: it was written by a user, or filled in for a client that says nothing about
/// what it wrote. Where nothing is known of managers it is taken for owned.
#[must_use]
pub fn is_owned(metadata: &ObjectMeta<'_>, at: &Path) -> bool {
    match managers(metadata) {
        Some(managers) => managers
            .iter()
            .any(|manager| reaches(&manager.fields, at.segments())),
        None => true,
    }
}

/// Whether a `fieldsV1` set names the field or anything in it. A list's item is named by its key, such as
/// `k:{"name":"web"}`.
fn reaches(fields: &Value, segments: &[Segment]) -> bool {
    let Some((first, rest)) = segments.split_first() else {
        return true;
    };
    let below = match first {
        Segment::Key(key) => fields.get(format!("f:{key}")),
        Segment::Item { name, .. } => name.as_ref().and_then(|name| {
            let key = serde_json::json!({ "name": name });
            fields.get(format!("k:{key}"))
        }),
    };
    below.is_some_and(|below| reaches(below, rest))
}

/// What kubectl's client-side apply calls itself.
const KUBECTL_APPLY: &str = "kubectl-client-side-apply";

#[derive(Deserialize)]
struct Manager {
    #[serde(default)]
    manager: String,
    #[serde(default)]
    operation: String,
    #[serde(default, rename = "fieldsV1", deserialize_with = "json::plain")]
    fields: Value,
}

/// The managers, where there are any.
fn managers(metadata: &ObjectMeta<'_>) -> Option<Vec<Manager>> {
    let raw = metadata.managed_fields?;
    let managers = serde_json::from_str::<Option<Vec<Manager>>>(raw.text());
    managers.ok()?.filter(|managers| !managers.is_empty())
}

fn last_applied(raw: &str, at: &Path) -> Author {
    let manifest = serde_json::from_str::<String>(raw).ok();
    let manifest: Option<Value> = manifest.and_then(|text| json::read(&text).ok());
    match manifest
        .as_ref()
        .map(|manifest| find(manifest, at.segments()))
    {
        None => Author::Unknown,
        Some(None | Some(Value::Null)) => Author::Server,
        Some(Some(_)) => Author::User,
    }
}

/// The value in a manifest, its list items found by name.
fn find<'v>(here: &'v Value, segments: &[Segment]) -> Option<&'v Value> {
    let Some((first, rest)) = segments.split_first() else {
        return Some(here);
    };
    let below = match first {
        Segment::Key(key) => here.get(key.as_ref())?,
        Segment::Item { name, .. } => {
            let mut items = here.as_array()?.iter();
            items.find(|item| item["name"].as_str() == name.as_deref())?
        }
    };
    find(below, rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::view::StatefulSet;
    use super::*;

    const STRATEGY: &[&str] = &["spec", "updateStrategy"];

    fn of(metadata: &Value) -> Author {
        let text = json!({ "metadata": metadata }).to_string();
        author(
            &StatefulSet::parse(&text).expect("a set").metadata,
            STRATEGY,
        )
    }

    fn manager(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[test]
    fn server_side_apply_owns_what_the_user_wrote() {
        let wrote = json!({"f:spec": {"f:updateStrategy": {"f:type": {}}}});
        assert_eq!(
            of(&json!({"managedFields": [manager("kubectl", "Apply", &wrote)]})),
            Author::User
        );
        let left_out = json!({"f:spec": {"f:replicas": {}}});
        assert_eq!(
            of(&json!({"managedFields": [manager("helm", "Apply", &left_out)]})),
            Author::Server
        );
    }

    #[test]
    fn client_side_apply_left_the_manifest() {
        let owned = json!({"f:spec": {"f:updateStrategy": {}}});
        let with = |by: &str, manifest: &str| {
            of(&json!({
                "managedFields": [manager(by, "Update", &owned)],
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": manifest},
            }))
        };
        assert_eq!(
            with("kubectl-client-side-apply", r#"{"spec":{}}"#),
            Author::Server
        );
        assert_eq!(
            with(
                "kubectl-client-side-apply",
                r#"{"spec":{"updateStrategy":{}}}"#
            ),
            Author::User
        );
        assert_eq!(
            with("kubectl-create", r#"{"spec":{}}"#),
            Author::Unknown,
            "a copied annotation proves nothing"
        );
        assert_eq!(with("kubectl-client-side-apply", "{"), Author::Unknown);
    }

    fn left_out(metadata: &Value) -> bool {
        let probe = Path::of(&["spec", "containers"])
            .item(0, Some("web".into()))
            .key("probe");
        let text = json!({ "metadata": metadata }).to_string();
        let set = StatefulSet::parse(&text).expect("a set");
        is_left_out(
            &set.metadata,
            &probe.clone().key("period"),
            &probe.key("httpGet"),
        )
    }

    fn fields(probe: &Value) -> Value {
        json!({"f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {"f:probe": probe}}}})
    }

    #[test]
    fn who_applies_leaves_out_what_nobody_owns() {
        let wrote = fields(&json!({"f:httpGet": {"f:port": {}}}));
        let both = fields(&json!({"f:httpGet": {"f:port": {}}, "f:period": {}}));
        let by = |operation: &str, fields: &Value| json!({"managedFields": [manager("helm", operation, fields)]});
        assert!(left_out(&by("Apply", &wrote)));
        assert!(!left_out(&by("Apply", &both)), "it is the user's");
        assert!(
            !left_out(&by("Update", &wrote)),
            "what was there already is not changed by writing it"
        );
        assert!(!left_out(&json!({})));
    }

    #[test]
    fn the_manifest_in_the_annotation_tells_what_was_left_out() {
        let wrote = fields(&json!({"f:httpGet": {"f:port": {}}}));
        let with = |probe: &Value| {
            let manifest =
                json!({"spec": {"containers": [{"name": "web", "probe": probe}]}}).to_string();
            left_out(&json!({
                "managedFields": [manager("kubectl-client-side-apply", "Update", &wrote)],
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": manifest},
            }))
        };
        assert!(with(&json!({"httpGet": {"port": 1}})));
        assert!(!with(&json!({"httpGet": {"port": 1}, "period": 20})));
        assert!(
            !with(&json!({"exec": {}})),
            "another manifest than that of this request"
        );
    }

    #[test]
    fn without_a_trace_nothing_is_told() {
        assert_eq!(of(&json!({})), Author::Unknown);
        assert_eq!(of(&json!({"managedFields": []})), Author::Unknown);
        assert_eq!(
            of(&json!({"managedFields": [manager("helm", "Update", &json!({}))]})),
            Author::Unknown
        );
    }
}
