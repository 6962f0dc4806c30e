//! The pod templates that a set had before, from the API server.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::api::{ListParams, ObjectList};
use kube::client::Body;
use kube::core::Request;
use kube::{Client, Resource as _};
use serde::Deserialize;
use serde_json::Value;

use super::{Outcome, Unanswered};
use crate::cluster::{Fact, belongs_to};
use crate::object::json;
use crate::rule::Listing;

/// A set keeps ten unless it says otherwise (`revisionHistoryLimit`), and those that its pods still have.
const MOST: u32 = 50;

/// Bytes of an answer that are read: a pod template has some kilobytes, and whoever may write one of a megabyte must not
/// fill our memory with it.
const LONGEST: usize = 4 << 20;

/// The revisions of a set, as fresh as the API server can tell.
///
/// No `resourceVersion=0`: a cache that lags behind could miss the revision that a rollback goes back to, and the rollback
/// would be refused; an answer that is late refuses nothing. The price is small: 3 to 5 ms from a busy API server, and up to
/// 100 only where somebody else listed revisions just before, as etcd is asked ten times a second how far it is.
pub(super) async fn list(
    client: &Client,
    namespace: &str,
    set: &str,
    selector: &str,
) -> Result<Fact, Unanswered> {
    let failed = |reason: String| (Outcome::Failed, reason);
    // It becomes part of a path, and whoever reaches our port wrote it.
    if !is_label(namespace) {
        return Err(failed(format!("{namespace:?} is no namespace")));
    }
    let path = ControllerRevision::url_path(&(), Some(namespace));
    let wanted = ListParams::default().labels(selector).limit(MOST);
    let request = Request::new(path).list(&wanted);
    let request = request.map_err(|error| failed(error.to_string()))?;
    let response = client.send(request.map(Body::from)).await;
    let response = response.map_err(|error| failed(error.to_string()))?;
    match response.status().as_u16() {
        200 => {}
        status @ (401 | 403) => return Err((Outcome::Refused, format!("HTTP {status}"))),
        status => return Err(failed(format!("HTTP {status}"))),
    }
    let body = Limited::new(response.into_body(), LONGEST).collect().await;
    let body = body.map_err(|error| failed(error.to_string()))?.to_bytes();
    let list: ObjectList<Revision> =
        serde_json::from_slice(&body).map_err(|error| failed(error.to_string()))?;
    let more = list.metadata.continue_.is_some_and(|more| !more.is_empty());
    let own = list.items.into_iter().map(ControllerRevision::from);
    let own = own.filter(|revision| belongs_to(revision, set));
    let found = Listing {
        items: own.map(Arc::new).collect(),
        complete: !more,
    };
    Ok(Fact::Revisions(namespace.to_owned(), set.to_owned(), found))
}

/// A revision as it is on the wire. The type of k8s-openapi would read the template, which is the user's, with serde_json's
/// marks in it.
#[derive(Clone, Deserialize)]
struct Revision {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default, deserialize_with = "json::plain")]
    data: Value,
    revision: Option<i64>,
}

impl From<Revision> for ControllerRevision {
    fn from(revision: Revision) -> Self {
        let Revision {
            metadata,
            data,
            revision,
        } = revision;
        Self {
            data: RawExtension(data),
            metadata,
            revision,
        }
    }
}

/// Whether it is an RFC 1123 label, as a namespace's name is.
fn is_label(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(legal)
}
