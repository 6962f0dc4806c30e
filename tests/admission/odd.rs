//! Reviews that are right, of objects that are odd: what cannot be judged is allowed, with one warning that names the place.

use serde_json::{Value, json};
use steadfast::admission::{Answer, Phase, handle};
use steadfast::policy::PolicySet;

use crate::common::lawful::{PHASES, lawful};
use crate::reviews::{BARE, DENIED, bare_cluster, create, own, review};

/// The answer to a body, and its response; lawful where the question can be compared.
fn ask(phase: Phase, text: &str) -> (Answer, Value) {
    let answer = handle(
        phase,
        &PolicySet::built_in(),
        &bare_cluster(),
        text.as_bytes(),
    );
    let answer = answer.unwrap_or_else(|error| panic!("{error}: {text:.300}"));
    if let Ok(question) = serde_json::from_str::<Value>(text) {
        lawful(phase, &question, &answer).unwrap_or_else(|law| panic!("{law}: {text:.300}"));
    }
    let mut body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    (answer, body["response"].take())
}

fn with(pointer: &str, value: Value) -> String {
    let mut review = create(BARE);
    *review.pointer_mut(pointer).expect("it is there") = value;
    review.to_string()
}

/// Checks that both phases allow an object unjudged, with one warning that holds `words`.
#[track_caller]
fn unjudged(text: &str, words: &str) {
    for phase in PHASES {
        let (answer, response) = ask(phase, text);
        let warnings: Vec<_> = response["warnings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        assert!(
            answer.allowed && !answer.patched && warnings.len() == 1,
            "{response}"
        );
        assert!(
            warnings[0].contains(words),
            "{words:?} is not in {warnings:?}"
        );
        assert_eq!(response["uid"], "705ab4f5-6393-11e8-b7cc-42010a800002");
    }
}

/// Checks that both phases let it pass without a word.
#[track_caller]
fn passes(text: &str) {
    for phase in PHASES {
        let (_, response) = ask(phase, text);
        assert_eq!(response, json!({"uid": response["uid"], "allowed": true}));
    }
}

#[test]
fn an_unreadable_object_is_allowed_with_its_place() {
    const POD: &str = "/request/object/spec/template/spec";
    unjudged(
        &with("/request/object/spec", json!(3)),
        "object.spec: invalid type",
    );
    unjudged(&with("/request/object", json!([])), "object: invalid type");
    unjudged(
        &with("/request/object", json!("set")),
        "object: invalid type",
    );
    unjudged(
        &with("/request/object/spec/selector", json!({"matchLabels": []})),
        "object.spec.selector.matchLabels: ",
    );
    unjudged(
        &with(POD, json!({"containers": {"web": {}}})),
        "object.spec.template.spec.containers: ",
    );
    unjudged(
        &with(POD, json!({"containers": [{"ports": 80}]})),
        "object.spec.template.spec.containers[0].ports: ",
    );
    let mut replicas = create(BARE);
    replicas["request"]["object"]["spec"]["replicas"] = json!("x");
    unjudged(&replicas.to_string(), "object.spec.replicas: invalid type");
    let mut old = review("UPDATE", &replicas["request"]["object"], &Value::Null);
    old["request"]["object"]["spec"]["replicas"] = json!(1);
    old["request"]["oldObject"] = json!({"spec": 3});
    unjudged(&old.to_string(), "oldObject.spec: invalid type");
}

#[test]
fn emptiness_is_judged() {
    const POD: &str = "/request/object/spec/template/spec";
    for text in [
        with(POD, json!({"containers": []})),
        with(POD, Value::Null),
        with("/request/object/spec/selector", Value::Null),
        with("/request/object/spec", json!({})),
        with("/request/object/metadata", Value::Null),
        with("/request/object", json!({})),
    ] {
        let (_, response) = ask(Phase::Validate, &text);
        assert!(
            response["warnings"]
                .to_string()
                .contains("spec.serviceName is empty"),
            "{response}"
        );
        ask(Phase::Mutate, &text);
    }
    passes(&with("/request/object", Value::Null));
}

#[test]
fn null_is_no_more_than_nothing() {
    for (name, question) in own() {
        for pointer in pointers(&question["request"]["object"]) {
            let mut null = question.clone();
            *null["request"]["object"]
                .pointer_mut(&pointer)
                .expect("it is there") = Value::Null;
            for phase in PHASES {
                let (_, response) = ask(phase, &null.to_string());
                let unread = response["warnings"].to_string().contains("could not read");
                assert!(!unread, "{name}: null at {pointer}: {response}");
            }
        }
    }
}

/// The place of every value below the top, without the many containers of a crowded set.
fn pointers(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .take(2)
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let deep = children.into_iter().flat_map(|(key, value)| {
        let below = pointers(value)
            .into_iter()
            .map(|pointer| format!("/{key}{pointer}"))
            .collect::<Vec<_>>();
        std::iter::once(format!("/{key}")).chain(below)
    });
    deep.collect()
}

