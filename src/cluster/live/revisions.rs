//! The pod templates that a set had before, from the API server.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::Client;
use kube::api::ListParams;
use serde::Deserialize;
use serde_json::Value;

use super::{Unanswered, call};
use crate::cluster::{Fact, belongs_to};
use crate::object::json;
use crate::rule::Listing;

/// A set keeps ten unless it says otherwise (`revisionHistoryLimit`), and those that its pods still have.
const MOST: u32 = 50;

/// The revisions of a set, as fresh as the API server can tell.
///
/// A cache that lags behind could miss the revision that a rollback goes back to, and the rollback would be refused; an
/// answer that is late refuses nothing. The price is small: 3 to 5 ms from a busy API server, and up to 100 only where
/// somebody else listed revisions just before, as etcd is asked ten times a second how far it is.
pub(super) async fn list(
    client: &Client,
    path: String,
    namespace: &str,
    set: &str,
    selector: &str,
) -> Result<Fact, Unanswered> {
    let wanted = ListParams::default().labels(selector).limit(MOST);
    let list: Listing<Revision> = call::list(client, path, &wanted).await?;
    let revisions = list.items.into_iter().map(Arc::unwrap_or_clone);
    let own = revisions.map(ControllerRevision::from);
    let own = own.filter(|revision| belongs_to(revision, set));
    let found = Listing {
        items: own.map(Arc::new).collect(),
        complete: list.complete,
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
