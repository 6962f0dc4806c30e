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
    /// The namespace that the set is in.
    pub namespace: String,
    /// Its name; empty where the API server is still to make one.
    pub name: String,
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
    pub(super) fn of<O>(
        request: &Request<'_, O>,
        (namespace, name): (&str, &str),
        verdict: Verdict,
    ) -> Self {
        let patched = !verdict.patch.is_empty();
        let response = Response {
            uid: &request.uid,
            allowed: verdict.allowed(),
            status: denial(namespace, name, &verdict),
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
            allowed,
            patched,
            judged: verdict.judged,
            questions: verdict.questions,
            ..Self::bare(request, (namespace, name), body)
        }
    }

    /// The answer to what is not ours to judge.
    pub(super) fn untouched<O>(request: &Request<'_, O>) -> Self {
        let body = encode(Response {
            uid: &request.uid,
            allowed: true,
            ..Response::default()
        });
        Self::bare(request, (&request.namespace, &request.name), body)
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
            unread: true,
            ..Self::bare(request, (&request.namespace, &request.name), body)
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

    fn bare<O>(request: &Request<'_, O>, (namespace, name): (&str, &str), body: Vec<u8>) -> Self {
        Self {
            body,
            uid: request.uid.to_string(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
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
fn denial(namespace: &str, name: &str, verdict: &Verdict) -> Option<Status> {
    let name = if name.is_empty() {
        "<not named yet>"
    } else {
        name
    };
    let problems = match verdict.denied().count() {
        0 => return None,
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    let paragraphs = some(verdict.denied().map(Judged::paragraph)).join("\n");
    let message = format!("StatefulSet {namespace}/{name}: {problems}\n{paragraphs}");
    Some(Status {
        code: 403,
        reason: "Forbidden",
        message,
    })
}

/// The most that is said of one kind: a set that was made to have defects gets an answer that somebody can keep.
const SAID: usize = 100;

/// As many as are said, and how many more there are.
fn some(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut all = all.peekable();
    let mut said: Vec<_> = all.by_ref().take(SAID).collect();
    if all.peek().is_some() {
        said.push(format!("and {} more", all.count()));
    }
    said
}

/// Every finding for the audit log, by rule, and what was restored: a rule's id is a legal key as it is.
fn audit_annotations(verdict: &Verdict) -> BTreeMap<&'static str, String> {
    let mut by_rule = BTreeMap::<_, Vec<&Judged>>::new();
    for judged in &verdict.judged {
        by_rule.entry(judged.rule).or_default().push(judged);
    }
    let found = |judged: &&Judged| format!("{}: {}", judged.outcome.as_str(), judged.sentence());
    let rules = by_rule
        .iter()
        .map(|(rule, judged)| (*rule, some(judged.iter().map(found))));
    let restored = verdict.restored.iter();
    let done = [
        (
            "restored",
            some(restored.map(|restored| restored.message.clone())),
        ),
        ("notes", some(verdict.notes.iter().cloned())),
    ];
    rules
        .chain(done)
        .filter(|(_, said)| !said.is_empty())
        .map(|(key, said)| (key, said.join(" | ")))
        .collect()
}