#[test]
fn containers_of_one_name_are_told_apart_by_position() {
    let text = with(
        "/request/object/spec/template/spec/containers",
        json!([{"name": "a", "ports": [{"containerPort": 1}]}, {"name": "a", "ports": [{"containerPort": 2}]}]),
    );
    let (answer, _) = ask(Phase::Mutate, &text);
    let places: Vec<_> = answer
        .judged
        .iter()
        .map(|judged| judged.finding.at.to_string())
        .collect();
    for place in [
        "spec.template.spec.containers[0].readinessProbe",
        "spec.template.spec.containers[1].readinessProbe",
    ] {
        assert!(
            places.contains(&place.to_owned()),
            "{place} is not in {places:?}"
        );
    }
}

#[test]
fn of_a_key_given_twice_the_last_one_counts() {
    let text = create(DENIED).to_string();
    let twice = text.replacen(
        "\"terminationGracePeriodSeconds\":0",
        "\"terminationGracePeriodSeconds\":0,\"terminationGracePeriodSeconds\":30",
        1,
    );
    assert_ne!(text, twice);
    let message = |text: &str| ask(Phase::Validate, text).1["status"]["message"].to_string();
    assert!(message(&text).contains("zero-grace-period: "));
    assert!(
        !message(&twice).contains("zero-grace-period: "),
        "as for Go, and for what is patched"
    );
}

/// The bare set's review with `depth` nested arrays under a key of the pod that nobody reads, or that somebody reads.
fn nested(key: &str, depth: usize) -> String {
    let arrays = "[".repeat(depth) + &"]".repeat(depth);
    create(BARE).to_string().replacen(
        "\"containers\":",
        &format!("\"{key}\":{arrays},\"containers\":"),
        1,
    )
}

#[test]
fn depth_that_nobody_reads_is_judged_but_not_edited() {
    for depth in [200, 100_000] {
        let text = nested("fromTheFuture", depth);
        let (answer, response) = ask(Phase::Validate, &text);
        assert!(answer.allowed && !answer.judged.is_empty(), "{response}");
        let (answer, response) = ask(Phase::Mutate, &text);
        assert!(answer.allowed && !answer.patched, "{response}");
        assert!(
            response["warnings"]
                .to_string()
                .contains("nothing was injected: the object cannot be edited"),
            "{response}"
        );
        assert!(
            answer.judged.is_empty(),
            "nothing is said to be injected: {response}"
        );
    }
}

#[test]
fn depth_where_something_is_read_is_unreadable() {
    for depth in [200, 100_000] {
        unjudged(
            &nested("volumes", depth),
            "object.spec.template.spec.volumes[0]: ",
        );
    }
}

#[test]
fn the_largest_object_is_judged_like_the_smallest() {
    let mut large = create(BARE);
    large["request"]["object"]["metadata"]["annotations"] = json!({"blob": "x".repeat(7 << 20)});
    let (answer, response) = ask(Phase::Mutate, &large.to_string());
    assert!(
        !answer.patched,
        "256 KiB of annotations are the most there may be"
    );
    assert!(
        response["warnings"]
            .to_string()
            .contains("leave no room for the record"),
        "{response}"
    );
    let mut large = create(BARE);
    large["request"]["object"]["status"] = json!({"blob": vec!["\u{e9}"; 1 << 20]});
    assert!(ask(Phase::Mutate, &large.to_string()).0.patched);
}

#[test]
fn a_name_that_is_still_to_be_made_is_never_used() {
    let (_, question) = own()
        .into_iter()
        .find(|(name, _)| name == "create generateName")
        .expect("it is there");
    let (answer, response) = ask(Phase::Mutate, &question.to_string());
    assert_eq!((&*answer.namespace, &*answer.name), ("default", ""));
    assert!(answer.patched, "{response}");
    let rules: Vec<_> = answer.judged.iter().map(|judged| judged.rule).collect();
    assert!(
        rules.contains(&"missing-readiness-probe") && !rules.contains(&"missing-service-name"),
        "{rules:?}"
    );
}

#[test]
fn what_is_not_ours_passes_without_a_word() {
    passes(&with("/request/resource/resource", json!("deployments")));
    passes(&with("/request/resource/group", json!("apps.example.com")));
    passes(&with("/request/resource/version", json!("v2")));
    let mut scale = create(DENIED);
    scale["request"]["subResource"] = json!("scale");
    scale["request"]["object"] =
        json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 3}});
    passes(&scale.to_string());
    let mut other = create(BARE);
    other["request"]["resource"]["resource"] = json!("widgets");
    other["request"]["object"] = json!({"spec": 3});
    passes(&other.to_string());
}

#[test]
fn other_operations_pass_without_a_word() {
    for operation in ["DELETE", "CONNECT", "PATCH", "", "create"] {
        let mut question = create(DENIED);
        question["request"]["operation"] = json!(operation);
        passes(&question.to_string());
    }
    let denied = create(DENIED)["request"]["object"].clone();
    passes(&review("DELETE", &Value::Null, &denied).to_string());
}
