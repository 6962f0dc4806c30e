//! One rule, one file. A file's head is its documentation, its examples and its test; adding a rule is its file and two
//! lines here. Rules never use each other.

pub mod access_mode_replicas;
pub mod ambiguous_governing_service;
pub mod blocking_disruption_budget;
pub mod claim_shadows_volume;
pub mod claim_template_incomplete;
pub mod claims_deleted;
pub mod dangling_volume_mount;
pub mod digit_first_service_name;
pub mod disallowed_update_strategy;
pub mod displaced_data;
pub mod duplicate_claim_template;
pub mod immutable_field_change;
pub mod implicit_update_strategy;
pub mod ineffective_annotation;
pub mod missing_governing_service;
pub mod missing_liveness_probe;
pub mod missing_readiness_probe;
pub mod missing_service_name;
pub mod no_default_storage_class;
pub mod non_headless_service;
pub mod partition_beyond_replicas;
pub mod service_selector_mismatch;
pub mod shared_claim;
pub mod stale_partition;
pub mod storage_size_bounds;
pub mod undeclared_probe_port;
pub mod unexpandable_storage;
pub mod unknown_storage_class;
pub mod unmounted_claim_template;
pub mod unpublished_peers;
pub mod volatile_data;
pub mod volume_behind_claim;
pub mod zero_grace_period;

use std::sync::LazyLock;

use crate::rule::Entry;

/// Every rule, in the order in which they run and report.
pub const RULES: &[Entry] = &[
    Entry::of::<immutable_field_change::ImmutableFieldChange>(),
    Entry::of::<claims_deleted::ClaimsDeleted>(),
    Entry::of::<displaced_data::DisplacedData>(),
    Entry::of::<zero_grace_period::ZeroGracePeriod>(),
    Entry::of::<dangling_volume_mount::DanglingVolumeMount>(),
    Entry::of::<volatile_data::VolatileData>(),
    Entry::of::<missing_service_name::MissingServiceName>(),
    Entry::of::<ambiguous_governing_service::AmbiguousGoverningService>(),
    Entry::of::<missing_governing_service::MissingGoverningService>(),
    Entry::of::<non_headless_service::NonHeadlessService>(),
    Entry::of::<service_selector_mismatch::ServiceSelectorMismatch>(),
    Entry::of::<unpublished_peers::UnpublishedPeers>(),
    Entry::of::<digit_first_service_name::DigitFirstServiceName>(),
    Entry::of::<missing_readiness_probe::MissingReadinessProbe>(),
    Entry::of::<missing_liveness_probe::MissingLivenessProbe>(),
    Entry::of::<undeclared_probe_port::UndeclaredProbePort>(),
    Entry::of::<implicit_update_strategy::ImplicitUpdateStrategy>(),
    Entry::of::<disallowed_update_strategy::DisallowedUpdateStrategy>(),
    Entry::of::<partition_beyond_replicas::PartitionBeyondReplicas>(),
    Entry::of::<stale_partition::StalePartition>(),
    Entry::of::<blocking_disruption_budget::BlockingDisruptionBudget>(),
    Entry::of::<volume_behind_claim::VolumeBehindClaim>(),
    Entry::of::<shared_claim::SharedClaim>(),
    Entry::of::<claim_shadows_volume::ClaimShadowsVolume>(),
    Entry::of::<unmounted_claim_template::UnmountedClaimTemplate>(),
    Entry::of::<duplicate_claim_template::DuplicateClaimTemplate>(),
    Entry::of::<claim_template_incomplete::ClaimTemplateIncomplete>(),
    Entry::of::<unknown_storage_class::UnknownStorageClass>(),
    Entry::of::<no_default_storage_class::NoDefaultStorageClass>(),
    Entry::of::<storage_size_bounds::StorageSizeBounds>(),
    Entry::of::<access_mode_replicas::AccessModeReplicas>(),
    Entry::of::<unexpandable_storage::UnexpandableStorage>(),
    Entry::of::<ineffective_annotation::IneffectiveAnnotation>(),
];

/// The rule of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Entry> {
    RULES.iter().find(|entry| entry.meta.id == id)
}

/// The ids of all rules.
pub static IDS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| RULES.iter().map(|entry| entry.meta.id).collect());
