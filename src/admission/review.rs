//! The question: `AdmissionReview` of `admission.k8s.io/v1`, read in one pass straight into envelope and view.
//!
//! Our own envelope, since a typed one fails as a whole with one bad object, and the answer then has no uid.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::object::json;
use crate::object::view::{ParseError, StatefulSet, Text};

/// What the API server asks.
#[derive(Debug, Deserialize)]
#[serde(
    bound(deserialize = "O: Deserialize<'de>, 'de: 'a"),
    rename_all = "camelCase"
)]
pub struct Request<'a, O> {
    /// Its number, to be repeated in the answer.
    pub uid: Text<'a>,
    /// The resource asked about.
    #[serde(default)]
    pub resource: Resource<'a>,
    /// `scale` or `status`, where it is about a part.
    #[serde(default)]
    pub sub_resource: Text<'a>,
    /// The object's name; empty where one is still to be made.
    #[serde(default)]
    pub name: Text<'a>,
    /// The object's namespace.
    #[serde(default)]
    pub namespace: Text<'a>,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    #[serde(default)]
    pub operation: Text<'a>,
    /// The object to be stored.
    #[serde(default = "none")]
    pub object: Option<O>,
    /// The object that is stored.
    #[serde(default = "none")]
    pub old_object: Option<O>,
}

/// A resource.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
pub struct Resource<'a> {
    group: Text<'a>,
    version: Text<'a>,
    resource: Text<'a>,
}

fn none<O>() -> Option<O> {
    None
}

/// Why a body is no review that can be answered.
#[derive(Debug, thiserror::Error)]
pub enum BadReview {
    /// It is no text.
    #[error("the body is not UTF-8: byte {at}")]
    NotUtf8 {
        /// The first byte that is none.
        at: usize,
    },
    /// It is no JSON, or not of the shape of a review.
    #[error("the body is no AdmissionReview: {}", clipped(&.error.to_string()))]
    NotReview {
        /// The request's number, where it could be read.
        uid: String,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// It is a review of a version that nobody registered.
    #[error(
        "the body is kind {kind:?} of apiVersion {version:?}; expected \"AdmissionReview\" of \"admission.k8s.io/v1\""
    )]
    NotV1 {
        /// The request's number, where it could be read.
        uid: String,
        /// Its apiVersion.
        version: String,
        /// Its kind.
        kind: String,
    },
    /// It asks nothing.
    #[error("the AdmissionReview has no request")]
    NoRequest,
    /// It cannot be answered.
    #[error("the request of the AdmissionReview has no uid, or one of more than {UID} bytes")]
    NoUid,
}

/// The longest number of a request that is repeated in an answer; the API server's have 36 characters.
const UID: usize = 256;

/// As much of what somebody sent as is repeated to him.
fn clipped(text: &str) -> String {
    const LIMIT: usize = 256;
    let clipped = &text[..text.floor_char_boundary(LIMIT)];
    let rest = if clipped.len() < text.len() {
        "…"
    } else {
        ""
    };
    format!("{clipped}{rest}")
}

impl BadReview {
    /// What is wrong, without a word of what was sent: for the log.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::NotReview { error, .. } => format!(
                "no AdmissionReview, wrong at line {} column {}",
                error.line(),
                error.column()
            ),
            Self::NotV1 { .. } => "another kind or apiVersion".to_owned(),
            other => other.to_string(),
        }
    }

    /// The request's number, where it could be read.
    #[must_use]
    pub fn uid(&self) -> &str {
        match self {
            Self::NotReview { uid, .. } | Self::NotV1 { uid, .. } => uid,
            Self::NotUtf8 { .. } | Self::NoRequest | Self::NoUid => "",
        }
    }
}

/// A body, read as far as it can be.
#[derive(Debug)]
pub(super) enum Parsed<'a> {
    /// A review of a StatefulSet.
    Read(Box<Request<'a, StatefulSet<'a>>>),
    /// A review of something else.
    NotOurs(Box<Request<'a, IgnoredAny>>),
    /// A review of a StatefulSet that cannot be read, and why.
    Unreadable(Box<Request<'a, IgnoredAny>>, String),
}

#[derive(Deserialize)]
#[serde(
    bound(deserialize = "O: Deserialize<'de>, 'de: 'a"),
    rename_all = "camelCase"
)]
struct Review<'a, O> {
    #[serde(default)]
    api_version: Text<'a>,
    #[serde(default)]
    kind: Text<'a>,
    #[serde(default = "none")]
    request: Option<Request<'a, O>>,
}

