//! Facts from outside the set: what else is in the cluster, as far as somebody knows.

#[cfg(feature = "server")]
mod live;
mod manifests;
mod overlay;

use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::storage::v1::StorageClass;

use crate::rule::{ClusterView, Known, Listing};

#[cfg(feature = "server")]
pub use live::{Asked, ConnectError, Live, Outcome};
pub use manifests::{DEFAULT_NAMESPACE, Manifests, UnreadableManifest};
pub use overlay::{Fact, Lookup, Overlay};

/// A view that knows nothing: every question stays open.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unseen;

impl ClusterView for Unseen {
    fn headless_services(&self, _: &str) -> Listing<Service> {
        Listing::unknown()
    }

    fn service(&self, _: &str, _: &str) -> Known<Arc<Service>> {
        Known::Unknown
    }

    fn storage_classes(&self) -> Listing<StorageClass> {
        Listing::unknown()
    }
}

/// Whether a revision is of the set of this name.
fn belongs_to(revision: &ControllerRevision, set: &str) -> bool {
    let owners = revision.metadata.owner_references.iter().flatten();
    let mut sets = owners.filter(|owner| owner.kind == "StatefulSet");
    sets.any(|owner| owner.name == set && owner.controller == Some(true))
}
