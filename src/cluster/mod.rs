//! Facts from outside the set: what else is in the cluster, as far as somebody knows.

mod manifests;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::storage::v1::StorageClass;

use crate::rule::{ClusterView, Listing};

pub use manifests::{DEFAULT_NAMESPACE, Manifests};

/// A view that knows nothing: every question stays open.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unseen;

impl ClusterView for Unseen {
    fn services(&self, _: &str) -> Listing<Service> {
        Listing::unknown()
    }

    fn storage_classes(&self) -> Listing<StorageClass> {
        Listing::unknown()
    }
}