/// Reads a body: envelope and view in one pass, and only if that fails the envelope alone.
pub(super) fn parse(text: &str) -> Result<Parsed<'_>, BadReview> {
    if let Ok(review) = serde_json::from_str::<Review<'_, StatefulSet<'_>>>(text) {
        let request = request(review)?;
        return Ok(if is_ours(&request) {
            Parsed::Read(Box::new(request))
        } else {
            Parsed::NotOurs(Box::new(request.without_objects()))
        });
    }
    let review = serde_json::from_str::<Review<'_, IgnoredAny>>(text).map_err(|error| {
        BadReview::NotReview {
            uid: uid(text),
            error,
        }
    })?;
    let request = request(review)?;
    Ok(if is_ours(&request) {
        let reason = unreadable(text);
        Parsed::Unreadable(Box::new(request), reason)
    } else {
        Parsed::NotOurs(Box::new(request))
    })
}

fn request<O>(review: Review<'_, O>) -> Result<Request<'_, O>, BadReview> {
    let Review {
        api_version,
        kind,
        request,
    } = review;
    if api_version != "admission.k8s.io/v1" || kind != "AdmissionReview" {
        let uid = request.map_or_else(String::new, |request| clipped(&request.uid));
        return Err(BadReview::NotV1 {
            uid,
            version: clipped(&api_version),
            kind: clipped(&kind),
        });
    }
    let request = request.ok_or(BadReview::NoRequest)?;
    if request.uid.is_empty() || request.uid.len() > UID {
        Err(BadReview::NoUid)
    } else {
        Ok(request)
    }
}

/// Whether the review is about a StatefulSet itself. Without a resource, as in hand-written fixtures, it is taken for one.
fn is_ours<O>(request: &Request<'_, O>) -> bool {
    let Resource {
        group,
        version,
        resource,
    } = &request.resource;
    let stateful_sets = group == "apps" && version == "v1" && resource == "statefulsets";
    request.sub_resource.is_empty() && (stateful_sets || resource.is_empty())
}

/// Why the object cannot be read, with its place in the request.
fn unreadable(text: &str) -> String {
    let mut json = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, Review<'_, StatefulSet<'_>>>(&mut json) {
        Ok(_) => "it cannot be read".to_owned(),
        Err(error) => ParseError::from(error)
            .to_string()
            .trim_start_matches("request.")
            .to_owned(),
    }
}

/// The request's number out of a text that is no review: of another shape, or with something behind it.
fn uid(text: &str) -> String {
    #[derive(Deserialize)]
    struct Uid {
        uid: String,
    }
    of_request::<Uid>(text)
        .map(|request| clipped(&request.uid))
        .unwrap_or_default()
}

/// The whole object of a review as raw JSON.
pub(super) fn object(text: &str) -> Result<Value, serde_json::Error> {
    #[derive(Deserialize)]
    struct Object {
        #[serde(deserialize_with = "json::plain")]
        object: Value,
    }
    of_request::<Object>(text).map(|request| request.object)
}

/// The whole old object of a review as raw JSON.
pub(super) fn old_object(text: &str) -> Result<Value, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct OldObject {
        #[serde(deserialize_with = "json::plain")]
        old_object: Value,
    }
    of_request::<OldObject>(text).map(|request| request.old_object)
}

/// A part of the request, whatever else the text holds.
fn of_request<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    #[derive(Deserialize)]
    struct Outer<T> {
        request: T,
    }
    Outer::deserialize(&mut serde_json::Deserializer::from_str(text))
        .map(|outer: Outer<T>| outer.request)
}

impl<'a, O> Request<'a, O> {
    fn without_objects(self) -> Request<'a, IgnoredAny> {
        let Self {
            uid,
            resource,
            sub_resource,
            name,
            namespace,
            operation,
            object: _,
            old_object: _,
        } = self;
        Request {
            uid,
            resource,
            sub_resource,
            name,
            namespace,
            operation,
            object: None,
            old_object: None,
        }
    }
}
