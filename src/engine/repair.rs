//! What a manifest is to state itself: what a cluster would inject, and what only a manifest can repair.

use json_patch::{PatchOperation, RemoveOperation};
use serde_json::{Map, Value};

use super::cap::Cap;
use super::{Case, Found, Outcome, Restored, Verdict, check, guard, restore, with_object};
use crate::object::record::Record;
use crate::object::{ApplyError, Change, Draft, Path};
use crate::policy::{Policy, Selected};
use crate::rule::{Fix, FixMode, Operation};

/// The repairs of a manifest. Without a stored set all that would be injected; with one what an update would get back, and of
/// the rest what can still be changed. A record of what was injected is no part of a manifest.
#[must_use]
pub fn repair(case: &Case<'_>, policy: &Policy) -> Verdict {
    if guard::is_leaving(case) {
        return Verdict::default();
    }
    let restored = restore(case, &policy.catalogue);
    let restored = restored.and_then(|verdict| without_record(verdict, case));
    let mut restored = restored.unwrap_or_else(|error| gave_up(&error));
    let added = with_object(case, restored.patched.as_ref(), |case| add(case, policy));
    restored.patch.0.extend(added.patch.0.iter().cloned());
    restored.patched = added.patched.clone().or(restored.patched);
    restored.add(added);
    restored
}

fn gave_up(error: &ApplyError) -> Verdict {
    Verdict {
        notes: vec![format!("nothing was repaired: {error}")],
        ..Verdict::default()
    }
}

/// What was restored, and no record of what was injected: neither that of what was restored, nor one that `kubectl get -o yaml`
/// has brought along, with the map of annotations where it is the only one.
fn without_record(mut verdict: Verdict, case: &Case<'_>) -> Result<Verdict, ApplyError> {
    let annotations = Path::of(&["metadata", "annotations"]).pointer();
    let record = Record::path().pointer();
    let operations = &mut verdict.patch.0;
    // With the first annotation comes the map of them.
    operations.retain(|one| *one.path() != *record && *one.path() != *annotations);
    if operations.is_empty() && Record::text_on(case.object).is_none() {
        verdict.patched = None;
        return Ok(verdict);
    }
    let mut object = (case.read)()?;
    if record.resolve(&object).is_ok() {
        let all = annotations.resolve(&object).ok();
        let is_alone = all.and_then(Value::as_object).map(Map::len) == Some(1);
        let path = if is_alone { annotations } else { record };
        operations.push(PatchOperation::Remove(RemoveOperation { path }));
        let at = Record::path();
        let message = format!(
            "{at}, the record of what was injected into a stored set, was removed: a manifest has none"
        );
        verdict.restored.push(Restored { at, message });
    }
    json_patch::patch(&mut object, &verdict.patch)
        .expect("it applies to what it was made from, in which nothing else is about annotations");
    verdict.patched = Some(object);
    Ok(verdict)
}

/// What is written into the manifest, all of it or nothing.
fn add(case: &Case<'_>, policy: &Policy) -> Verdict {
    // As if it were made, since an update injects nothing.
    let made = Case {
        operation: Operation::Create,
        old: None,
        ..*case
    };
    let cap = Cap::of(&made);
    let has_fixes = |rule: &&Selected| rule.meta.fixes;
    let rules = policy.rules.iter().filter(has_fixes);
    let (found, questions) = check(&made, &policy.catalogue, rules, &cap);
    let may_write = cap.injects() && guard::may_inject(&made);
    let is_due = |found: &Found<'_>| {
        may_write && !found.waived && found.manifest_fix_mode() == Some(FixMode::Apply)
    };
    let mut verdict = Verdict {
        questions,
        notes: cap.note.into_iter().collect(),
        ..Verdict::default()
    };
    let mut draft = Draft::new(case.read);
    for found in found.into_iter().filter(is_due) {
        let Some(fix) = &found.finding.fix else {
            continue;
        };
        if case.old.is_some() && can_never_follow(fix) {
            verdict.notes.push(format!(
                "{}: {}. It is not repaired, since that can be said only when the set is made",
                found.selected.meta.id, found.finding.message
            ));
            continue;
        }
        let mut changes = fix.changes.iter();
        if let Err(error) = changes.try_for_each(|change| draft.apply(change)) {
            return gave_up(&error);
        }
        verdict.judged.push(found.judged(Outcome::Injected));
    }
    (verdict.patch, verdict.patched) = draft.finish();
    verdict
}

/// Whether a stored set refuses it.
fn can_never_follow(fix: &Fix) -> bool {
    let never = ["serviceName", "volumeClaimTemplates"].map(|field| Path::of(&["spec", field]));
    let mut places = fix.changes.iter().map(Change::at);
    places.any(|at| never.iter().any(|never| at.is_within(never)))
}
