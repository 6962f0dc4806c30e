//! What an UPDATE must not lose, and what it must not be left with: immutable fields, injected probes, the record of them.
//!
//! It knows no policy: what was injected under one must survive every other, or the next PUT of the author's manifest is
//! refused, or starts a rollout.

mod probes;

use serde_json::Value;

use super::Case;
use crate::object::record::{Carried, Record, contains};
use crate::object::view::StatefulSet;
use crate::object::{ApplyError, Change, Draft, Path};

/// Puts back what the request dropped, and says so.
pub(super) fn restore<'a>(case: &Case<'a>) -> Result<(Draft<'a>, Vec<String>), ApplyError> {
    let mut draft = Draft::new(case.read);
    let Some(old) = case.old.filter(|old| may_have_lost(case.object, old)) else {
        return Ok((draft, Vec::new()));
    };
    let raw_old = (case.read_old)()?;
    let mut said = Vec::new();
    if case.object.spec.service_name.is_empty() && !old.spec.service_name.is_empty() {
        let name = &*old.spec.service_name;
        draft.apply(&Change::set(Path::of(&["spec", "serviceName"]), name))?;
        said.push(format!(
            "spec.serviceName was left out; kept {name:?}, since it can never change"
        ));
    }
    if let Some(dropped) = dropped_claims(draft.object()?, &raw_old) {
        let claims = Path::of(&["spec", "volumeClaimTemplates"]);
        draft.apply(&Change::set(
            claims,
            &raw_old["spec"]["volumeClaimTemplates"],
        ))?;
        said.push(format!("spec.volumeClaimTemplates was left without {dropped}; kept it, since it can never change"));
    }
    said.extend(drop_leftover_parameters(&mut draft, case, &raw_old)?);
    let (was, is) = (Record::text_on(old), Record::text_on(case.object));
    match Record::read(was) {
        Carried::Record(record) => {
            for entry in &record.injected {
                said.extend(probes::mend(&mut draft, case, old, entry, &raw_old)?);
            }
            // A PUT drops the record, and an entry whose value is gone lapses.
            let object = draft.object()?;
            let true_still = record
                .injected
                .into_iter()
                .filter(|entry| entry.holds_in(object));
            if let Some(change) = Record::new(true_still.collect()).change(is) {
                draft.apply(&change)?;
            }
        }
        // Of a version that is newer: whoever wrote it knows what it means.
        Carried::Foreign if is.is_none() => draft.apply(&Change::set(Record::path(), was))?,
        Carried::None | Carried::Foreign => {}
    }
    Ok((draft, said))
}

/// Whether the views tell of anything that may be gone; only then is raw JSON read. An edit that keeps the record and all
/// that rules read has lost nothing.
fn may_have_lost(new: &StatefulSet<'_>, old: &StatefulSet<'_>) -> bool {
    let (was, is) = (Record::text_on(old), Record::text_on(new));
    let service = new.spec.service_name.is_empty() && !old.spec.service_name.is_empty();
    let claims = new.spec.volume_claim_templates.len() < old.spec.volume_claim_templates.len();
    let strategy = new.spec.update_strategy().type_ != old.spec.update_strategy().type_;
    let recorded = was.is_some() && (is != was || new.spec != old.spec);
    service || claims || strategy || recorded
}

/// The names of the claim templates that were dropped, where nothing else was done to the list: what is left has the old
/// order and says nothing new. Any other difference is for the API server to refuse.
fn dropped_claims(new: &Value, old: &Value) -> Option<String> {
    let list = |set: &Value| {
        set["spec"]["volumeClaimTemplates"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let name = |claim: &Value| {
        claim["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut left = list(new).into_iter().peekable();
    let mut dropped = Vec::new();
    for claim in list(old) {
        if left
            .next_if(|left| name(left) == name(&claim) && contains(&claim, left))
            .is_none()
        {
            dropped.push(name(&claim));
        }
    }
    (left.peek().is_none() && !dropped.is_empty()).then(|| dropped.join(", "))
}

/// Takes away the parameters of a rolling update that a merging client left behind when the user chose another strategy: the
/// API server refuses the two together, with or without us (kubernetes/kubernetes `pkg/apis/apps/validation/validation.go`).
fn drop_leftover_parameters(
    draft: &mut Draft<'_>,
    case: &Case<'_>,
    old: &Value,
) -> Result<Option<String>, ApplyError> {
    let is_rolling =
        |strategy: &Value| strategy["type"].as_str().unwrap_or("RollingUpdate") == "RollingUpdate";
    let (was, is) = (
        &old["spec"]["updateStrategy"],
        &draft.object()?["spec"]["updateStrategy"],
    );
    let left = !is["rollingUpdate"].is_null() && is["rollingUpdate"] == was["rollingUpdate"];
    if !(is_rolling(was) && !is_rolling(is) && left) {
        return Ok(None);
    }
    let at = Path::of(&["spec", "updateStrategy", "rollingUpdate"]);
    let said = format!(
        "{at} was left over from the old strategy; removed, since {} has none",
        case.object.spec.update_strategy().type_
    );
    draft.apply(&Change::Remove { at })?;
    Ok(Some(said))
}
