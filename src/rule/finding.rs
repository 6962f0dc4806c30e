//! What a rule reports.

use crate::object::{Change, Path};

/// Something wrong with a set, in words for the person who wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Where.
    pub at: Path,
    /// The container it is about, by name.
    pub container: Option<String>,
    /// What tells it from the rule's other findings on the same container, such as a volume's name; never an index or a
    /// value, since those change while the defect stays.
    pub subject: Option<String>,
    /// What is wrong, in the user's words.
    pub message: String,
    /// Why that matters.
    pub why: String,
    /// What to do about it, in the imperative.
    pub remedy: String,
    /// The repair, where the rule knows one.
    pub fix: Option<Fix>,
    /// Whether it is better left as it is: such a finding is told, and never denied.
    pub is_advice: bool,
}

/// A repair of one finding, independent of every other.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// What it does, in the past tense: "added tcpSocket http, every 10 s". Further sentences may follow.
    pub done: String,
    /// The edits.
    pub changes: Vec<Change>,
    /// The workload of the catalogue that they are for, where they are for one.
    pub workload: Option<String>,
    /// Whether it is only to be shown, since what it needs to know was stated by nobody.
    pub is_proposal: bool,
    /// Whether it is for the manifest alone: injected, it would part the stored set from what its author applies, and a later
    /// apply without us would make the set anew.
    pub in_manifest_only: bool,
}

impl Finding {
    /// A finding at `at`; `message` says what is wrong.
    #[must_use]
    pub fn new(at: Path, message: impl Into<String>) -> Self {
        Self {
            at,
            container: None,
            subject: None,
            message: message.into(),
            why: String::new(),
            remedy: String::new(),
            fix: None,
            is_advice: false,
        }
    }

    /// Names the container that it is about.
    #[must_use]
    pub fn container(mut self, name: &str) -> Self {
        self.container = Some(name.to_owned());
        self
    }

    /// Names what tells it from its siblings.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    /// Says why it matters.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Offers a repair.
    #[must_use]
    pub fn fix(
        mut self,
        done: impl Into<String>,
        changes: impl IntoIterator<Item = Change>,
    ) -> Self {
        self.fix = Some(Fix {
            done: done.into(),
            changes: changes.into_iter().collect(),
            workload: None,
            is_proposal: false,
            in_manifest_only: false,
        });
        self
    }

    /// Says that the repair is only to be shown.
    #[must_use]
    pub fn as_proposal(mut self) -> Self {
        if let Some(fix) = &mut self.fix {
            fix.is_proposal = true;
        }
        self
    }

    /// Says that the repair is for the manifest alone.
    #[must_use]
    pub fn in_manifest_only(mut self) -> Self {
        if let Some(fix) = &mut self.fix {
            fix.in_manifest_only = true;
        }
        self
    }

    /// Names the workload of the catalogue that the repair is for.
    #[must_use]
    pub fn of_workload(mut self, workload: Option<String>) -> Self {
        if let Some(fix) = &mut self.fix {
            fix.workload = workload;
        }
        self
    }

    /// Says that it is better left as it is.
    #[must_use]
    pub fn is_advice(mut self) -> Self {
        self.is_advice = true;
        self
    }
}

/// The findings of one rule, in the order in which they were found.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Reports a finding.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// What was reported.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

/// The first so many in one line, and how many more there are.
pub(super) fn first<T: AsRef<str>>(items: &[T], most: usize) -> String {
    let named: Vec<_> = items.iter().take(most).map(AsRef::as_ref).collect();
    match items.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
