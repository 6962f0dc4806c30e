//! Injected probes over a set's life: put back where they were dropped, taken out where they no longer fit.

use serde_json::Value;

use super::super::{Case, guard};
use crate::object::record::{Entry, contains};
use crate::object::view::StatefulSet;
use crate::object::{ApplyError, Change, Draft, Path};
use crate::rule::waiver::waivers;

/// The ways to ask; a probe has one of them.
const HANDLERS: [&str; 4] = ["exec", "grpc", "httpGet", "tcpSocket"];

/// Does for one recorded probe what the update calls for, and says so. Only what the old object still has counts: a probe
/// that somebody changed since is his own.
pub(super) fn mend(
    draft: &mut Draft<'_>,
    case: &Case<'_>,
    old: &StatefulSet<'_>,
    entry: &Entry,
    raw_old: &Value,
) -> Result<Option<String>, ApplyError> {
    let Some(container) = entry
        .container
        .as_deref()
        .filter(|_| entry.holds_in(raw_old))
    else {
        return Ok(None);
    };
    let (at, now) = match &entry.places_in(draft.object()?)[..] {
        [(at, now)] => (at.clone(), now.cloned()),
        _ => return Ok(None),
    };
    let path = &entry.path;
    let Some(now) = now else {
        return put_back(draft, case, old, entry, container, at, raw_old);
    };
    let Some(handler) = HANDLERS
        .into_iter()
        .find(|handler| !entry.value[handler].is_null())
    else {
        return Ok(None);
    };
    if !contains(&now[handler], &entry.value[handler]) {
        return Ok(None);
    }
    // A merging client leaves ours beside the user's, and the API server refuses two.
    if let Some(own) = HANDLERS
        .into_iter()
        .find(|other| *other != handler && !now[other].is_null())
    {
        draft.apply(&Change::Remove {
            at: at.key(handler),
        })?;
        return Ok(Some(format!(
            "{path}: {own} takes the place of the injected {handler}"
        )));
    }
    if asks_the_same_port(entry, container, old, case.object) {
        return Ok(None);
    }
    draft.apply(&Change::Remove { at })?;
    Ok(Some(format!(
        "{path} was injected for a port that is gone; removed. Add one of your own"
    )))
}

/// Puts back a probe that was dropped, unless somebody declines it or its port is another now.
fn put_back(
    draft: &mut Draft<'_>,
    case: &Case<'_>,
    old: &StatefulSet<'_>,
    entry: &Entry,
    container: &str,
    at: Path,
    raw_old: &Value,
) -> Result<Option<String>, ApplyError> {
    let (rule, path) = (&entry.rule, &entry.path);
    let waived = waivers(case.object).any(|waiver| waiver.covers(rule, Some(container)));
    if waived || guard::declines(case.object) {
        return Ok(None);
    }
    if !asks_the_same_port(entry, container, old, case.object) {
        return Ok(Some(format!(
            "{path} was left out, and the port that it asked has changed; not kept"
        )));
    }
    let value = entry
        .places_in(raw_old)
        .into_iter()
        .find_map(|(_, value)| value.cloned());
    draft.apply(&Change::set(at, value))?;
    Ok(Some(format!(
        "{path} was left out; kept the injected one. To drop it: annotate allow.steadfast.dev/{rule}: \"<reason>\""
    )))
}

/// Whether the port that the probe asks, by name or number, was declared and still is. A probe must not outlive it; one that
/// asks by name goes along when the number changes, as it would if it were derived anew.
fn asks_the_same_port(
    entry: &Entry,
    container: &str,
    old: &StatefulSet<'_>,
    new: &StatefulSet<'_>,
) -> bool {
    let port = HANDLERS
        .into_iter()
        .find_map(|handler| entry.value[handler].get("port"));
    let is_declared = |set: &StatefulSet<'_>| {
        let container = set
            .containers()
            .find(|candidate| *container == *candidate.name);
        container.is_some_and(|container| {
            container.item().ports.iter().any(|declared| match port {
                Some(Value::String(name)) => **name == *declared.name,
                port => port.and_then(Value::as_i64) == Some(declared.container_port),
            })
        })
    };
    is_declared(old) && is_declared(new)
}
