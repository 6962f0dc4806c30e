//! Sets as wide as nobody writes them, but as the API server would pass them on: what a review costs grows with its size, not
//! with its square, so that nobody who may make a set can keep the server from answering others.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use steadfast::admission::handle;
use steadfast::policy::PolicySet;

use crate::common::RECORD;
use crate::common::lawful::{PHASES, lawful};
use crate::reviews::{BARE, bare_cluster, create, review};

/// How many there are of what there should be a few of.
const MANY: usize = 1_500;

/// Some fifty times what a build without optimisation takes on an idle machine; the square would be minutes.
const IN_TIME: Duration = Duration::from_secs(20);

fn many(one: impl Fn(usize) -> Value) -> Value {
    (0..MANY).map(one).collect()
}

/// The bare set with another pod.
fn set(pod: Value) -> Value {
    let mut set = create(BARE)["request"]["object"].take();
    set["spec"]["template"]["spec"] = pod;
    set
}

/// The time that both phases take together, with lawful answers.
fn answers_in_time(object: &Value, old: &Value) {
    let operation = if old.is_null() { "CREATE" } else { "UPDATE" };
    let question = review(operation, object, old);
    let body = question.to_string();
    for phase in PHASES {
        let start = Instant::now();
        let answer = handle(
            phase,
            &PolicySet::built_in(),
            &bare_cluster(),
            body.as_bytes(),
        );
        let took = start.elapsed();
        let answer = answer.unwrap_or_else(|error| panic!("{error}"));
        lawful(phase, &question, &answer).unwrap_or_else(|law| panic!("{law:.1000}"));
        assert!(
            took < IN_TIME,
            "{operation}, {}: {took:?}: {body:.1000}",
            phase.as_str()
        );
    }
}

/// Made, and as a change of a set that has nothing of it.
fn is_judged(object: &Value) {
    answers_in_time(object, &Value::Null);
    answers_in_time(object, &set(json!({"containers": [{"name": "web"}]})));
}

#[test]
fn many_defects() {
    let probe = json!({"tcpSocket": {"port": "nowhere"}});
    let containers = many(
        |number| json!({"name": format!("c-{number}"), "readinessProbe": probe, "livenessProbe": probe}),
    );
    is_judged(&set(json!({ "containers": containers })));
    let mounts = many(
        |number| json!({"name": format!("v-{number}"), "mountPath": format!("/data/{number}")}),
    );
    is_judged(&set(
        json!({"containers": [{"name": "web", "volumeMounts": mounts}]}),
    ));
}

#[test]
fn many_slips() {
    let mount =
        |number: usize| json!({"name": format!("v-{number}"), "mountPath": format!("/{number}")});
    let mounts: Value = (0..10 * MANY).map(mount).collect();
    let pod = json!({"containers": [{"name": "web", "volumeMounts": mounts}]});
    answers_in_time(&set(pod), &Value::Null);
}

#[test]
fn many_containers_and_a_long_name() {
    let container = |number| {
        let env = json!([{"name": "HOME", "value": "/"}, {"name": "USER", "value": "web"}]);
        json!({"name": format!("c-{number}"), "ports": [{"containerPort": number + 1}], "env": env})
    };
    let mut set = set(json!({ "containers": many(container) }));
    is_judged(&set);
    set["metadata"]["name"] = "x".repeat(100_000).into();
    is_judged(&set);
}

#[test]
fn a_long_record() {
    let container =
        |number| json!({"name": format!("c-{number}"), "ports": [{"containerPort": number + 1}]});
    let mut set = set(json!({ "containers": many(container) }));
    let entry = |number| {
        let path = format!("spec.template.spec.containers[c-{number}].readinessProbe");
        json!({"rule": "missing-readiness-probe", "container": format!("c-{number}"), "path": path, "value": {"tcpSocket": {"port": 1}}})
    };
    let record = json!({"version": 1, "injected": many(entry)}).to_string();
    *set.pointer_mut("/metadata").expect("it is there") =
        json!({"name": "web", "annotations": {"steadfast.dev/injected": record}});
    assert!(set.pointer(RECORD).is_some());
    is_judged(&set);
    answers_in_time(&create(BARE)["request"]["object"], &set);
}
