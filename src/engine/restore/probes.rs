//! Injected probes over a set's life: put back where they were dropped, and derived anew or taken out where they no longer
//! fit. All of it only within a rollout that the user started.

use serde_json::Value;

use super::super::Case;
use super::Restoration;
use super::fate::{Fate, asks_a_port_of, container_of};
use crate::object::probe::{HANDLERS, handler};
use crate::object::record::{Entry, Record};
use crate::object::view::StatefulSet;
use crate::object::{ApplyError, Change, Path};
use crate::rule::{Context, Operation};
use crate::workload::Kind;

/// What the API server fills in where a probe leaves it out (kubernetes/kubernetes `pkg/apis/core/v1/defaults.go`).
const DEFAULTS: [(&str, i64); 4] = [
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
];

impl Restoration<'_, '_> {
    /// Does for one recorded probe what the update calls for, and returns the entry as it is then; none where it cannot be
    /// told which container is meant.
    pub(super) fn mend_probe(
        &mut self,
        recorded: &Entry,
        record: &Record,
    ) -> Result<Option<Entry>, ApplyError> {
        let (at, now) = match &recorded.places_in(self.draft.object()?)[..] {
            [(at, now)] => (at.clone(), now.cloned()),
            // A rollback may bring the container back, and the probe with it.
            [] => return Ok(Some(recorded.lapse())),
            _ => return Ok(None),
        };
        let entry = match self.at_present(recorded, now.as_ref()) {
            Some(entry) => entry,
            None if self.has_no_handler(&at, now.as_ref()) => {
                self.remove_remnant(recorded, at)?;
                return Ok(Some(recorded.lapse()));
            }
            None => return Ok(Some(recorded.lapse())),
        };
        let by_port = entry.workload.is_none();
        let asks_a_port = by_port && asks_a_port_of(&entry, self.case.object);
        let mut renewed = if asks_a_port || self.is_declined(&entry) {
            None
        } else {
            self.renewed(&entry, record)?
        };
        let fits = asks_a_port || self.fits_workload(&entry, renewed.as_ref());
        if fits {
            renewed = None;
        }
        let mut fate = self.fate(&entry, &at, now.as_ref(), (fits, renewed.as_ref()));
        if fate.keeps() && self.is_unprotected(&entry)? {
            fate = now.as_ref().map_or(Fate::Lapses, |_| Fate::IsUnprotected);
        }
        match fate {
            Fate::Lapses => return Ok(Some(entry.lapse())),
            Fate::Stays(entry) => return Ok(Some(entry)),
            Fate::ComesBack => self.put_back(&entry, at, fits, renewed),
            Fate::IsStale => self.replace(&entry, at, &now.unwrap_or_default(), renewed),
            Fate::IsRemnant => {
                self.remove_remnant(&entry, at)?;
                Ok(entry.lapse())
            }
            Fate::IsUnprotected => {
                let message = format!(
                    "{} was injected beside a startup probe that is gone; removed, since it would kill a container that starts slowly",
                    entry.path
                );
                self.take_out(at, message)?;
                Ok(entry.lapse())
            }
            Fate::Yields(own) => {
                self.yield_to(own, &now.unwrap_or_default(), &entry, &at)?;
                Ok(entry.lapse())
            }
        }
        .map(Some)
    }

    fn remove_remnant(&mut self, entry: &Entry, at: Path) -> Result<(), ApplyError> {
        let message = format!(
            "{} was taken out of the manifest; removed what was left of it",
            entry.path
        );
        self.take_out(at, message)
    }

    fn take_out(&mut self, at: Path, message: String) -> Result<(), ApplyError> {
        self.say(&at, message);
        self.apply(&Change::Remove { at })
    }

    /// A probe that was dropped comes back with the value it had.
    fn put_back(
        &mut self,
        entry: &Entry,
        at: Path,
        fits: bool,
        renewed: Option<Entry>,
    ) -> Result<Entry, ApplyError> {
        let (rule, path) = (&entry.rule, &entry.path);
        let Some(kept) = (if fits { Some(entry.clone()) } else { renewed }) else {
            let message =
                format!("{path} was left out, and the port that it asked is gone; not kept");
            self.say(&at, message);
            return Ok(entry.lapse());
        };
        let old = entry
            .places_in(&self.raw_old)
            .into_iter()
            .find_map(|(_, value)| value.cloned());
        let value = old.filter(|_| fits).unwrap_or_else(|| kept.value.clone());
        let asks = if fits {
            String::new()
        } else {
            format!(", which {}", now_asks(&kept))
        };
        let message = format!(
            "{path} was left out; kept the injected one{asks}. To drop it: allow.steadfast.dev/{rule}: \"<reason>\" among the manifest's annotations"
        );
        self.say(&at, message);
        self.apply(&Change::set(at, value))?;
        Ok(kept)
    }

    /// Whether a liveness probe lost the startup probe beside it, whoever wrote that: alone it kills a container that starts
    /// slowly.
    fn is_unprotected(&mut self, entry: &Entry) -> Result<bool, ApplyError> {
        let Some(guard) = entry.guarded_by() else {
            return Ok(false);
        };
        let there = |object: &Value| {
            let mut places = guard.places_in(object).into_iter();
            places.any(|(_, value)| value.is_some())
        };
        Ok(there(&self.raw_old) && !there(self.draft.object()?))
    }

