//! Whatever bytes come in, the answer is a lawful review or one clear refusal; and what was repaired stays so.

use std::sync::LazyLock;

use serde_json::Value;
use steadfast::admission::{Phase, handle};
use steadfast::cluster::{DEFAULT_NAMESPACE, Manifests};
use steadfast::object::json;
use steadfast::policy::PolicySet;

use super::once::gives_every_key_once;
use crate::lawful::{PHASES, decoded, lawful};

static POLICIES: LazyLock<[PolicySet; 2]> =
    LazyLock::new(|| [PolicySet::built_in(), super::strict()]);

/// A default storage class and nothing else, so that whatever can be injected is.
static CLUSTER: LazyLock<Manifests> = LazyLock::new(|| {
    let class = serde_json::json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "example.com/disk",
        "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}});
    let mut manifests = Manifests::new(true);
    let added = manifests.add(&class, DEFAULT_NAMESPACE);
    added.expect("a class is read");
    manifests
});

/// Holds the law.
pub fn hold(body: &[u8]) {
    for policies in &*POLICIES {
        for phase in PHASES {
            asked(phase, policies, body);
        }
    }
}

fn asked(phase: Phase, policies: &PolicySet, body: &[u8]) {
    let answer = match handle(phase, policies, &*CLUSTER, body) {
        Ok(answer) => answer,
        Err(error) => {
            let body: Value = serde_json::from_slice(&error.body()).expect("a refusal is JSON");
            assert!(!error.to_string().is_empty() && body.is_object(), "{body}");
            return;
        }
    };
    serde_json::from_slice::<Value>(&answer.body).expect("an answer is JSON");
    let text = std::str::from_utf8(body).expect("what is no text is refused");
    // Where nobody reads it, a text may be deeper than a `Value` can be, and say a thing twice.
    let Ok(mut question) = json::read(text) else {
        return;
    };
    // serde reads a list as a struct, field by field; which item is then the uid is of no interest.
    if !question["request"].is_object() || !gives_every_key_once(text) {
        return;
    }
    lawful(phase, &question, &answer)
        .unwrap_or_else(|law| panic!("{}: {law}: {text}", phase.as_str()));
    if !answer.patched {
        return;
    }
    let response: Value = serde_json::from_slice(&answer.body).expect("just read");
    let patch = decoded(&response["response"]["patch"]).expect("just held against the law");
    json_patch::patch(&mut question["request"]["object"], &patch).expect("just applied");
    let again = handle(phase, policies, &*CLUSTER, question.to_string().as_bytes());
    let again = again.expect("a repaired review is a review");
    assert!(
        !again.patched,
        "what was repaired is repaired again: {}\nafter {patch}",
        String::from_utf8_lossy(&again.body)
    );
}
