//! What was decided, and in which words it is said.

use std::fmt::Write as _;

use json_patch::Patch;
use serde::Serialize;
use serde_json::Value;

use super::Spared;
use crate::object::Path;
use crate::policy::Selected;
use crate::rule::waiver::PREFIX;
use crate::rule::{Finding, Level, Question};

/// What was decided about a set.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Each finding and what became of it, in the order in which the rules run.
    pub judged: Vec<Judged>,
    /// What was done to the object.
    pub patch: Patch,
    /// The object with the patch applied, where there is one.
    pub patched: Option<Value>,
    /// What the rules needed to know and nobody could tell.
    pub questions: Vec<Question>,
    /// What an update got back, and what was taken away from it that a client had left behind.
    pub restored: Vec<Restored>,
    /// What else is to be said, such as why injection was given up.
    pub notes: Vec<String>,
}

/// Something that was done to an update.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Where.
    pub at: Path,
    /// What, in a sentence.
    pub message: String,
}

/// A finding and what became of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The rule's id.
    pub rule: &'static str,
    /// The rule's level for this subject.
    pub level: Level,
    /// What became of the finding.
    pub outcome: Outcome,
    /// Why it is not denied, where its rule would.
    pub spared: Option<Spared>,
    /// Whether the API server refuses the update for it, whatever we say.
    pub refused_anyway: bool,
    /// Whether its fix, on preview, is to be shown although the finding is denied.
    pub shows_fix: bool,
    /// The finding.
    pub finding: Finding,
}

/// What became of a finding.
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Its owner took the rule upon himself.
    Waived,
    /// It is noted in the audit log.
    Audited,
    /// Its fix was described, not carried out.
    Previewed,
    /// It was fixed.
    Injected,
    /// It is shown to the user.
    Warned,
    /// The request is denied.
    Denied,
}

impl Outcome {
    /// Every one, the least first.
    pub const ALL: [Self; 6] = [
        Self::Waived,
        Self::Audited,
        Self::Previewed,
        Self::Injected,
        Self::Warned,
        Self::Denied,
    ];

    /// The word that output formats and metrics use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waived => "waived",
            Self::Audited => "audited",
            Self::Previewed => "previewed",
            Self::Injected => "injected",
            Self::Warned => "warned",
            Self::Denied => "denied",
        }
    }

    /// Whether the user is told, and not only the audit log.
    #[must_use]
    pub fn is_shown(self) -> bool {
        self >= Self::Previewed
    }
}

impl Verdict {
    /// Whether the set may be stored.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.denied().next().is_none()
    }

    /// Adds what else was found.
    pub(super) fn add(&mut self, other: Self) {
        let asked = &mut self.questions;
        self.judged.extend(other.judged);
        for question in other.questions {
            if !asked.contains(&question) {
                asked.push(question);
            }
        }
        self.restored.extend(other.restored);
        self.notes.extend(other.notes);
    }

    /// The findings for which it may not.
    pub fn denied(&self) -> impl Iterator<Item = &Judged> {
        self.judged
            .iter()
            .filter(|judged| judged.outcome == Outcome::Denied)
    }
}

impl Judged {
    pub(super) fn new(
        selected: &Selected,
        level: Level,
        outcome: Outcome,
        finding: Finding,
    ) -> Self {
        Self {
            rule: selected.meta.id,
            level,
            outcome,
            spared: None,
            refused_anyway: selected.meta.refused_anyway(),
            shows_fix: false,
            finding,
        }
    }

    /// The finding in one line, without the rule: what was found, and what was done or is to be done.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Finding {
            message,
            remedy,
            fix,
            ..
        } = &self.finding;
        match (self.outcome, fix) {
            (Outcome::Injected, Some(fix)) => format!("{message}; {}", fix.done),
            (Outcome::Previewed, Some(fix)) if fix.is_proposal => {
                format!("{message}; {remedy}: it would have {}", fix.done)
            }
            (Outcome::Previewed, Some(fix)) => {
                format!("{message}; the fix, on preview, would have {}", fix.done)
            }
            _ => match self.spared {
                Some(spared) => format!("{message}; {remedy}. It is not denied: {spared}"),
                None => format!("{message}; {remedy}"),
            },
        }
    }

    /// The finding as a paragraph: what was found and where, why it matters, what to do, how to be exempted.
    #[must_use]
    pub fn paragraph(&self) -> String {
        let Finding {
            at,
            message,
            why,
            remedy,
            ..
        } = &self.finding;
        let place = at.to_string();
        let mut text = format!("{}: {message}", self.rule);
        if !message.contains(&place) {
            let _ = write!(text, "\n  at     {place}");
        }
        let _ = write!(text, "\n  why    {why}\n  fix    {remedy}");
        if let Some(fix) = self.finding.fix.as_ref().filter(|_| self.shows_fix) {
            let _ = write!(
                text,
                "\n  shown  on preview, the fix would have {}",
                fix.done
            );
        }
        // No annotation helps against the API server.
        if !self.refused_anyway {
            let _ = write!(
                text,
                "\n  allow  annotation {PREFIX}{}: \"<reason>\"",
                self.rule
            );
        }
        if let Some(spared) = self.spared {
            let _ = write!(text, "\n  but    it is not denied: {spared}");
        }
        text
    }
}
