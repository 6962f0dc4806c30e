//! What the record may say after an update, and the mounts and variables that it brings back with a claim template.

use proptest::{prop_assert, prop_assert_eq};
use serde_json::Value;
use steadfast::object::ownership::Ownership;
use steadfast::object::probe::HANDLERS;
use steadfast::object::record::{Carried, Entry, Record, contains};
use steadfast::object::view::StatefulSet;
use steadfast::rule::waiver::{INJECT, waivers};

use super::life::{Step, always};
use super::probes::still_asks;
use super::server::{containers, items};
use crate::common::RECORD;

impl Step<'_> {
    /// The entries of the stored set's record.
    pub(super) fn recorded(&self) -> Vec<Entry> {
        entries(self.old)
    }

    /// Whether the set's owner takes it upon himself to be without this.
    fn waives(&self, entry: &Entry) -> bool {
        let text = self.request.to_string();
        let set = StatefulSet::parse(&text).expect("a request can be read");
        waivers(&set).any(|waiver| waiver.covers(&entry.rule, entry.container.as_deref()))
    }

    /// Whether the request shows that its author writes what the recorded probe asks.
    pub(super) fn writes(&self, entry: &Entry) -> bool {
        let text = self.request.to_string();
        let set = StatefulSet::parse(&text).expect("a request can be read");
        let mut places = entry.places_in(self.request).into_iter();
        let handler = entry.handler().unwrap_or_default();
        places.any(|(at, _)| Ownership::of(&set.metadata).is_written(&at.key(handler)))
    }

    /// Whether a part that can be missed is to stay away.
    pub(super) fn declines(&self, entry: &Entry) -> bool {
        self.request["metadata"]["annotations"][INJECT] == "false" || self.waives(entry)
    }

    /// Whether a merge left the parameters of a rolling update beside the strategy that the user chose instead.
    pub(super) fn leaves_parameters(&self) -> bool {
        let [is, was] = [self.request, self.old].map(|set| &set["spec"]["updateStrategy"]);
        let left = !is["rollingUpdate"].is_null() && is["rollingUpdate"] == was["rollingUpdate"];
        was["type"] == "RollingUpdate" && is["type"] != "RollingUpdate" && left
    }
}

fn text(set: &Value) -> Option<&str> {
    set.pointer(RECORD).and_then(Value::as_str)
}

fn entries(set: &Value) -> Vec<Entry> {
    match Record::read(text(set)) {
        Carried::Record(record) => record.injected,
        Carried::None | Carried::Foreign => Vec::new(),
    }
}

#[test]
fn the_record_says_what_it_said_and_what_is_still_so() {
    always(|step| {
        if step.stored().is_none() {
            return Ok(());
        }
        let (old, new) = (step.recorded(), entries(step.result));
        // What has become untrue while nobody was asked stays until something changes: no update is made of none.
        let changes =
            step.request["spec"] != step.old["spec"] || text(step.request) != text(step.old);
        for entry in &new {
            let is_so = entry.lapsed || entry.holds_in(step.result) || !changes;
            prop_assert!(is_so, "{step}is not so: {entry:?}");
            let known = old.iter().any(|old| is_renewed(entry, old));
            prop_assert!(known, "{step}was not recorded: {entry:?}");
        }
        let lasts = |entry: &&Entry| {
            let held = entry.holds_in(step.old) && entry.holds_in(step.result);
            let is_kept = || still_asks(entry, step.request) && !step.writes(entry);
            held && !entry.lapsed && (!entry.is_probe() || is_kept())
        };
        for entry in old.iter().filter(lasts) {
            prop_assert!(
                new.contains(entry),
                "{step}is recorded no longer: {entry:?}"
            );
        }
        Ok(())
    });
}

/// Whether this is the old entry, given up or brought back, or its probe with another handler.
fn is_renewed(entry: &Entry, old: &Entry) -> bool {
    let without_handler = |entry: &Entry| {
        let mut entry = entry.clone();
        entry.lapsed = false;
        entry.workload = None;
        if !entry.is_probe() {
            return entry;
        }
        if let Some(fields) = entry.value.as_object_mut() {
            fields.retain(|field, _| !HANDLERS.contains(&field.as_str()));
        }
        entry
    };
    without_handler(entry) == without_handler(old)
}

#[test]
fn a_record_of_another_version_is_left_as_it_is() {
    always(|step| {
        let [was, is, becomes] = [step.old, step.request, step.result].map(text);
        if Record::read(was) == Carried::Foreign {
            prop_assert_eq!(becomes, is.or(was), "{}", step);
        }
        if was.is_none() && Record::read(is) == Carried::Foreign {
            prop_assert_eq!(becomes, is, "{}", step);
        }
        Ok(())
    });
}

/// Whether all that was added at this place is a mount or a variable that stands on record for the container and was in the
/// stored set.
pub(super) fn is_a_part_of_ours(step: &Step<'_>, at: &str, value: &Value) -> bool {
    let mut steps = at.split('/').skip(4);
    let (Some(_list), Some(_index), Some(field @ ("volumeMounts" | "env"))) =
        (steps.next(), steps.next(), steps.next())
    else {
        return false;
    };
    let container = at.split('/').take(6).collect::<Vec<_>>().join("/");
    let name = step
        .request
        .pointer(&container)
        .and_then(|container| container["name"].as_str());
    let recorded = step.recorded();
    let is_ours = |item: &Value| {
        recorded.iter().any(|entry| {
            entry.container.as_deref() == name
                && entry.path.contains(&format!("].{field}["))
                && entry.value == *item
                && entry.holds_in(step.old)
                && !step.waives(entry)
        })
    };
    match steps.next() {
        Some(_) => is_ours(value),
        None => items(value).all(is_ours),
    }
}

#[test]
fn what_came_with_a_claim_comes_back_where_there_is_room() {
    always(|step| {
        let recorded = step.recorded();
        let of = |field: &str| recorded.iter().find(|entry| entry.path.contains(field));
        let (Some(mount), Some(env)) = (of("].volumeMounts["), of("].env[")) else {
            return Ok(());
        };
        let find = |set| {
            let name = mount.container.as_deref().unwrap_or_default();
            containers(set)
                .find(|container| container["name"] == name)
                .unwrap_or(&Value::Null)
        };
        let (is, becomes) = (find(step.request), find(step.result));
        let has = |list: &Value, key: &str, entry: &Entry| {
            items(list).any(|item| item[key] == entry.value[key])
        };
        let mounted = containers(step.request)
            .any(|container| has(&container["volumeMounts"], "name", mount));
        let room = !is.is_null() && !mounted && !has(&is["volumeMounts"], "mountPath", mount);
        let comes_back =
            |entry: &Entry| step.rolls() && entry.holds_in(step.old) && !step.waives(entry);
        let holds =
            |list: &Value, entry: &Entry| items(list).any(|item| contains(item, &entry.value));
        if room && comes_back(mount) {
            let back = holds(&becomes["volumeMounts"], mount);
            prop_assert!(back, "{step}the mount is gone");
        }
        let needed = room || holds(&is["volumeMounts"], mount);
        if needed && comes_back(env) && !has(&is["env"], "name", env) {
            prop_assert!(holds(&becomes["env"], env), "{step}the variable is gone");
        }
        // Who mounts the claim in another way answers for it.
        let untouched = room || becomes["volumeMounts"] == is["volumeMounts"];
        prop_assert!(untouched, "{step}a mount came");
        let untouched = needed || becomes["env"] == is["env"];
        prop_assert!(untouched, "{step}a variable came");
        Ok(())
    });
}
