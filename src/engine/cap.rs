//! How much may be done in a namespace, by its label.

use super::Case;
use crate::object::yaml::nearest;
use crate::rule::{Known, Level, Question};

/// The label of a namespace that says the most that any rule may do there: `off`, `audit`, `warn` or `deny`.
pub const ENFORCE: &str = "steadfast.dev/enforce";

/// How much may be done.
pub(super) struct Cap {
    /// The most that any rule may do.
    pub(super) most: Level,
    /// What is to be asked to know it.
    pub(super) question: Option<Question>,
    /// What is wrong with the label.
    pub(super) note: Option<String>,
    is_known: bool,
}

impl Cap {
    /// Nothing is held back.
    pub(super) const NONE: Self = Self {
        most: Level::Deny,
        question: None,
        note: None,
        is_known: true,
    };

    /// What holds in the namespace of this case. Where its label cannot be told, nobody is denied and nothing injected.
    pub(super) fn of(case: &Case<'_>) -> Self {
        let mut cap = Self::NONE;
        let namespace = match case.cluster.namespace(case.namespace) {
            Known::Absent => return cap,
            Known::Present(namespace) => namespace,
            Known::Unknown => {
                let name = case.namespace.to_owned();
                cap.note = Some(format!(
                    "nothing is injected, and nobody denied: what may be done in namespace {name} could not be looked up"
                ));
                cap.question = Some(Question::Namespace { name });
                cap.most = Level::Warn;
                cap.is_known = false;
                return cap;
            }
        };
        let labels = namespace.metadata.labels.as_ref();
        match labels
            .and_then(|labels| labels.get(ENFORCE))
            .map(String::as_str)
        {
            None | Some("deny") => {}
            Some("warn") => cap.most = Level::Warn,
            Some("audit") => cap.most = Level::Audit,
            Some("off") => cap.most = Level::Off,
            Some(other) => {
                let meant = nearest(other, ["off", "audit", "warn", "deny"]);
                let meant = meant.map(|near| format!("; did you mean {near}?"));
                cap.note = Some(format!(
                    "namespace {} has the label {ENFORCE}={other}, which says nothing; expected off, audit, warn or deny{}",
                    case.namespace,
                    meant.unwrap_or_default()
                ));
            }
        }
        cap
    }

    /// Whether anything may be injected.
    pub(super) fn injects(&self) -> bool {
        self.is_known && self.most >= Level::Warn
    }
}
