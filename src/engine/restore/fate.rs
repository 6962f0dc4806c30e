//! What an update makes of an injected probe, by what the request has, what was stored, and who wrote what.

use serde_json::Value;

use super::super::guard;
use super::Restoration;
use crate::object::probe::{HANDLERS, asks_nothing};
use crate::object::record::{Entry, contains};
use crate::object::view::{Container, StatefulSet};
use crate::object::{At, Path};

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
    /// The startup probe beside it is gone.
    IsUnprotected,
}

impl Fate {
    /// Whether a probe of ours is there afterwards.
    pub(super) fn keeps(&self) -> bool {
        matches!(self, Self::Stays(_) | Self::ComesBack | Self::IsStale)
    }
}

impl Restoration<'_, '_> {
    pub(super) fn fate(
        &self,
        entry: &Entry,
        at: &Path,
        now: Option<&Value>,
        (fits, renewed): (bool, Option<&Entry>),
    ) -> Fate {
        let (new, old) = (&self.owners, &self.old_owners);
        let Some(handler) = entry.handler() else {
            return Fate::Lapses;
        };
        if new.is_written(&at.clone().key(handler)) {
            return Fate::Lapses;
        }
        let dropped = old.is_written(at) && !new.is_written(at);
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
        if dropped && self.may_leave_a_part(at) && !contains(now, &entry.value) {
            return Fate::IsRemnant;
        }
        match (fits, contains(now, &entry.value)) {
            (true, _) => Fate::Stays(entry.clone()),
            (false, true) => Fate::IsStale,
            // With a number of his it is its author's, port and all.
            (false, false) => Fate::Lapses,
        }
    }

    /// Whether the set's owner declines what was injected here: a probe that is gone then stays gone.
    pub(super) fn is_declined(&self, entry: &Entry) -> bool {
        guard::declines(self.case.object) || self.is_waived(entry)
    }

    /// The entry with the value that stands for it in the old object; of one that lapsed the one that a rollback brought
    /// back, maybe on the port of that time.
    pub(super) fn at_present(&self, entry: &Entry, now: Option<&Value>) -> Option<Entry> {
        if !entry.lapsed {
            return entry.standing_in_object(&self.raw_old, &self.old_owners);
        }
        let was = entry.places_in(&self.raw_old).into_iter();
        let was = was.filter_map(|(_, value)| value);
        let brought_back = was.chain(now).filter_map(|value| entry.on_its_port(value));
        // Ours always asked a declared port, or as its workload is asked; one that does not is its author's.
        let asked_a_port = |entry: &Entry| {
            entry.workload.is_some()
                || asks_a_port_of(entry, self.case.object)
                || asks_a_port_of(entry, self.old)
        };
        brought_back.into_iter().find(asked_a_port)
    }

    /// Whether numbers are left of the stored probe, and nothing to ask, which the API server refuses: a server-side apply that
    /// took its handler away does not own the numbers, since a rollback wrote them. What the author writes is for him to mend.
    pub(super) fn has_no_handler(&self, at: &Path, now: Option<&Value>) -> bool {
        let was = at.pointer().resolve(&self.raw_old).ok();
        let is_left = |now| asks_nothing(now) && was.is_some_and(|was| contains(was, now));
        now.is_some_and(is_left) && self.may_leave_a_part(at)
    }

    /// Whether what is at this place may be there without its author: only a server-side apply takes away a part.
    fn may_leave_a_part(&self, at: &Path) -> bool {
        self.owners.is_applied_server_side() && !self.owners.is_written(at)
    }
}

/// Whether the container declares the port that the probe asks, by name or number. A probe must not outlive it; one that
/// asks by name goes along when the number changes, as it would if it were derived anew.
pub(super) fn asks_a_port_of(entry: &Entry, set: &StatefulSet<'_>) -> bool {
    let Some(handler) = entry.handler() else {
        return false;
    };
    let port = &entry.value[handler]["port"];
    container_of(entry, set).is_some_and(|container| {
        let ports = container.item().ports.iter();
        let mut ports = ports.filter(|declared| declared.protocol == "TCP");
        ports.any(|declared| match port {
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
