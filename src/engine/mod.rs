//! Judgement: a set and a policy in, a verdict out. Nothing here waits, asks, or reads a clock.
//!
//! `/mutate` restores what an UPDATE dropped, applies the fixes and says what was done; `/validate` says what is left;
//! offline, [`admit`] does both in memory, and [`repair()`] says what a manifest is to state itself. The engine is the only caller of [`crate::rule::Rule::check`] and of
//! [`crate::object::Draft::apply`].

mod cap;
mod guard;
mod inject;
mod ratchet;
mod repair;
mod restore;
mod verdict;

use serde_json::Value;

use crate::object::ReadRaw;
use crate::object::json;
use crate::object::view::StatefulSet;
use crate::policy::{Policy, Selected};
use crate::rule::service;
use crate::rule::waiver::{Waiver, waivers};
use crate::rule::{
    ClusterView, Context, Finding, FixMode, Level, Operation, Question, Report, Speaks,
};
use crate::rules::RULES;
use crate::workload::Catalogue;

use cap::Cap;
pub use cap::ENFORCE;
use inject::inject;
use ratchet::Ratchet;
pub use ratchet::Spared;
pub use repair::repair;
use restore::restore;
pub use verdict::{Judged, Outcome, Restored, Verdict};

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

impl Case<'_> {
    /// Whether the pod template is another than before; each difference is a new revision, and replaces pods.
    fn template_changes(&self) -> bool {
        let template = |read: &ReadRaw<'_>| Some(read().ok()?["spec"]["template"].take());
        template(self.read) != template(self.read_old)
    }
}

/// `/mutate`: on CREATE applies the fixes, on UPDATE restores what was dropped; says what was done, and what the API server
/// will refuse before anybody else speaks.
#[must_use]
pub fn mutate(case: &Case<'_>, policy: &Policy) -> Verdict {
    if guard::is_leaving(case) {
        return Verdict::default();
    }
    let cap = Cap::of(case);
    let mut verdict = match case.operation {
        Operation::Create => inject(case, policy, &cap),
        Operation::Update => update(case, policy, &cap),
    };
    verdict.notes.extend(guard::carried_record(case));
    verdict.notes.extend(cap.note);
    verdict.questions.extend(cap.question);
    verdict
}

/// Puts back what an UPDATE dropped, and nothing else.
fn update(case: &Case<'_>, policy: &Policy, cap: &Cap) -> Verdict {
    let mut verdict = restore(case, &policy.catalogue).unwrap_or_else(|error| Verdict {
        notes: vec![format!("nothing was restored: {error}")],
        ..Verdict::default()
    });
    let said = with_object(case, verdict.patched.as_ref(), |restored| {
        early(restored, policy, cap)
    });
    verdict.add(said);
    verdict
}

/// What `/mutate` says of a set that is not to be repaired: what the API server refuses before `/validate` is asked.
fn early(case: &Case<'_>, policy: &Policy, cap: &Cap) -> Verdict {
    let speaks = |rule: &&Selected| rule.meta.speaks == Speaks::AtMutate;
    let rules = policy.rules.iter().filter(speaks);
    let (found, questions) = check(case, &policy.catalogue, rules, cap);
    let early = found.into_iter().filter(|found| !found.waived);
    Verdict {
        judged: early.map(Found::said_early).collect(),
        questions,
        ..Verdict::default()
    }
}

/// `/validate`: says what is left in the final object.
#[must_use]
pub fn validate(case: &Case<'_>, policy: &Policy) -> Verdict {
    if guard::is_leaving(case) {
        return Verdict::default();
    }
    let cap = Cap::of(case);
    let (found, mut questions) = check(case, &policy.catalogue, &policy.rules, &cap);
    let ratchet = Ratchet::new(case, policy);
    let judged = found.into_iter().map(|found| {
        let Found {
            selected,
            finding,
            waived,
            level,
        } = &found;
        let is_shown = found.fix_mode() == Some(FixMode::Preview);
        let previewed = is_shown && cap.injects() && guard::may_inject(case);
        let level = match level {
            Level::Deny if finding.is_advice => Level::Warn,
            level => *level,
        };
        let spared = match level {
            Level::Deny if !waived => ratchet.spares(selected, finding),
            _ => None,
        };
        let outcome = match level {
            _ if *waived => Outcome::Waived,
            Level::Deny if spared.is_none() => Outcome::Denied,
            _ if previewed => Outcome::Previewed,
            Level::Deny | Level::Warn => Outcome::Warned,
            Level::Audit | Level::Off => Outcome::Audited,
        };
        Judged {
            spared,
            shows_fix: previewed && outcome == Outcome::Denied,
            ..found.judged(outcome)
        }
    });
    let judged = judged.collect();
    questions.extend(ratchet.into_question());
    questions.extend(cap.question);
    Verdict {
        judged,
        questions,
        ..Verdict::default()
    }
}

