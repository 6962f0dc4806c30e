//! What is injected into a set that is made, and the record of it.

use super::cap::Cap;
use super::{Case, Found, Outcome, Verdict, check, guard};
use crate::object::ownership::Ownership;
use crate::object::record::{self, Carried, Record};
use crate::object::{ApplyError, Change, Draft};
use crate::policy::{Policy, Selected};
use crate::rule::{Finding, Fix, FixMode, Speaks};

/// Applies the fixes and says so; all of them or, for a reason that is said, none.
pub(super) fn inject(case: &Case<'_>, policy: &Policy, cap: &Cap) -> Verdict {
    // What the others would say is for `/validate`, and so is what they would have to ask.
    let has_part = |rule: &&Selected| rule.meta.fixes || rule.meta.speaks == Speaks::AtMutate;
    let rules = policy.rules.iter().filter(has_part);
    let (found, questions) = check(case, &policy.catalogue, rules, cap);
    let may_inject = cap.injects() && guard::may_inject(case);
    let mut plan = Plan::default();
    let mut judged = Vec::new();
    for found in found {
        let Found {
            selected,
            finding,
            waived,
            ..
        } = &found;
        let applies = !waived && may_inject && found.fix_mode() == Some(FixMode::Apply);
        if let Some(fix) = finding.fix.as_ref().filter(|_| applies) {
            plan.add(selected, finding, fix);
            judged.push(found.judged(Outcome::Injected));
        } else if selected.meta.speaks == Speaks::AtMutate && !waived {
            judged.push(found.said_early());
        }
    }
    let (patch, patched, notes) = match plan.carry_out(case) {
        Ok(draft) => {
            let (patch, patched) = draft.finish();
            (patch, patched, Vec::new())
        }
        Err(note) => {
            judged.retain(|judged| judged.outcome != Outcome::Injected);
            (json_patch::Patch::default(), None, vec![note])
        }
    };
    Verdict {
        judged,
        patch,
        patched,
        questions,
        notes,
        ..Verdict::default()
    }
}

/// Without a record nothing that was injected could ever be restored, so nothing is injected.
const UNREADABLE_RECORD: &str = "nothing was injected: the annotation steadfast.dev/injected is of another version, or \
                                 no record; remove it from the manifest";

/// The edits that are to be made, and the record of them.
#[derive(Default)]
struct Plan {
    changes: Vec<Change>,
    entries: Vec<record::Entry>,
}

impl Plan {
    fn add(&mut self, selected: &Selected, finding: &Finding, fix: &Fix) {
        let entry = |change| {
            let entry = record::Entry::of(selected.meta.id, finding.container.as_deref(), change)?;
            Some(entry.of_workload(fix.workload.clone()))
        };
        self.entries.extend(fix.changes.iter().filter_map(entry));
        self.changes.extend_from_slice(&fix.changes);
    }

    /// Makes the edits and keeps the record; all of it or, for a reason that is returned, nothing.
    fn carry_out<'a>(mut self, case: &Case<'a>) -> Result<Draft<'a>, String> {
        let mut draft = Draft::new(case.read);
        let record = self.record(case)?;
        self.changes.extend(record);
        let made = self
            .changes
            .iter()
            .try_for_each(|change| draft.apply(change));
        made.map_err(|error| format!("nothing was injected: {error}"))?;
        Ok(draft)
    }

    /// The edit that brings the record up to date. Only CREATE injects, and there an entry of a record that the manifest
    /// brought along counts only where the object really has the value.
    fn record(&mut self, case: &Case<'_>) -> Result<Option<Change>, String> {
        let found = Record::text_on(case.object);
        let carried = Record::read(found);
        if !guard::may_act(case) || (self.entries.is_empty() && carried == Carried::None) {
            return Ok(None);
        }
        let mut entries = match carried {
            Carried::Foreign if self.entries.is_empty() => return Ok(None),
            Carried::Foreign => return Err(UNREADABLE_RECORD.to_owned()),
            Carried::None => Vec::new(),
            Carried::Record(record) => {
                let raw = (case.read)().map_err(|error| {
                    format!("nothing was injected: {}", ApplyError::from(error))
                })?;
                let owners = Ownership::of(&case.object.metadata);
                let standing = |entry: record::Entry| entry.standing_in_object(&raw, &owners);
                let entries = record.injected.into_iter();
                entries
                    .filter(|entry| !entry.lapsed)
                    .filter_map(standing)
                    .collect()
            }
        };
        entries.append(&mut self.entries);
        let record = Record::new(entries);
        let change = record.change(found);
        if let Some(text) = change.as_ref().and_then(Change::text) {
            guard::fits(case, text)?;
        }
        Ok(change)
    }
}
