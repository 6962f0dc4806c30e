//! Judgement: a set and a policy in, a verdict out. Nothing here waits, asks, or reads a clock.
//!
//! `/mutate` restores what an UPDATE dropped, applies the fixes and says what was done; `/validate` says what is left;
//! offline, [`admit`] does both in memory. The engine is the only caller of [`crate::rule::Rule::check`] and of
//! [`Draft::apply`].

mod guard;
mod restore;
mod verdict;

use serde_json::Value;

use crate::object::record::{self, Carried, Record};
use crate::object::view::StatefulSet;
use crate::object::{ApplyError, Change, Draft, ReadRaw};
use crate::policy::{Policy, Selected};
use crate::rule::waiver::{Waiver, waivers};
use crate::rule::{
    ClusterView, Context, Finding, FixMode, Level, Operation, Question, Report, Speaks,
};
use crate::rules;

use restore::restore;
pub use verdict::{Judged, Outcome, Verdict};

/// A set to be judged.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// What is being done.
    pub operation: Operation,
    /// The namespace that the set is in.
    pub namespace: &'a str,
    /// The set's name; empty where the API server is still to make one.
    pub name: &'a str,
    /// The set.
    pub object: &'a StatefulSet<'a>,
    /// The set before the change.
    pub old: Option<&'a StatefulSet<'a>>,
    /// Reads the set as raw JSON.
    pub read: &'a ReadRaw<'a>,
    /// Reads the set before the change as raw JSON.
    pub read_old: &'a ReadRaw<'a>,
    /// What else is in the cluster.
    pub cluster: &'a dyn ClusterView,
}

/// `/mutate`: restores what an UPDATE dropped, applies the fixes, and says what was done, and what the API server will
/// refuse before anybody else speaks.
#[must_use]
pub fn mutate(case: &Case<'_>, policy: &Policy) -> Verdict {
    if guard::is_leaving(case) {
        return Verdict::default();
    }
    let (found, questions) = check(case, policy);
    let mut plan = Plan::default();
    let mut judged = Vec::new();
    for Found {
        selected,
        finding,
        waived,
    } in found
    {
        let applies = !waived && selected.fix == FixMode::Apply && guard::may_inject(case);
        if let Some(fix) = finding.fix.as_ref().filter(|_| applies) {
            plan.add(selected, &finding, &fix.changes);
            judged.push(Judged::new(selected, Outcome::Injected, finding));
        } else if selected.meta.speaks == Speaks::AtMutate && !waived {
            let outcome = if selected.level == Level::Audit {
                Outcome::Audited
            } else {
                Outcome::Warned
            };
            judged.push(Judged::new(selected, outcome, finding));
        }
    }
    let done = restore(case)
        .map_err(|error| format!("nothing was restored: {error}"))
        .and_then(|(draft, restored)| Ok((plan.carry_out(case, draft)?, restored)));
    match done {
        Ok((draft, notes)) => {
            let (patch, patched) = draft.finish();
            Verdict {
                judged,
                patch,
                patched,
                questions,
                notes,
            }
        }
        Err(note) => {
            judged.retain(|judged| judged.outcome != Outcome::Injected);
            Verdict {
                judged,
                questions,
                notes: vec![note],
                ..Verdict::default()
            }
        }
    }
}

/// `/validate`: says what is left in the final object.
#[must_use]
pub fn validate(case: &Case<'_>, policy: &Policy) -> Verdict {
    if guard::is_leaving(case) {
        return Verdict::default();
    }
    let (found, questions) = check(case, policy);
    let judged = found.into_iter().map(
        |Found {
             selected,
             finding,
             waived,
         }| {
            let previewed = finding.fix.is_some()
                && selected.fix == FixMode::Preview
                && guard::may_inject(case);
            let outcome = match selected.level {
                _ if waived => Outcome::Waived,
                Level::Deny if guard::may_act(case) => Outcome::Denied,
                _ if previewed => Outcome::Previewed,
                Level::Deny | Level::Warn => Outcome::Warned,
                Level::Audit | Level::Off => Outcome::Audited,
            };
            Judged::new(selected, outcome, finding)
        },
    );
    Verdict {
        judged: judged.collect(),
        questions,
        ..Verdict::default()
    }
}

/// What a cluster would do: `/mutate`, then `/validate` on its result.
#[must_use]
pub fn admit(case: &Case<'_>, policy: &Policy) -> Verdict {
    let mut mutated = mutate(case, policy);
    let text = mutated.patched.as_ref().map(Value::to_string);
    let after = text.as_deref().map(StatefulSet::parse);
    let left = match &after {
        Some(Ok(after)) => validate(
            &Case {
                object: after,
                ..*case
            },
            policy,
        ),
        // What we wrote reads back: a patch that broke the object would be a bug, and is shown as what it is.
        Some(Err(error)) => Verdict {
            notes: vec![format!("the repaired set cannot be read: {error}")],
            ..Verdict::default()
        },
        None => validate(case, policy),
    };
    mutated
        .judged
        .retain(|judged| judged.outcome == Outcome::Injected);
    mutated.judged.extend(left.judged);
    mutated.questions.extend(
        left.questions
            .into_iter()
            .filter(|question| !mutated.questions.contains(question))
            .collect::<Vec<_>>(),
    );
    mutated.notes.extend(left.notes);
    mutated
}

/// One finding with the rule that reported it.
struct Found<'p> {
    selected: &'p Selected,
    finding: Finding,
    waived: bool,
}

/// Runs every rule once, in order, over one view.
fn check<'p>(case: &Case<'_>, policy: &'p Policy) -> (Vec<Found<'p>>, Vec<Question>) {
    let mut cx = Context::new(case.operation, case.namespace, case.name, case.cluster);
    cx.rules = rules::RULES;
    let waivers: Vec<Waiver<'_>> = waivers(case.object).collect();
    let mut found = Vec::new();
    for selected in &policy.rules {
        let mut report = Report::default();
        selected.rule.check(case.object, &cx, &mut report);
        found.extend(report.into_findings().into_iter().map(|finding| {
            let waived = waivers
                .iter()
                .any(|waiver| waiver.covers(selected.meta.id, finding.container.as_deref()));
            Found {
                selected,
                finding,
                waived,
            }
        }));
    }
    (found, cx.into_questions())
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
    fn add(&mut self, selected: &Selected, finding: &Finding, changes: &[Change]) {
        let entry =
            |change| record::Entry::of(selected.meta.id, finding.container.as_deref(), change);
        self.entries.extend(changes.iter().filter_map(entry));
        self.changes.extend_from_slice(changes);
    }

    /// Makes the edits and keeps the record; all of it or, for a reason that is returned, nothing.
    fn carry_out<'a>(mut self, case: &Case<'a>, mut draft: Draft<'a>) -> Result<Draft<'a>, String> {
        self.changes.extend(self.record(case)?);
        let made = self
            .changes
            .iter()
            .try_for_each(|change| draft.apply(change));
        made.map_err(|error| format!("nothing was injected: {error}"))?;
        Ok(draft)
    }

    /// The edit that brings the record up to date. Only CREATE injects, and there an entry of a record that the manifest
    /// brought along counts only where the object really has the value.
    fn record(&self, case: &Case<'_>) -> Result<Option<Change>, String> {
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
                record
                    .injected
                    .into_iter()
                    .filter(|entry| entry.holds_in(&raw))
                    .collect()
            }
        };
        entries.extend(self.entries.iter().cloned());
        let record = Record::new(entries);
        guard::fits(case, &record.text())?;
        Ok(record.change(found))
    }
}
