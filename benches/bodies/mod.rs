//! The request bodies that are measured: made here, byte for byte the same every time, in the shape in which an API server of
//! Kubernetes 1.37 sends them.

// A vocabulary: each target uses its part.
#![allow(dead_code)]

mod manifest;
mod set;

use serde_json::{Value, json};
use steadfast::admission::{self, Answer, Phase};
use steadfast::cluster::Unseen;
use steadfast::policy::PolicySet;

use manifest::{BARE, LARGE, MEDIUM, NAME, NAMESPACE, SMALL, Shape, UNFINISHED};
use set::{created, stored};

/// A body, and what is to come of it.
pub(crate) struct Body {
    /// What tables call it.
    pub(crate) name: &'static str,
    /// The `AdmissionReview`.
    pub(crate) text: String,
    /// What `/mutate` makes of it: `allowed` or `patched`. `/validate` allows every one.
    mutated: &'static str,
}

/// Every body.
pub(crate) fn all() -> Vec<Body> {
    let medium = stored(&created(MEDIUM));
    let repaired = stored(&mutated(&created(UNFINISHED)));
    let create = |name, shape: Shape, mutated| Body {
        name,
        text: review("CREATE", &created(shape), &Value::Null),
        mutated,
    };
    let update = |name, object: &Value, old| Body {
        name,
        text: review("UPDATE", object, old),
        mutated: "allowed",
    };
    vec![
        create("small", SMALL, "allowed"),
        create("medium", MEDIUM, "allowed"),
        create("large", LARGE, "allowed"),
        create("bare", BARE, "patched"),
        update("update, equal", &relabelled(&medium), &medium),
        update("update, new image", &with_new_image(&medium), &medium),
        update(
            "update of a repaired set, new image",
            &with_new_image(&repaired),
            &repaired,
        ),
        Body {
            mutated: "patched",
            ..update(
                "replacement of a repaired set",
                &replacing(&with_new_image(&created(UNFINISHED)), &repaired),
                &repaired,
            )
        },
    ]
}

impl Body {
    /// What the library answers by the built-in policy, in a cluster of which nothing is known.
    pub(crate) fn answer(&self, phase: Phase, policies: &PolicySet) -> Answer {
        admission::handle(phase, policies, &Unseen, self.text.as_bytes()).expect("it is a review")
    }

    /// That the body is what its name says: each phase answers as it should.
    pub(crate) fn check(&self, policies: &PolicySet) {
        for (phase, expected) in [(Phase::Mutate, self.mutated), (Phase::Validate, "allowed")] {
            let answer = self.answer(phase, policies);
            let said = String::from_utf8_lossy(&answer.body);
            assert_eq!(answer.result(), expected, "{} {phase:?}: {said}", self.name);
        }
    }
}

/// The set with what `/mutate` gives it.
fn mutated(set: &Value) -> Value {
    let policies = PolicySet::built_in();
    let verdict = admission::admit(&policies, &Unseen, NAMESPACE, set, None).expect("it is a set");
    verdict.patched.expect("it is repaired")
}

/// The set with another label on itself; its pods stay as they are.
fn relabelled(stored: &Value) -> Value {
    let mut set = stored.clone();
    set["metadata"]["labels"]["team"] = json!("settlement");
    set
}

/// The set with another image, in its author's copy too.
fn with_new_image(set: &Value) -> Value {
    let text = set.to_string().replace(":3.2.1", ":3.2.2");
    serde_json::from_str(&text).expect("only an image has changed")
}

/// The author's own manifest in place of what is stored: `kubectl replace`.
fn replacing(author: &Value, stored: &Value) -> Value {
    let mut set = author.clone();
    for key in ["uid", "resourceVersion", "generation", "creationTimestamp"] {
        set["metadata"][key] = stored["metadata"][key].clone();
    }
    set["status"] = stored["status"].clone();
    set
}

/// The review in which the API server asks about it.
fn review(operation: &str, object: &Value, old: &Value) -> String {
    let kind = json!({"group": "apps", "version": "v1", "kind": "StatefulSet"});
    let resource = json!({"group": "apps", "version": "v1", "resource": "statefulsets"});
    let options = if operation == "CREATE" {
        "CreateOptions"
    } else {
        "UpdateOptions"
    };
    json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "4058f11a-b6b4-50bf-8063-b808313aa532", "kind": kind, "resource": resource,
        "requestKind": kind, "requestResource": resource, "name": NAME, "namespace": NAMESPACE, "operation": operation,
        "userInfo": {"username": "admin", "uid": "admin", "groups": ["system:masters", "system:authenticated"]},
        "object": object, "oldObject": old, "dryRun": false,
        "options": {"kind": options, "apiVersion": "meta.k8s.io/v1",
            "fieldManager": object["metadata"]["managedFields"][0]["manager"], "fieldValidation": "Strict"},
    }})
    .to_string()
}
