//! Claim templates that are injected: what one is made of, what must be clear before, and what is said of it.
//!
//! None can ever be changed or taken back, so any doubt is one too many.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::finding::first;
use super::{Context, Known};
use crate::object::quantity::Quantity;
use crate::object::view::StatefulSet;
use crate::object::{Change, Path};

/// A claim template that may be injected.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'c> {
    /// Its name, and the volume's.
    pub name: &'c str,
    /// Its size.
    pub storage: &'c Quantity,
    /// Its class; without one, the cluster's default class.
    pub class: Option<&'c str>,
}

/// How many leftover claims are named.
const NAMED: usize = 5;

impl Claim<'_> {
    /// The edit that adds it.
    #[must_use]
    pub fn change(&self) -> Change {
        let storage = resource::Quantity(self.storage.as_str().to_owned());
        let claim = PersistentVolumeClaim {
            metadata: ObjectMeta {
                name: Some(self.name.to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(PersistentVolumeClaimSpec {
                access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
                resources: Some(VolumeResourceRequirements {
                    requests: Some(BTreeMap::from([("storage".to_owned(), storage)])),
                    ..VolumeResourceRequirements::default()
                }),
                storage_class_name: self.class.map(str::to_owned),
                volume_mode: Some("Filesystem".to_owned()),
                ..PersistentVolumeClaimSpec::default()
            }),
            status: None,
        };
        Change::append(Path::of(&["spec", "volumeClaimTemplates"]), claim)
    }

    /// Why it could never be bound; asked last, since the cluster may have to be asked.
    #[must_use]
    pub fn unbound(&self, cx: &Context<'_>) -> Option<String> {
        match (cx.storage_class(self.class), self.class) {
            (Known::Present(_), _) => None,
            (Known::Absent, Some(class)) => Some(format!("storage class {class:?} does not exist")),
            (Known::Unknown, Some(class)) => {
                Some(format!("storage class {class:?} is not known to exist"))
            }
            (Known::Absent, None) => Some("there is no default storage class".to_owned()),
            (Known::Unknown, None) => Some("no default storage class is known to exist".to_owned()),
        }
    }

    /// What was done, and what that means for ever; `place` says where it was mounted, if it was.
    #[must_use]
    pub fn done(&self, cx: &Context<'_>, place: &str) -> String {
        let (name, storage) = (self.name, self.storage.as_str());
        let class = self.class.map_or_else(
            || "the default class".to_owned(),
            |class| format!("class {class}"),
        );
        let left = self.leftovers(cx);
        format!(
            "added claim template {name}, {storage} of {class}{place}; it can never change, so later manifests must state the same. {left}"
        )
    }

    fn leftovers(&self, cx: &Context<'_>) -> String {
        let set = if cx.name.is_empty() { "<set>" } else { cx.name };
        match cx.leftover_claims(self.name) {
            None => format!(
                "Leftover claims {}-{set}-N, if there are any, are adopted",
                self.name
            ),
            Some(left) if left.is_empty() => format!("No claim {}-{set}-N is left over", self.name),
            Some(left) => format!(
                "Leftover claims are adopted with what is in them: {}",
                first(&left, NAMED)
            ),
        }
    }
}

/// Why a set gets no claim template in a cluster that has some of its own: without us, the next apply of its manifest would be
/// one that changes the list, and nobody may.
#[must_use]
pub fn has_own(sts: &StatefulSet<'_>) -> Option<&'static str> {
    let has = !sts.spec.volume_claim_templates.is_empty();
    has.then_some("the set has claim templates of its own, and that list is lengthened in the manifest alone: `steadfast fix` does it")
}

/// What speaks against any claim template for this set.
#[must_use]
pub fn unwanted(sts: &StatefulSet<'_>) -> Option<String> {
    let retention = &sts.spec.claim_retention;
    let mut whens = [&retention.when_deleted, &retention.when_scaled].into_iter();
    let is_deleted = whens.any(|when| *when == "Delete");
    is_deleted.then(|| {
        "claims of this set are deleted with its pods (persistentVolumeClaimRetentionPolicy)"
            .to_owned()
    })
}
