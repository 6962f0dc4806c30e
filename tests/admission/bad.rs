//! Bodies that are no review: one clear refusal each, with the uid wherever it can be read.

use serde_json::{Value, json};
use steadfast::admission::{BadReview, handle};
use steadfast::cluster::Unseen;
use steadfast::policy::PolicySet;

use crate::common::lawful::PHASES;
use crate::reviews::{BARE, create};

const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";

/// The one refusal that both phases give.
fn refused(body: &[u8]) -> BadReview {
    let [one, other] = PHASES.map(|phase| {
        let answer = handle(phase, &PolicySet::built_in(), &Unseen, body);
        answer.expect_err(&format!(
            "it is no review: {:.200}",
            String::from_utf8_lossy(body)
        ))
    });
    assert_eq!(one.to_string(), other.to_string());
    one
}

/// Checks what a refusal says, and that its body is a review with the uid, status 400 and the words.
#[track_caller]
fn says(body: &[u8], words: &str, uid: &str) {
    let error = refused(body);
    assert!(
        error.to_string().contains(words),
        "{words:?} is not in {error}"
    );
    assert_eq!(error.uid(), uid, "{error}");
    let answer: Value = serde_json::from_slice(&error.body()).expect("JSON");
    let expected = json!({"uid": uid, "allowed": false, "status": {"code": 400, "reason": "BadRequest", "message": error.to_string()}});
    assert_eq!(
        (&answer["kind"], &answer["response"]),
        (&json!("AdmissionReview"), &expected)
    );
}

/// A review with something else at `pointer`.
fn with(pointer: &str, value: Value) -> Vec<u8> {
    let mut review = create(BARE);
    *review.pointer_mut(pointer).expect("it is there") = value;
    review.to_string().into_bytes()
}

#[test]
fn no_json() {
    says(b"", "EOF while parsing", "");
    says(b"   \n", "EOF while parsing", "");
    says(b"hello", "expected value", "");
    says(b"apiVersion: v1", "expected value", "");
    says(b"\xef\xbb\xbf{}", "expected value", "");
}

#[test]
fn not_utf_8() {
    says(b"{\"kind\":\"\xff\"}", "not UTF-8: byte 9", "");
    says(b"\xfe\xff", "not UTF-8: byte 0", "");
}

#[test]
fn broken_off() {
    let text = create(BARE).to_string();
    for end in 1..text.len() {
        let error = refused(&text.as_bytes()[..end]);
        assert!(
            matches!(error, BadReview::NotReview { .. }),
            "cut at {end}: {error}"
        );
    }
    says(format!("{text}]").as_bytes(), "trailing characters", UID);
    says(
        format!("{text}{text}").as_bytes(),
        "trailing characters",
        UID,
    );
}

#[test]
fn another_kind() {
    says(b"{}", "the body is kind \"\" of apiVersion \"\"", "");
    says(b"null", "AdmissionReview", "");
    says(b"[]", "AdmissionReview", "");
    says(
        br#"{"apiVersion":"v1","kind":"Pod","spec":{}}"#,
        "kind \"Pod\" of apiVersion \"v1\"",
        "",
    );
    says(&with("/kind", json!("Pod")), "\"Pod\"", UID);
}

#[test]
fn another_version_keeps_the_uid() {
    says(
        &with("/apiVersion", json!("admission.k8s.io/v1beta1")),
        "admission.k8s.io/v1beta1",
        UID,
    );
    let mut unreadable = create(BARE);
    unreadable["apiVersion"] = json!("admission.k8s.io/v1beta1");
    unreadable["request"]["object"]["spec"] = json!(3);
    says(
        unreadable.to_string().as_bytes(),
        "admission.k8s.io/v1beta1",
        UID,
    );
}

#[test]
fn no_request() {
    says(
        br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}"#,
        "has no request",
        "",
    );
    says(&with("/request", Value::Null), "has no request", "");
    let response = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {"uid": "1", "allowed": true}});
    says(response.to_string().as_bytes(), "has no request", "");
}

#[test]
fn no_uid() {
    says(&with("/request/uid", json!("")), "no uid", "");
    says(&with("/request/uid", Value::Null), "no uid", "");
    let mut review = create(BARE);
    review["request"]
        .as_object_mut()
        .expect("a map")
        .shift_remove("uid");
    says(review.to_string().as_bytes(), "uid", "");
    says(&with("/request", json!({})), "uid", "");
}

#[test]
fn an_envelope_of_other_types() {
    says(&with("/request", json!(3)), "invalid type", "");
    says(&with("/request/uid", json!(3)), "invalid type", "");
    says(
        &with("/request/operation", json!(["CREATE"])),
        "invalid type",
        UID,
    );
    says(
        &with("/request/resource", json!("statefulsets")),
        "invalid type",
        UID,
    );
    says(&with("/kind", json!({})), "invalid type", UID);
}

#[test]
fn keys_given_twice() {
    let text = create(BARE).to_string();
    let twice = text.replacen(
        "\"operation\":",
        "\"operation\":\"DELETE\",\"operation\":",
        1,
    );
    says(twice.as_bytes(), "duplicate field `operation`", UID);
    let twice = text.replacen("\"request\":", "\"request\":null,\"request\":", 1);
    says(twice.as_bytes(), "duplicate field `request`", "");
}
