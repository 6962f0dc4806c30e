//! What an UPDATE dropped and must not lose: immutable fields, injected probes, and the record of them.
//!
//! It knows no policy: what was injected under one must survive every other, or the next PUT of the author's manifest is
//! refused, or starts a rollout.

use serde_json::Value;

use super::{Case, guard};
use crate::object::record::{self, Carried, Entry, Record, contains};
use crate::object::view::{Container, StatefulSet};
use crate::object::{ApplyError, Change, Draft, Path};
use crate::rule::waiver::waivers;

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
    let annotation = old
        .metadata
        .annotations
        .get(record::ANNOTATION)
        .map(|text| &**text);
    match Record::read(annotation) {
        Carried::Record(record) => {
            for entry in &record.injected {
                said.extend(put_back(&mut draft, case, old, entry, &raw_old)?);
            }
            keep_record(&mut draft, record)?;
        }
        // Of a version that is newer: whoever wrote it knows what it means.
        Carried::Foreign
            if case
                .object
                .metadata
                .annotations
                .get(record::ANNOTATION)
                .is_none() =>
        {
            draft.apply(&Change::set(Record::path(), annotation))?;
        }
        Carried::None | Carried::Foreign => {}
    }
    Ok((draft, said))
}

/// Whether the views tell of anything that may be gone; only then is raw JSON read. An edit that keeps the record and all
/// that rules read has lost nothing.
fn may_have_lost(new: &StatefulSet<'_>, old: &StatefulSet<'_>) -> bool {
    let annotation = |set: &StatefulSet<'_>| {
        set.metadata
            .annotations
            .get(record::ANNOTATION)
            .map(ToString::to_string)
    };
    let service = new.spec.service_name.is_empty() && !old.spec.service_name.is_empty();
    let claims = new.spec.volume_claim_templates.len() < old.spec.volume_claim_templates.len();
    let recorded =
        annotation(old).is_some() && (annotation(new) != annotation(old) || new.spec != old.spec);
    service || claims || recorded
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

/// Puts back one recorded value of the pod template that the old object has and the new one lacks.
fn put_back(
    draft: &mut Draft<'_>,
    case: &Case<'_>,
    old: &StatefulSet<'_>,
    entry: &Entry,
    raw_old: &Value,
) -> Result<Option<String>, ApplyError> {
    let Some(name) = entry
        .container
        .as_deref()
        .filter(|_| entry.holds_in(raw_old))
    else {
        return Ok(None);
    };
    let gone: Vec<Path> = match &entry.places_in(draft.object()?)[..] {
        [(at, None)] => vec![at.clone()],
        _ => return Ok(None),
    };
    if guard::declines(case.object)
        || waivers(case.object).any(|waiver| waiver.covers(&entry.rule, Some(name)))
    {
        return Ok(None);
    }
    let container = |set: &StatefulSet<'_>| {
        set.containers()
            .find(|container| *container.name == *name)
            .map(|at| declared(&at))
    };
    // A probe must not outlive the port that it asks.
    let port = entry.value["tcpSocket"]
        .get("port")
        .or_else(|| entry.value["grpc"].get("port"));
    let same = |ports: &[(String, i64)]| match port {
        Some(Value::String(port)) => ports.iter().find(|(name, _)| name == port).cloned(),
        port => ports
            .iter()
            .find(|(_, number)| port.and_then(Value::as_i64) == Some(*number))
            .cloned(),
    };
    let (before, after) = (
        container(old).unwrap_or_default(),
        container(case.object).unwrap_or_default(),
    );
    let path = &entry.path;
    if same(&before).is_none() || same(&before) != same(&after) {
        return Ok(Some(format!(
            "{path} was left out, and the port that it asked has changed; not kept"
        )));
    }
    let value = entry
        .places_in(raw_old)
        .into_iter()
        .find_map(|(_, value)| value.cloned());
    for at in gone {
        draft.apply(&Change::set(at, &value))?;
    }
    let rule = &entry.rule;
    Ok(Some(format!(
        "{path} was left out; kept the injected one. To drop it: annotate allow.steadfast.dev/{rule}: \"<reason>\""
    )))
}

/// Names and numbers of the ports that a container declares.
fn declared(container: &Container<'_>) -> Vec<(String, i64)> {
    container
        .ports
        .iter()
        .map(|port| (port.name.to_string(), port.container_port))
        .collect()
}

/// Keeps the record as far as it is true: a PUT drops it, and an entry whose value is gone lapses.
fn keep_record(draft: &mut Draft<'_>, record: Record) -> Result<(), ApplyError> {
    let object = draft.object()?;
    let found = object["metadata"]["annotations"][record::ANNOTATION]
        .as_str()
        .map(str::to_owned);
    let true_still: Vec<_> = record
        .injected
        .into_iter()
        .filter(|entry| entry.holds_in(object))
        .collect();
    let text = (!true_still.is_empty()).then(|| Record::new(true_still).text());
    match (&text, &found) {
        (Some(text), found) if Some(text) != found.as_ref() => {
            draft.apply(&Change::set(Record::path(), text))
        }
        (None, Some(_)) => draft.apply(&Change::Remove { at: Record::path() }),
        _ => Ok(()),
    }
}
