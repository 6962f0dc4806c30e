//! The answer: allowed or not, patch, warnings, audit annotations with legal keys.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::review::{BadReview, Request};
use super::warnings::{plain, warnings};
use crate::engine::{Judged, Verdict};
use crate::rule::Question;

/// An answer, with what logs and metrics want to know of it.
#[derive(Debug)]
pub struct Answer {
    /// The body to send.
    pub body: Vec<u8>,
    /// The request's number.
    pub uid: String,
    /// `namespace/name` of the set; empty where nothing was judged.
    pub subject: String,
    /// What was asked for.
    pub operation: String,
    /// Whether the set may be stored.
    pub allowed: bool,
    /// Whether the set is changed.
    pub patched: bool,
    /// Whether it could not be read, and so was not judged.
    pub unread: bool,
    /// Each finding and what became of it.
    pub judged: Vec<Judged>,
    /// What nobody could tell; with the answers the set is to be judged once more.
    pub questions: Vec<Question>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    /// Base64 of the RFC 6902 array: an array of numbers is accepted, but four times as long.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Status {
    code: u16,
    reason: &'static str,
    message: String,
}

impl Answer {
    /// The answer that a verdict makes.
    pub(super) fn of<O>(request: &Request<'_, O>, subject: &str, verdict: Verdict) -> Self {
        let patched = !verdict.patch.is_empty();
        let response = Response {
            uid: &request.uid,
            allowed: verdict.allowed(),
            status: denial(subject, &verdict),
            patch_type: patched.then_some("JSONPatch"),
            patch: patched.then(|| {
                STANDARD.encode(serde_json::to_vec(&verdict.patch).expect("a patch is JSON"))
            }),
            warnings: warnings(&verdict),
            audit_annotations: audit_annotations(&verdict),
        };
        let body = encode(response);
        let allowed = verdict.allowed();
        Self {
            subject: subject.to_owned(),
            allowed,
            patched,
            judged: verdict.judged,
            questions: verdict.questions,
            ..Self::bare(request, body)
        }
    }

    /// The answer to what is not ours to judge.
    pub(super) fn untouched<O>(request: &Request<'_, O>) -> Self {
        Self::bare(
            request,
            encode(Response {
                uid: &request.uid,
                allowed: true,
                ..Response::default()
            }),
        )
    }

    /// The answer about an object that could not be read.
    pub(super) fn unread<O>(request: &Request<'_, O>, warning: &str) -> Self {
        let body = encode(Response {
            uid: &request.uid,
            allowed: true,
            warnings: vec![plain(warning)],
            ..Response::default()
        });
        Self {
            subject: format!("{}/{}", request.namespace, request.name),
            unread: true,
            ..Self::bare(request, body)
        }
    }

    /// What came of it, in one word.
    #[must_use]
    pub fn result(&self) -> &'static str {
        match (self.allowed, self.patched) {
            _ if self.unread => "unread",
            (false, _) => "denied",
            (true, true) => "patched",
            (true, false) => "allowed",
        }
    }

    fn bare<O>(request: &Request<'_, O>, body: Vec<u8>) -> Self {
        Self {
            body,
            uid: request.uid.to_string(),
            subject: String::new(),
            operation: request.operation.to_string(),
            allowed: true,
            patched: false,
            unread: false,
            judged: Vec::new(),
            questions: Vec::new(),
        }
    }
}

impl BadReview {
    /// The body to send with HTTP status 400. To the API server the call has failed, and `failurePolicy` decides.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        refusal(self.uid(), 400, "BadRequest", self.to_string())
    }
}

/// The body of an answer to a request that could not be judged.
#[must_use]
pub fn refusal(uid: &str, code: u16, reason: &'static str, message: String) -> Vec<u8> {
    let status = Some(Status {
        code,
        reason,
        message,
    });
    encode(Response {
        uid,
        allowed: false,
        status,
        ..Response::default()
    })
}

fn encode(response: Response<'_>) -> Vec<u8> {
    let review = Review {
        api_version: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        response,
    };
    serde_json::to_vec(&review).expect("an answer is strings and numbers")
}

/// The refusal, with every denied finding.
///
/// 403 and `Forbidden`, never 422, `Invalid` or a conflict: on those `kubectl apply --force` deletes and recreates the
/// set (kubernetes/kubectl `pkg/cmd/apply/patcher.go`).
fn denial(subject: &str, verdict: &Verdict) -> Option<Status> {
    let paragraphs: Vec<_> = verdict.denied().map(Judged::paragraph).collect();
    let message = match paragraphs.len() {
        0 => return None,
        1 => format!("StatefulSet {subject}: 1 problem\n{}", paragraphs[0]),
        count => format!(
            "StatefulSet {subject}: {count} problems\n{}",
            paragraphs.join("\n")
        ),
    };
    Some(Status {
        code: 403,
        reason: "Forbidden",
        message,
    })
}

/// Every finding for the audit log, by rule, and what was restored: a rule's id is a legal key as it is.
fn audit_annotations(verdict: &Verdict) -> BTreeMap<&'static str, String> {
    let mut annotations = BTreeMap::<_, String>::new();
    for judged in &verdict.judged {
        let text = annotations.entry(judged.rule).or_default();
        if !text.is_empty() {
            text.push_str(" | ");
        }
        text.push_str(judged.outcome.as_str());
        text.push_str(": ");
        text.push_str(&judged.sentence());
    }
    let restored = verdict
        .restored
        .iter()
        .map(|restored| restored.message.clone());
    for (key, said) in [
        ("restored", restored.collect::<Vec<_>>()),
        ("notes", verdict.notes.clone()),
    ] {
        if !said.is_empty() {
            annotations.insert(key, said.join(" | "));
        }
    }
    annotations
}
