//! Which storage class a claim template wants.

use crate::object::view::ClaimTemplate;

/// The storage class that is to make the volumes of a claim template.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum WantedClass {
    /// The cluster's default class.
    Default,
    /// The class of this name.
    Named(String),
}

impl WantedClass {
    /// The class; none where volumes are not made but found: the class is `""`, or they are picked by name or label. Of old
    /// the class was an annotation, and that still comes first
    /// (kubernetes/component-helpers `storage/volume/helpers.go`, `GetPersistentVolumeClaimClass`).
    #[must_use]
    pub fn of(claim: &ClaimTemplate<'_>) -> Option<Self> {
        let asks = claim.asks();
        if !asks.volume_name.is_empty() || asks.selector.is_there() {
            return None;
        }
        let annotated = claim.metadata.annotations.get(CLASS_OF_OLD);
        match annotated.cloned().or(asks.storage_class_name) {
            None => Some(Self::Default),
            Some(name) => (!name.is_empty()).then(|| Self::Named(name.to_string())),
        }
    }

    /// The name by which [`super::Context::storage_class`] knows it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::Named(name) => Some(name),
        }
    }
}

/// The annotation that named a claim's class before there was a field for it.
const CLASS_OF_OLD: &str = "volume.beta.kubernetes.io/storage-class";
