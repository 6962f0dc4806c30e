//! What an UPDATE must not lose, and what it must not be left with: immutable fields, injected probes and mounts, the
//! record of them.
//!
//! It knows no policy: what was injected under one must survive every other, or the next PUT of the author's manifest is
//! refused, or starts a rollout.

mod fate;
mod immutable;
mod probes;
mod units;

use serde_json::Value;

use super::{Case, Restored, Verdict, guard};
use crate::object::ownership::Ownership;
use crate::object::record::{Carried, Entry, Record};
use crate::object::view::StatefulSet;
use crate::object::{ApplyError, Change, Draft, Path};
use crate::rule::waiver::waivers;
use crate::workload::Catalogue;

/// An update under repair.
struct Restoration<'c, 'a> {
    case: &'c Case<'a>,
    /// Of the policy only what it knows of workloads: a probe must not outlive the one that it was for.
    catalogue: &'c Catalogue,
    old: &'c StatefulSet<'a>,
    /// Who wrote what of the request, and of the stored set.
    owners: Ownership<'c>,
    old_owners: Ownership<'c>,
    raw_old: Value,
    draft: Draft<'a>,
    /// What was done, for the user.
    done: Vec<Restored>,
    notes: Vec<String>,
}

/// Puts back what the request dropped, and says so.
pub(super) fn restore(case: &Case<'_>, catalogue: &Catalogue) -> Result<Verdict, ApplyError> {
    let is_due = |old: &&StatefulSet<'_>| may_have_lost(case, old) || has_no_room(case);
    let Some(old) = case.old.filter(is_due) else {
        return Ok(Verdict::default());
    };
    let mut restoration = Restoration {
        case,
        catalogue,
        old,
        owners: Ownership::of(&case.object.metadata),
        old_owners: Ownership::of(&old.metadata),
        raw_old: (case.read_old)()?,
        draft: Draft::new(case.read),
        done: Vec::new(),
        notes: Vec::new(),
    };
    restoration.put_back_immutable_fields()?;
    restoration.drop_leftover_parameters()?;
    restoration.keep_record()?;
    let (patch, patched) = restoration.draft.finish();
    Ok(Verdict {
        patch,
        patched,
        restored: restoration.done,
        notes: restoration.notes,
        ..Verdict::default()
    })
}

/// Whether the record makes the annotations too large for the API server.
fn has_no_room(case: &Case<'_>) -> bool {
    Record::text_on(case.object).is_some_and(|text| guard::fits(case, text).is_err())
}

/// Whether anything may be gone, or was out of place before; only then is raw JSON read. The views tell: an edit that keeps
/// the record and all that rules read has lost nothing.
fn may_have_lost(case: &Case<'_>, old: &StatefulSet<'_>) -> bool {
    let new = case.object;
    let (was, is) = (Record::text_on(old), Record::text_on(new));
    let service = new.spec.service_name.is_empty() && !old.spec.service_name.is_empty();
    let claims = new.spec.volume_claim_templates.len() < old.spec.volume_claim_templates.len();
    let strategy = new.spec.update_strategy().type_ != old.spec.update_strategy().type_;
    let recorded = || was.is_some() && (new.spec != old.spec || asks_what_is_gone(was, new));
    service || claims || strategy || is != was || recorded()
}

/// Whether a recorded probe asks a port that is not declared, as after an update that nobody saw.
fn asks_what_is_gone(record: Option<&str>, set: &StatefulSet<'_>) -> bool {
    let Carried::Record(record) = Record::read(record) else {
        return false;
    };
    let mut probes = record.injected.iter();
    probes.any(|entry| {
        let is_by_port = entry.is_probe() && entry.workload.is_none();
        is_by_port && !entry.lapsed && !fate::asks_a_port_of(entry, set)
    })
}

impl Restoration<'_, '_> {
    fn apply(&mut self, change: &Change) -> Result<(), ApplyError> {
        self.draft.apply(change)
    }

    fn say(&mut self, at: &Path, message: String) {
        let at = at.clone();
        self.done.push(Restored { at, message });
    }

