//! What each question asks for, and what its answer says.

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Service};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::ListParams;
use kube::{Client, Resource as _};

use super::call::{get, legal, list};
use super::{Unanswered, revisions};
use crate::cluster::Fact;
use crate::rule::Question;

/// The most that a list may hold; where there is more, what is missing is not known.
const MOST: u32 = 500;

/// Asks the API server, as fresh as it can tell.
///
/// No `resourceVersion=0`: what is asked is what a cache did not have, and a second cache may lag behind as the first.
pub(super) async fn answer(client: &Client, question: &Question) -> Result<Fact, Unanswered> {
    let most = ListParams::default().limit(MOST);
    match question {
        Question::Namespace { name } => {
            let path = Namespace::url_path(&(), None);
            let found = get(client, path, name).await?;
            Ok(Fact::Namespace(name.clone(), found))
        }
        Question::HeadlessServices { namespace } => {
            legal(namespace)?;
            let headless = most.fields("spec.clusterIP=None");
            let path = Service::url_path(&(), Some(namespace));
            let found = list(client, path, &headless).await?;
            Ok(Fact::HeadlessServices(namespace.clone(), found))
        }
        Question::Service { namespace, name } => {
            legal(namespace)?;
            let path = Service::url_path(&(), Some(namespace));
            let found = get(client, path, name).await?;
            Ok(Fact::Service(namespace.clone(), name.clone(), found))
        }
        Question::StorageClasses => {
            let path = StorageClass::url_path(&(), None);
            Ok(Fact::StorageClasses(list(client, path, &most).await?))
        }
        Question::Claims { namespace } => {
            legal(namespace)?;
            let path = PersistentVolumeClaim::url_path(&(), Some(namespace));
            let found = list(client, path, &most).await?;
            Ok(Fact::Claims(namespace.clone(), found))
        }
        Question::ControllerRevisions {
            namespace,
            set,
            selector,
        } => {
            legal(namespace)?;
            let path = ControllerRevision::url_path(&(), Some(namespace));
            revisions::list(client, path, namespace, set, selector).await
        }
    }
}
