//! serde_json has marks of its own, keys that nobody else should use, and takes text below one for JSON to be parsed anew.
//! Whoever writes them into an object gets them back as they are, and nests nothing with them.

use serde_json::{Value, json};
use steadfast::admission::{Answer, handle};
use steadfast::policy::PolicySet;

use crate::common::RECORD;
use crate::common::lawful::{PHASES, lawful};
use crate::reviews::{BARE, bare_cluster, create, review};

/// The key of the mark that `serde_json::value::RawValue` leaves.
const MARK: &str = "$serde_json::private::RawValue";

/// Deep enough to overflow any stack there is, were it parsed; escaped so that each level adds little.
fn nested() -> String {
    let (open, close) = ("[".repeat(100), "]".repeat(100));
    let mut text = "1".to_owned();
    for _ in 0..150 {
        let escaped = text.replace('\\', "\\u005c").replace('"', "\\u0022");
        text = format!("{open}{{\"{MARK}\":\"{escaped}\"}}{close}");
    }
    text
}

/// A map that serde_json would take for the text in it.
fn marked() -> Value {
    json!({ MARK: nested() })
}

/// Each part of a set that is the user's, whatever it holds.
fn parts() -> Vec<Value> {
    let mut parts = Vec::new();
    let mut with = |pointer: &str, value: Value| {
        let mut set = create(BARE)["request"]["object"].take();
        set["metadata"]["annotations"] = json!({});
        set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}}]);
        let (above, key) = pointer.rsplit_once('/').expect("a pointer");
        let key = key.replace("~1", "/");
        set.pointer_mut(above).expect("it is there")[key] = value;
        parts.push(set);
    };
    with("/metadata/annotations", marked());
    with("/metadata/labels", marked());
    with("/metadata/managedFields", json!([{"fieldsV1": marked()}]));
    with("/spec/template/spec/nodeSelector", marked());
    with(
        "/spec/template/spec/volumes",
        json!([{"name": "a", "csi": {"volumeAttributes": marked()}}]),
    );
    with("/spec/volumeClaimTemplates/0/spec", marked());
    for requests in [marked(), json!({"storage": marked()})] {
        with(
            "/spec/volumeClaimTemplates/0/spec",
            json!({"resources": {"requests": requests}}),
        );
    }
    with("/spec/selector/matchExpressions", json!([marked()]));
    let manifest = json!({"metadata": {"labels": marked()}}).to_string();
    with(
        "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
        manifest.into(),
    );
    let record = json!({"version": 1, "injected": [{"rule": "a", "path": "spec.serviceName", "value": marked()}]});
    with(RECORD, record.to_string().into());
    parts
}

/// The answers in both phases.
fn ask(question: &Value) -> [Answer; 2] {
    PHASES.map(|phase| {
        let (policies, cluster) = (PolicySet::built_in(), bare_cluster());
        let answer = handle(phase, &policies, &cluster, question.to_string().as_bytes());
        answer.unwrap_or_else(|error| panic!("{error}"))
    })
}

#[test]
fn nothing_is_nested_with_them() {
    let bare = create(BARE)["request"]["object"].take();
    for set in parts() {
        for question in [
            review("CREATE", &set, &Value::Null),
            review("UPDATE", &set, &bare),
            review("UPDATE", &bare, &set),
        ] {
            let [_, validated] = ask(&question);
            assert!(!validated.judged.is_empty(), "it is judged");
        }
    }
}

#[test]
fn they_are_what_they_say() {
    let mut question = create(BARE);
    question["request"]["object"]["metadata"]["annotations"] = json!({MARK: "{\"a\":\"b\"}"});
    let [mutated, _] = ask(&question);
    assert!(mutated.patched);
    lawful(PHASES[0], &question, &mutated).expect("the record is added beside it");
}
