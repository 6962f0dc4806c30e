//! The wire, still pure: an `AdmissionReview` in, an `AdmissionReview` out. No socket, no HTTP but for a status number.

mod answer;
mod review;
mod warnings;

use serde_json::Value;

use crate::engine::{self, Case, Verdict};
use crate::object::json;
use crate::object::view::{ParseError, StatefulSet};
use crate::policy::{Policy, PolicySet, Subject};
use crate::rule::{ClusterView, Operation};

pub use answer::{Answer, refusal};
pub use review::{BadReview, Request};

/// Which of the two webhooks is asked.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// `/mutate`: repairs.
    Mutate,
    /// `/validate`: speaks about what is left.
    Validate,
}

impl Phase {
    /// The word for it in paths, logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::Validate => "validate",
        }
    }
}

/// Answers one review.
///
/// A body that is no review is an error. An object that cannot be read is allowed with a warning: what it is is for the
/// API server to say, and nobody may be blocked by what we do not understand.
pub fn handle(
    phase: Phase,
    policies: &PolicySet,
    cluster: &dyn ClusterView,
    body: &[u8],
) -> Result<Answer, BadReview> {
    let text = std::str::from_utf8(body).map_err(|error| BadReview::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    match review::parse(text)? {
        review::Parsed::Read(request) => Ok(judge(phase, policies, cluster, text, &request)),
        review::Parsed::NotOurs(request) => Ok(Answer::untouched(&request)),
        review::Parsed::Unreadable(request, reason) => Ok(Answer::unread(
            &request,
            &format!("steadfast could not read this StatefulSet and did not judge it: {reason}"),
        )),
    }
}

fn judge(
    phase: Phase,
    policies: &PolicySet,
    cluster: &dyn ClusterView,
    text: &str,
    request: &Request<'_, StatefulSet<'_>>,
) -> Answer {
    let (operation, object) = match (&*request.operation, &request.object) {
        ("CREATE", Some(object)) => (Operation::Create, object),
        ("UPDATE", Some(object)) => (Operation::Update, object),
        _ => return Answer::untouched(request),
    };
    // At mutating time the API server has yet to make a name from generateName; then there is none.
    let name = if object.metadata.name.is_empty() {
        &request.name
    } else {
        &object.metadata.name
    };
    let namespace = if request.namespace.is_empty() {
        &object.metadata.namespace
    } else {
        &request.namespace
    };
    let (read, read_old) = (|| review::object(text), || review::old_object(text));
    let case = Case {
        operation,
        namespace,
        name,
        object,
        old: request.old_object.as_ref(),
        read: &read,
        read_old: &read_old,
        cluster,
    };
    let policy = policies.effective(&Subject { namespace, name });
    let verdict = match phase {
        Phase::Mutate => engine::mutate(&case, &policy),
        Phase::Validate => engine::validate(&case, &policy),
    };
    Answer::of(request, (namespace, name), verdict)
}

/// What a cluster would do with a set that is at hand as JSON.
pub fn admit(
    policies: &PolicySet,
    cluster: &dyn ClusterView,
    namespace: &str,
    object: &Value,
    old: Option<&Value>,
) -> Result<Verdict, ParseError> {
    at_hand(engine::admit, policies, cluster, namespace, object, old)
}

/// A judgement of the engine's, such as [`engine::admit`].
pub type Judge = fn(&Case<'_>, &Policy) -> Verdict;

/// The judgement of a set that is at hand as JSON: it is made, or, where there is an old one, changed.
pub fn at_hand(
    judge: Judge,
    policies: &PolicySet,
    cluster: &dyn ClusterView,
    namespace: &str,
    object: &Value,
    old: Option<&Value>,
) -> Result<Verdict, ParseError> {
    let (text, old_text) = (object.to_string(), old.map(Value::to_string));
    let set = StatefulSet::parse(&text)?;
    let old = old_text.as_deref().map(StatefulSet::parse).transpose()?;
    let operation = if old.is_some() {
        Operation::Update
    } else {
        Operation::Create
    };
    let read = || json::read(&text);
    let read_old = || json::read(old_text.as_deref().unwrap_or("null"));
    let name = &*set.metadata.name;
    let case = Case {
        operation,
        namespace,
        name,
        object: &set,
        old: old.as_ref(),
        read: &read,
        read_old: &read_old,
        cluster,
    };
    Ok(judge(
        &case,
        &policies.effective(&Subject { namespace, name }),
    ))
}