    /// Whether the set's owner waives the rule that injected this: a part that is gone then stays gone.
    fn is_waived(&self, entry: &Entry) -> bool {
        let mut waivers = waivers(self.case.object);
        waivers.any(|waiver| waiver.covers(&entry.rule, entry.container.as_deref()))
    }

    /// Mends what the record names, and brings the record up to date. Only the old object's counts.
    fn keep_record(&mut self) -> Result<(), ApplyError> {
        let (was, is) = (Record::text_on(self.old), Record::text_on(self.case.object));
        let entries = match Record::read(was) {
            Carried::Record(record) => self.mend(record)?,
            // Of a version that is newer: whoever wrote it knows what it means.
            Carried::Foreign => {
                self.notes.push(format!(
                    "{} is of another version, or no record: injected probes are not kept for it",
                    Record::path()
                ));
                return match is {
                    None => self.apply(&Change::set(Record::path(), was)),
                    Some(_) => Ok(()),
                };
            }
            Carried::None if Record::read(is) == Carried::Foreign => return Ok(()),
            Carried::None => Vec::new(),
        };
        let (object, owners) = (self.draft.object()?, &self.owners);
        let as_it_is = |entry: Entry| {
            if entry.lapsed {
                return Some(entry);
            }
            let standing = entry.standing_in_object(object, owners);
            standing.or_else(|| entry.is_probe().then(|| entry.lapse()))
        };
        let record = Record::new(entries.into_iter().filter_map(as_it_is).collect());
        if guard::fits(self.case, &record.text()).is_err() {
            self.notes.push("the annotations leave no room for the record of what was injected (256 KiB in all), so the next update may lose it".to_owned());
            return match is {
                Some(_) => self.apply(&Change::Remove { at: Record::path() }),
                None => Ok(()),
            };
        }
        record
            .change(is)
            .map_or(Ok(()), |change| self.apply(&change))
    }

    /// The entries as they are after the update. Without a change of the template nothing in it is touched, whatever it is
    /// like: that would start a rollout which nobody asked for.
    fn mend(&mut self, record: Record) -> Result<Vec<Entry>, ApplyError> {
        let template = |set: &Value| set["spec"]["template"].clone();
        if template(self.draft.object()?) == template(&self.raw_old) {
            return Ok(record.injected);
        }
        self.put_back_parts(&record)?;
        let mut entries = Vec::new();
        // Whether a liveness probe may stay hangs on the startup probe beside it.
        let (last, first): (Vec<_>, Vec<_>) = record
            .injected
            .iter()
            .partition(|entry| entry.guarded_by().is_some());
        for entry in first.into_iter().chain(last) {
            if entry.is_probe() {
                entries.extend(self.mend_probe(entry, &record)?);
            } else {
                entries.push(entry.clone());
            }
        }
        Ok(entries)
    }

    /// Takes away the parameters of a rolling update that a merging client left behind when the user chose another strategy:
    /// the API server refuses the two together, with or without us (kubernetes/kubernetes
    /// `pkg/apis/apps/validation/validation.go`).
    fn drop_leftover_parameters(&mut self) -> Result<(), ApplyError> {
        let is_rolling = |strategy: &Value| {
            strategy["type"].as_str().unwrap_or("RollingUpdate") == "RollingUpdate"
        };
        let was = &self.raw_old["spec"]["updateStrategy"];
        let is = &self.draft.object()?["spec"]["updateStrategy"];
        let left = !is["rollingUpdate"].is_null() && is["rollingUpdate"] == was["rollingUpdate"];
        if !(is_rolling(was) && !is_rolling(is) && left) {
            return Ok(());
        }
        let at = Path::of(&["spec", "updateStrategy", "rollingUpdate"]);
        let now = &self.case.object.spec.update_strategy().type_;
        let message =
            format!("{at} was left over from the old strategy; removed, since {now} has none");
        self.say(&at, message);
        self.apply(&Change::Remove { at })
    }
}
