//! What an update makes of an injected probe, by what the request has, what was stored, and who wrote what.

use serde_json::Value;

use super::super::guard;
use super::Restoration;
use crate::object::ownership::is_written;
use crate::object::record::{Entry, contains};
use crate::object::view::{Container, StatefulSet};
use crate::object::{At, Path};
use crate::rule::HANDLERS;

/// What an update makes of a recorded probe.
pub(super) enum Fate {
    /// It is its author's now, or nobody's.
    Lapses,
    /// It is as it should be, or already asks as this entry says.
    Stays(Entry),
    /// It was dropped.
    ComesBack,
    /// The author's own handler came beside it.
    Yields(&'static str),
    /// Its author took it out of the manifest, and another client's part of it is left.
    IsRemnant,
    /// The port that it asks is gone.
    IsStale,
}

impl Restoration<'_, '_> {
    pub(super) fn fate(
        &self,
        entry: &Entry,
        at: &Path,
        now: Option<&Value>,
        (fits, renewed): (bool, Option<&Entry>),
    ) -> Fate {
        let (new, old) = (&self.case.object.metadata, &self.old.metadata);
        let Some(handler) = handler(&entry.value) else {
            return Fate::Lapses;
        };
        if is_written(new, &at.clone().key(handler)) {
            return Fate::Lapses;
        }
        let dropped = is_written(old, at) && !is_written(new, at);
        let Some(now) = now else {
            return if dropped || self.is_declined(entry) {
                Fate::Lapses
            } else {
                Fate::ComesBack
            };
        };
        if let Some(renewed) = renewed.filter(|renewed| contains(now, &renewed.value)) {
            return Fate::Stays(renewed.clone());
        }
        if self.has_no_handler(at, Some(now)) {
            return Fate::IsRemnant;
        }
        if !contains(&now[handler], &entry.value[handler]) {
            return Fate::Lapses;
        }
        let mut others = HANDLERS.into_iter().filter(|other| *other != handler);
        if let Some(own) = others.find(|own| !now[own].is_null()) {
            return Fate::Yields(own);
        }
        if dropped && !contains(now, &entry.value) {
            return Fate::IsRemnant;
        }
        if fits {
            Fate::Stays(entry.clone())
        } else {
            Fate::IsStale
        }
    }

    /// Whether the set's owner declines what was injected here: a probe that is gone then stays gone.
    pub(super) fn is_declined(&self, entry: &Entry) -> bool {
        guard::declines(self.case.object) || self.is_waived(entry)
    }

    /// The entry with the value that stands for it: the recorded one, if the old object still has it; of one that lapsed the
    /// one that a rollback brought back, maybe on the port of that time.
    pub(super) fn at_present(&self, entry: &Entry, now: Option<&Value>) -> Option<Entry> {
        if !entry.lapsed {
            return entry.holds_in(&self.raw_old).then(|| entry.clone());
        }
        let was = entry.places_in(&self.raw_old).into_iter();
        let was = was.filter_map(|(_, value)| value);
        was.chain(now).find_map(|value| on_its_port(entry, value))
    }

    /// Whether numbers are left of a probe, and nothing to ask, which the API server refuses: a client that took its handler
    /// away does not own the numbers, since a rollback wrote them. What the author writes is for him to mend.
    pub(super) fn has_no_handler(&self, at: &Path, now: Option<&Value>) -> bool {
        now.is_some_and(asks_nothing) && !is_written(&self.case.object.metadata, at)
    }
}

/// How a recorded probe asks.
pub(super) fn handler(probe: &Value) -> Option<&'static str> {
    HANDLERS
        .into_iter()
        .find(|handler| !probe[handler].is_null())
}

/// Whether a probe has no handler, not even one that is newer than this program: every handler is an object.
fn asks_nothing(probe: &Value) -> bool {
    let fields = probe.as_object();
    fields.is_some_and(|fields| !fields.values().any(Value::is_object))
}

/// Whether the container declares the port that the probe asks, by name or number. A probe must not outlive it; one that
/// asks by name goes along when the number changes, as it would if it were derived anew.
pub(super) fn asks_a_port_of(entry: &Entry, set: &StatefulSet<'_>) -> bool {
    let Some(handler) = handler(&entry.value) else {
        return false;
    };
    let port = &entry.value[handler]["port"];
    container_of(entry, set).is_some_and(|container| {
        container.item().ports.iter().any(|declared| match port {
            Value::String(name) => **name == *declared.name,
            port => port.as_i64() == Some(declared.container_port),
        })
    })
}

pub(super) fn container_of<'s, 'v>(
    entry: &Entry,
    set: &'s StatefulSet<'v>,
) -> Option<At<'s, Container<'v>>> {
    let name = entry.container.as_deref()?;
    set.containers().find(|candidate| *candidate.name == *name)
}

/// The entry with `value`, where that is the recorded one but for its port.
fn on_its_port(entry: &Entry, value: &Value) -> Option<Entry> {
    let handler = handler(&entry.value)?;
    let mut ours = entry.value.clone();
    if !ours[handler]["port"].is_null() {
        ours[handler]["port"] = value[handler]["port"].clone();
    }
    contains(value, &ours).then(|| Entry {
        value: ours,
        lapsed: false,
        ..entry.clone()
    })
}