/// What a cluster would do: `/mutate`, then `/validate` on its result, and what the API server itself refuses.
#[must_use]
pub fn admit(case: &Case<'_>, policy: &Policy) -> Verdict {
    let mut mutated = mutate(case, policy);
    let left = with_object(case, mutated.patched.as_ref(), |after| {
        validate(after, policy)
    });
    mutated
        .judged
        .retain(|judged| judged.outcome == Outcome::Injected);
    mutated.add(left);
    for judged in &mut mutated.judged {
        if judged.refused_anyway {
            judged.outcome = Outcome::Denied;
        }
    }
    mutated
}

/// Judges the object that came out of an edit, or, where nothing was edited, the object itself.
fn with_object(
    case: &Case<'_>,
    edited: Option<&Value>,
    judge: impl Fn(&Case<'_>) -> Verdict,
) -> Verdict {
    let Some(text) = edited.map(Value::to_string) else {
        return judge(case);
    };
    match StatefulSet::parse(&text) {
        Ok(object) => judge(&Case {
            object: &object,
            read: &|| json::read(&text),
            ..*case
        }),
        // What we wrote reads back: a patch that broke the object would be a bug, and is shown as what it is.
        Err(error) => Verdict {
            notes: vec![format!("the repaired set cannot be read: {error}")],
            ..Verdict::default()
        },
    }
}

/// One finding with the rule that reported it.
struct Found<'p> {
    selected: &'p Selected,
    finding: Finding,
    waived: bool,
    /// The rule's level, or less where the namespace says so.
    level: Level,
}

impl Found<'_> {
    fn judged(self, outcome: Outcome) -> Judged {
        Judged::new(self.selected, self.level, outcome, self.finding)
    }

    /// What is to become of the fix in a cluster, where there is one.
    fn fix_mode(&self) -> Option<FixMode> {
        let fix = self.finding.fix.as_ref()?;
        self.manifest_fix_mode().filter(|_| !fix.in_manifest_only)
    }

    /// What is to become of the fix in a manifest.
    fn manifest_fix_mode(&self) -> Option<FixMode> {
        let fix = self.finding.fix.as_ref()?;
        Some(match self.selected.fix {
            FixMode::Apply if fix.is_proposal => FixMode::Preview,
            mode => mode,
        })
    }

    /// It is said before anybody is denied.
    fn said_early(self) -> Judged {
        let audited = self.level == Level::Audit;
        self.judged(if audited {
            Outcome::Audited
        } else {
            Outcome::Warned
        })
    }
}

/// Runs each of these rules once, in order, over one view.
fn check<'p>(
    case: &Case<'_>,
    catalogue: &Catalogue,
    rules: impl IntoIterator<Item = &'p Selected>,
    cap: &Cap,
) -> (Vec<Found<'p>>, Vec<Question>) {
    let template_changes = || case.template_changes();
    let mut cx = Context::new(case.operation, case.namespace, case.name, case.cluster)
        .changing(case.old, &template_changes)
        .knowing(catalogue);
    // A name that was injected a moment ago was looked up then.
    if case.operation == Operation::Create && service::is_injected(case.object) {
        cx = cx.not_asking_for(&case.object.spec.service_name);
    }
    cx.rules = RULES;
    let waivers: Vec<Waiver<'_>> = waivers(case.object).collect();
    let mut found = Vec::new();
    for selected in rules {
        let level = selected.level.min(cap.most);
        if level == Level::Off {
            continue;
        }
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
                level,
            }
        }));
    }
    (found, cx.into_questions())
}
