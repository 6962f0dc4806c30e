//! Old defects warn, new ones are denied: a policy that is turned on late never blocks work in flight, and never a way back.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::cap::Cap;
use super::{Case, check};
use crate::object::Path;
use crate::object::record::{self, Carried, Record};
use crate::object::view::StatefulSet;
use crate::policy::{Policy, Selected};
use crate::rule::waiver::HEADLESS_SERVICE;
use crate::rule::{Finding, Judges, Level, Operation, Question};

/// Why a finding is not denied, though its rule would.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Spared {
    /// Somebody made the set who could not read the denial.
    Owned,
    /// Nobody may be kept from changing the number of replicas.
    OnlyReplicas,
    /// Nor from changing labels and the like.
    OnlyMetadata,
    /// The set that is stored has it, too.
    Stored,
    /// An earlier revision has it, and the way back to that must be free.
    Revision,
    /// Whether an earlier revision has it is not known.
    Unanswered,
}

/// What tells one defect from another over a set's life: never an index or a value.
type Identity = (&'static str, Option<String>, Option<String>);

/// What an update may keep of its defects. Nothing is computed before a finding is about to be denied.
pub(super) struct Ratchet<'c, 'a> {
    case: &'c Case<'a>,
    policy: &'c Policy,
    stored: OnceCell<BTreeSet<Identity>>,
    /// None where nobody could tell.
    past: OnceCell<Option<BTreeSet<Identity>>>,
    /// Why nothing is denied in this update, if so.
    little_changes: OnceCell<Option<Spared>>,
    question: RefCell<Option<Question>>,
}

impl<'c, 'a> Ratchet<'c, 'a> {
    pub(super) fn new(case: &'c Case<'a>, policy: &'c Policy) -> Self {
        Self {
            case,
            policy,
            stored: OnceCell::new(),
            past: OnceCell::new(),
            little_changes: OnceCell::new(),
            question: RefCell::default(),
        }
    }

    /// Why this finding is not to be denied, if anything speaks for that.
    pub(super) fn spares(&self, selected: &Selected, finding: &Finding) -> Option<Spared> {
        if self.case.object.controller().is_some() {
            return Some(Spared::Owned);
        }
        if self.case.operation == Operation::Create {
            return None;
        }
        let Some(old) = self.case.old else {
            return Some(Spared::Unanswered);
        };
        let identity = identity(selected, finding);
        let stored = self
            .stored
            .get_or_init(|| self.in_stored().unwrap_or_default());
        if stored.contains(&identity) {
            return Some(Spared::Stored);
        }
        let little = self.little_changes.get_or_init(|| self.little_changes());
        if little.is_some() {
            return *little;
        }
        if selected.meta.judges == Judges::Updates {
            return None;
        }
        // A revision is a pod template and nothing else.
        if !finding.at.is_within(&Path::of(&["spec", "template"])) {
            return None;
        }
        match self.past.get_or_init(|| self.in_revisions(old)) {
            None => Some(Spared::Unanswered),
            Some(past) => past.contains(&identity).then_some(Spared::Revision),
        }
    }

    /// What has to be known of the past.
    pub(super) fn into_question(self) -> Option<Question> {
        self.question.into_inner()
    }

    /// Whether nothing changes that may be denied.
    fn little_changes(&self) -> Option<Spared> {
        let spec = |read: Result<Value, _>| Some(read.ok()?["spec"].take());
        let (mut new, mut old) = (spec((self.case.read)())?, spec((self.case.read_old)())?);
        if new == old {
            return Some(Spared::OnlyMetadata);
        }
        for spec in [&mut new, &mut old] {
            spec.as_object_mut()?.remove("replicas");
        }
        (new == old).then_some(Spared::OnlyReplicas)
    }

    /// The defects of the stored set.
    fn in_stored(&self) -> Option<BTreeSet<Identity>> {
        self.found_in_either((self.case.read_old)().ok()?)
    }

    /// The defects of a set, and those that it had as its author wrote it.
    fn found_in_either(&self, set: Value) -> Option<BTreeSet<Identity>> {
        let text = set.to_string();
        let mut found = self.found_in(&StatefulSet::parse(&text).ok()?);
        // Mostly it is the same set.
        let authored = authored(set).to_string();
        if authored != text {
            found.extend(self.found_in(&StatefulSet::parse(&authored).ok()?));
        }
        Some(found)
    }

    /// The defects of the set as it was once. Rules about updates find nothing in it.
    fn found_in(&self, set: &StatefulSet<'_>) -> BTreeSet<Identity> {
        let case = Case {
            object: set,
            old: None,
            read: self.case.read_old,
            ..*self.case
        };
        let denies = |rule: &&Selected| rule.level == Level::Deny;
        let rules = self.policy.rules.iter().filter(denies);
        let (found, _) = check(&case, &self.policy.catalogue, rules, &Cap::NONE);
        found
            .iter()
            .map(|found| identity(found.selected, &found.finding))
            .collect()
    }

    /// The defects of all templates that the set had; none where they are not all known.
    fn in_revisions(&self, old: &StatefulSet<'_>) -> Option<BTreeSet<Identity>> {
        let Case {
            namespace,
            name,
            cluster,
            ..
        } = *self.case;
        let revisions = cluster.revisions(namespace, name);
        if !revisions.complete {
            let labels = old.spec.selector.match_labels.iter();
            let selector: Vec<_> = labels
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            *self.question.borrow_mut() = Some(Question::ControllerRevisions {
                namespace: namespace.to_owned(),
                set: name.to_owned(),
                selector: selector.join(","),
            });
            return None;
        }
        let mut past = BTreeSet::new();
        for revision in revisions.items {
            let template = &revision.data.0["spec"]["template"];
            let mut once = (self.case.read_old)().ok()?;
            once["spec"]["template"] = template.clone();
            past.extend(self.found_in_either(once)?);
        }
        Some(past)
    }
}

/// A set as its author wrote it: without the probes that were injected, and without what its annotations said of it. A defect
/// that was mended or excused is one that it had, and its manifest from then must not be refused.
fn authored(mut set: Value) -> Value {
    let text = set["metadata"]["annotations"][record::ANNOTATION].as_str();
    if let Carried::Record(record) = Record::read(text) {
        for entry in record.injected.iter().filter(|entry| entry.is_probe()) {
            entry.take_out_of(&mut set);
        }
    }
    if let Some(annotations) = set["metadata"]["annotations"].as_object_mut() {
        annotations.remove(HEADLESS_SERVICE);
    }
    set
}

fn identity(selected: &Selected, finding: &Finding) -> Identity {
    (
        selected.meta.id,
        finding.container.clone(),
        finding.subject.clone(),
    )
}

impl fmt::Display for Spared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owned => "another object controls this set",
            Self::OnlyReplicas => "only replicas change",
            Self::OnlyMetadata => "only metadata changes",
            Self::Stored => "the stored set has it, too",
            Self::Revision => "an earlier revision has it, too",
            Self::Unanswered => "an earlier revision may have it, too",
        })
    }
}
