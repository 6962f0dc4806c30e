//! One call to the API server, bounded in what its answer may weigh.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use kube::Client;
use kube::api::{ListParams, ObjectList};
use kube::client::Body;
use kube::core::Request;
use serde::de::DeserializeOwned;

use super::{Outcome, Unanswered};
use crate::rule::Listing;

/// Bytes of an answer that are read: an object has some kilobytes, and whoever may write one of a megabyte must not fill our
/// memory with it.
const LONGEST: usize = 4 << 20;

/// Lists what is below `path`.
pub(super) async fn list<T>(
    client: &Client,
    path: String,
    wanted: &ListParams,
) -> Result<Listing<T>, Unanswered>
where
    T: Clone + DeserializeOwned,
{
    let request = Request::new(path).list(wanted);
    let list: ObjectList<T> = match send(client, request).await? {
        Some(list) => list,
        None => return Err((Outcome::Failed, "HTTP 404".to_owned())),
    };
    let more = list.metadata.continue_.is_some_and(|more| !more.is_empty());
    Ok(Listing {
        items: list.items.into_iter().map(Arc::new).collect(),
        complete: !more,
    })
}

/// The object of this name below `path`, if there is one.
pub(super) async fn get<T: DeserializeOwned>(
    client: &Client,
    path: String,
    name: &str,
) -> Result<Option<Arc<T>>, Unanswered> {
    legal(name)?;
    let request = Request::new(path).get(name, &kube::api::GetParams::default());
    Ok(send(client, request).await?.map(Arc::new))
}

/// Sends a request and reads its answer; none where nothing is there.
async fn send<T: DeserializeOwned>(
    client: &Client,
    request: Result<axum::http::Request<Vec<u8>>, kube::core::request::Error>,
) -> Result<Option<T>, Unanswered> {
    let request = request.map_err(|error| failed(&error))?;
    let response = client.send(request.map(Body::from)).await;
    let response = response.map_err(|error| failed(&error))?;
    match response.status().as_u16() {
        200 => {}
        404 => return Ok(None),
        status @ (401 | 403) => return Err((Outcome::Refused, format!("HTTP {status}"))),
        status => return Err((Outcome::Failed, format!("HTTP {status}"))),
    }
    let body = Limited::new(response.into_body(), LONGEST).collect().await;
    let body = body.map_err(|error| failed(&error))?.to_bytes();
    let read = serde_json::from_slice(&body).map_err(|error| failed(&error))?;
    Ok(Some(read))
}

fn failed(error: &dyn ToString) -> Unanswered {
    (Outcome::Failed, error.to_string())
}

/// Whether it is an RFC 1123 label, as names of namespaces and Services are. It becomes part of a path, and whoever reaches
/// our port wrote it.
pub(super) fn legal(name: &str) -> Result<(), Unanswered> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=63).contains(&name.len()) && name.bytes().all(legal) {
        Ok(())
    } else {
        Err((Outcome::Failed, format!("{name:?} is no name")))
    }
}
