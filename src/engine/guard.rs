//! What must not happen, whatever a rule or a policy says.

use super::Case;
use crate::object::ownership::Ownership;
use crate::object::record::{self, Record};
use crate::object::view::StatefulSet;
use crate::rule::Operation;
use crate::rule::waiver::INJECT;

/// Whether the set is being deleted. Its finalizers are being taken off, and nobody may be in their way. On a PUT only
/// the old object has the timestamp.
pub(super) fn is_leaving(case: &Case<'_>) -> bool {
    case.old
        .is_some_and(|old| old.metadata.deletion_timestamp.is_some())
}

/// Whether the set is ours to write to: it is being made, and by no operator, who would compare it with what it wrote and
/// fight us.
pub(super) fn may_act(case: &Case<'_>) -> bool {
    case.operation == Operation::Create && case.object.controller().is_none()
}

/// A word on a record that the manifest itself brings along, as `kubectl get -o yaml` makes them. What we wrote, in this
/// request or in an earlier one, nobody owns; without managedFields the record of the stored set is taken for that.
pub(super) fn carried_record(case: &Case<'_>) -> Option<String> {
    let (is, was) = (
        Record::text_on(case.object),
        case.old.and_then(Record::text_on),
    );
    let (metadata, at) = (&case.object.metadata, Record::path());
    let kept = is.is_none() || is == was && metadata.managed_fields.is_none();
    (!kept && Ownership::of(metadata).is_owned(&at)).then(|| {
        format!("the manifest carries {at}, the record of what was injected into a stored set; remove it there, it grows stale")
    })
}

/// Whether the set declines every injection.
pub(super) fn declines(set: &StatefulSet<'_>) -> bool {
    set.metadata.annotations.says(INJECT, "false")
}

/// Whether anything may be added.
pub(super) fn may_inject(case: &Case<'_>) -> bool {
    may_act(case) && !declines(case.object)
}

/// Whether the annotations have room for the record: an object with more than the limit is refused as a whole.
pub(super) fn fits(case: &Case<'_>, text: &str) -> Result<(), String> {
    let annotations = &case.object.metadata.annotations;
    let old = Record::text_on(case.object).map_or(0, |old| record::ANNOTATION.len() + old.len());
    if annotations.bytes() - old + record::ANNOTATION.len() + text.len() > record::ANNOTATIONS_LIMIT
    {
        return Err("nothing was injected: the annotations leave no room for the record of it (256 KiB in all)".to_owned());
    }
    Ok(())
}
