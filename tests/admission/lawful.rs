//! What makes an answer lawful, held against every review.

use serde_json::{Value, json};
use steadfast::admission::{Answer, Phase, handle};
use steadfast::cluster::Unseen;
use steadfast::policy::PolicySet;
use steadfast::rule::ClusterView;

use crate::common::lawful::{PHASES, lawful};
use crate::common::{altered, policy};
use crate::reviews::{all, bare_cluster, own};

fn answer(
    phase: Phase,
    policies: &PolicySet,
    cluster: &dyn ClusterView,
    question: &Value,
) -> Answer {
    handle(phase, policies, cluster, question.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{error}: {question}"))
}

#[test]
fn every_answer_is_lawful() {
    let (known, strict) = (bare_cluster(), policy(&json!({"profile": "strict"})));
    let (mut denied, mut patched) = (0, 0);
    for (name, question) in all() {
        for phase in PHASES {
            for policies in [&PolicySet::built_in(), &strict, &altered()] {
                for cluster in [&known as &dyn ClusterView, &Unseen] {
                    let answer = answer(phase, policies, cluster, &question);
                    lawful(phase, &question, &answer)
                        .unwrap_or_else(|law| panic!("{name}, {}: {law}", phase.as_str()));
                    denied += usize::from(!answer.allowed);
                    patched += usize::from(answer.patched);
                }
            }
        }
    }
    assert!(
        denied >= 6 && patched >= 12,
        "{denied} denied, {patched} patched: the laws were held against nothing"
    );
}

#[test]
fn the_same_bytes_get_the_same_bytes() {
    let (known, built_in) = (bare_cluster(), PolicySet::built_in());
    for (name, question) in all() {
        for phase in PHASES {
            let answers = [(); 2].map(|()| answer(phase, &built_in, &known, &question).body);
            assert_eq!(answers[0], answers[1], "{name}, {}", phase.as_str());
        }
    }
}

#[test]
fn a_dry_run_gets_the_same_answer() {
    let (known, built_in) = (bare_cluster(), PolicySet::built_in());
    for (name, question) in own() {
        let mut dry = question.clone();
        dry["request"]["dryRun"] = json!(true);
        for phase in PHASES {
            assert_eq!(
                answer(phase, &built_in, &known, &dry).body,
                answer(phase, &built_in, &known, &question).body,
                "{name}"
            );
        }
    }
}

#[test]
fn the_order_of_the_keys_does_not_matter() {
    let (known, built_in) = (bare_cluster(), PolicySet::built_in());
    for (name, question) in own() {
        let mut turned = question.clone();
        // The uid comes last, the objects before what they are.
        reverse(&mut turned);
        reverse(&mut turned["request"]);
        for phase in PHASES {
            assert_eq!(
                answer(phase, &built_in, &known, &turned).body,
                answer(phase, &built_in, &known, &question).body,
                "{name}"
            );
        }
    }
}

#[test]
fn a_denial_says_everything_at_once() {
    let question = crate::reviews::create(crate::reviews::DENIED);
    let answer = answer(Phase::Validate, &PolicySet::built_in(), &Unseen, &question);
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let message = body["response"]["status"]["message"]
        .as_str()
        .expect("a message");
    for words in [
        "default/db",
        "zero-grace-period",
        "\"tls-certs\"",
        "\"conf\"",
        "allow.steadfast.dev/dangling-volume-mount",
    ] {
        assert!(message.contains(words), "{words} is not in: {message}");
    }
    assert!(
        message.find("zero-grace-period") < message.find("dangling-volume-mount"),
        "in the order of the rules: {message}"
    );
    assert!(
        body["response"]["warnings"]
            .to_string()
            .contains("did you mean zero-grace-period?"),
        "{body}"
    );
}

#[test]
fn what_does_not_fit_into_the_warnings_is_counted() {
    let (_, question) = own()
        .into_iter()
        .find(|(name, _)| name == "create crowded")
        .expect("it is there");
    let answer = answer(Phase::Validate, &PolicySet::built_in(), &Unseen, &question);
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let warnings = body["response"]["warnings"].as_array().expect("warnings");
    let last = warnings.last().and_then(Value::as_str).expect("a warning");
    let counted: usize = last
        .trim_start_matches('+')
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .expect(last);
    // 60 readiness findings and one of the Service are shown at baseline; a long one goes on in a second warning.
    let shown = |warning: &&Value| {
        let text = warning.as_str().unwrap_or_default();
        text.contains("has no readiness probe") || text.contains("serviceName is empty")
    };
    assert_eq!(
        warnings.iter().filter(shown).count() + counted,
        61,
        "{last}"
    );
}

/// Turns the order of a map's keys.
fn reverse(map: &mut Value) {
    let map = map.as_object_mut().expect("a map");
    *map = std::mem::take(map).into_iter().rev().collect();
}