    /// A probe whose port is gone.
    fn replace(
        &mut self,
        entry: &Entry,
        at: Path,
        now: &Value,
        renewed: Option<Entry>,
    ) -> Result<Entry, ApplyError> {
        let path = &entry.path;
        if let Some(renewed) = renewed {
            let asks = now_asks(&renewed);
            let message = format!("{path} was injected for a port that is gone; it {asks}");
            self.say(&at, message);
            // What else stands there, such as a delay, is somebody's own.
            for handler in HANDLERS {
                let there = !now[handler].is_null();
                let at = at.clone().key(handler);
                match &renewed.value[handler] {
                    Value::Null if there => self.apply(&Change::Remove { at })?,
                    Value::Null => {}
                    asks => self.apply(&Change::set(at, asks))?,
                }
            }
            return Ok(renewed);
        }
        let message =
            format!("{path} was injected for a port that is gone; removed. Add one of your own");
        self.take_out(at, message)?;
        Ok(entry.lapse())
    }

    /// A merging client leaves ours beside the user's handler, and the API server refuses two. Our numbers go, too, where
    /// the user is known to have left them out: his handler is to be asked as his manifest says.
    fn yield_to(
        &mut self,
        own: &'static str,
        now: &Value,
        entry: &Entry,
        at: &Path,
    ) -> Result<(), ApplyError> {
        let handler = HANDLERS.into_iter().filter(|handler| *handler != own);
        for handler in handler.filter(|handler| !entry.value[handler].is_null()) {
            let message = format!(
                "{}: {own} takes the place of the injected {handler}",
                entry.path
            );
            self.say(at, message);
            self.apply(&Change::Remove {
                at: at.clone().key(handler),
            })?;
        }
        let author = at.clone().key(own);
        let mut stay = Vec::new();
        for (number, default) in DEFAULTS {
            let is_ours = now[number] == entry.value[number] && now[number] != default;
            if !is_ours || now[number].is_null() {
                continue;
            }
            let place = at.clone().key(number);
            if self.owners.is_left_out(&place, &author) {
                self.apply(&Change::Remove { at: place })?;
            } else {
                stay.push(format!("{number} {}", now[number]));
            }
        }
        if !stay.is_empty() {
            let stay = stay.join(", ");
            let message = format!(
                "{}: {stay} stay as injected, since nothing shows that they were left out; state them to have others",
                entry.path
            );
            self.say(at, message);
        }
        Ok(())
    }

    /// Whether a probe that was for a workload is right for what runs now: the same workload, which is not known to be asked
    /// otherwise, such as by TLS, and a port that is declared where it is asked by name.
    fn fits_workload(&self, entry: &Entry, renewed: Option<&Entry>) -> bool {
        let Some(workload) = entry.workload.as_deref() else {
            return false;
        };
        let same = renewed.filter(|renewed| renewed.workload == entry.workload);
        if let Some(renewed) = same {
            return asked(entry) == asked(renewed);
        }
        let by_name = asked(entry).is_some_and(|(_, port)| port.is_string());
        container_of(entry, self.case.object).is_some_and(|container| {
            self.catalogue.may_run(&container, workload)
                && (!by_name || asks_a_port_of(entry, self.case.object))
        })
    }

    /// The entry with the port that speaks for the container now, and the numbers that it had; none where no port does.
    fn renewed(&mut self, entry: &Entry, record: &Record) -> Result<Option<Entry>, ApplyError> {
        let mut bare = self.draft.object()?.clone();
        let ours = record.injected.iter();
        for ours in ours.filter(|ours| ours.container == entry.container) {
            ours.take_out_of(&mut bare);
        }
        let text = bare.to_string();
        let Ok(set) = StatefulSet::parse(&text) else {
            return Ok(None);
        };
        let Case {
            namespace,
            name,
            cluster,
            ..
        } = *self.case;
        let cx = Context::new(Operation::Update, namespace, name, cluster).knowing(self.catalogue);
        let mut kinds = Kind::ALL.into_iter();
        let kind = kinds.find(|kind| entry.path.ends_with(kind.field()));
        let renewed = container_of(entry, &set)
            .zip(kind)
            .and_then(|(container, kind)| cx.renewed_probe(&set, &container, kind, &entry.value));
        Ok(renewed.map(|(value, workload)| Entry {
            value,
            ..entry.clone().of_workload(workload)
        }))
    }
}

/// In words, whom a probe asks that was derived anew.
fn now_asks(entry: &Entry) -> String {
    let port = handler(&entry.value).map(|handler| &entry.value[handler]["port"]);
    match (port, &entry.workload) {
        (Some(Value::String(name)), _) => format!("asks port {name} now"),
        (Some(Value::Null) | None, Some(workload)) => format!("asks as workload {workload} now"),
        (port, _) => format!("asks port {} now", port.unwrap_or(&Value::Null)),
    }
}

/// How a probe asks, and at which port.
fn asked(entry: &Entry) -> Option<(&'static str, &Value)> {
    let handler = handler(&entry.value)?;
    Some((handler, &entry.value[handler]["port"]))
}
