//! Who is taken for the author of a field.

use serde_json::json;

use super::super::view::StatefulSet;
use super::*;

const STRATEGY: &[&str] = &["spec", "updateStrategy"];

fn of(metadata: &Value) -> Author {
    let text = json!({ "metadata": metadata }).to_string();
    let set = StatefulSet::parse(&text).expect("a set");
    Ownership::of(&set.metadata).author(STRATEGY)
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
    Ownership::of(&set.metadata).is_left_out(&probe.clone().key("period"), &probe.key("httpGet"))
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
