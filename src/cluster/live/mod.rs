//! The API server, asked while a review waits. Bounded: in time, in questions a second, in what an answer may weigh.

mod budget;
mod revisions;

use std::time::Duration;

use futures::future::join_all;
use kube::config::InferConfigError;
use kube::{Client, Config};
use tokio::time::{Instant, timeout_at};
use tracing::info;

use super::{Fact, Lookup};
use crate::rule::Question;
use budget::Budget;

/// How long all questions of a verdict may take together; the API server gives a whole call one or two seconds.
const WITHIN: Duration = Duration::from_millis(100);

/// The API server as somebody to ask.
pub struct Live {
    client: Client,
    lookups: Vec<Lookup>,
    within: Duration,
    budget: Budget,
}

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing says where the API server is.
    #[error("neither a kubeconfig nor the environment of a pod: {0}")]
    NoConfig(InferConfigError),
    /// What says so is of no use.
    #[error("cannot make a client of the API server: {0}")]
    Client(kube::Error),
}

/// What came of a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// All there is was answered.
    Answered,
    /// There is more than was answered.
    Partly,
    /// No answer in time.
    Late,
    /// We may not ask that.
    Refused,
    /// No connection, an error, or an answer that cannot be read.
    Failed,
    /// Not asked: there were too many questions in this second.
    Unasked,
}

impl Outcome {
    /// The word for it in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Partly => "partly",
            Self::Late => "late",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unasked => "unasked",
        }
    }
}

/// One question, and what came of it.
#[derive(Debug)]
pub struct Asked {
    /// What was asked about.
    pub lookup: Lookup,
    /// What came of it.
    pub outcome: Outcome,
    /// The answer, or why there is none.
    pub fact: Result<Fact, String>,
}

/// Why there is no answer, in one word and in several.
type Unanswered = (Outcome, String);

impl Live {
    /// With the access of the kubeconfig, else of a pod. Nothing is asked yet. Inside a runtime only.
    pub async fn connect(lookups: Vec<Lookup>) -> Result<Self, ConnectError> {
        let mut config = Config::infer().await.map_err(ConnectError::NoConfig)?;
        // A proxy of the environment is for the world outside, and through it an answer would be late anyway.
        config.proxy_url = None;
        // An API server that has too much to do is not asked again on behalf of the same review.
        config.default_retry = false;
        let kinds: Vec<_> = lookups.iter().map(|lookup| lookup.as_str()).collect();
        info!(api_server = %config.cluster_url, lookups = kinds.join(","), "Asks where a verdict hangs on it");
        let client = Client::try_from(config).map_err(ConnectError::Client)?;
        Ok(Self::new(client, lookups))
    }

    /// With a client at hand.
    #[must_use]
    pub fn new(client: Client, lookups: Vec<Lookup>) -> Self {
        Self {
            client,
            lookups,
            within: WITHIN,
            budget: Budget::default(),
        }
    }

    /// With another limit of time.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// Asks all questions that can be asked at once, and waits for none longer than the limit. It never fails: what is not
    /// answered in time is not known.
    pub async fn ask(&self, questions: &[Question]) -> Vec<Asked> {
        let deadline = Instant::now() + self.within;
        let asking = questions.iter().filter_map(|question| {
            let lookup =
                Some(Lookup::of(question)).filter(|lookup| self.lookups.contains(lookup))?;
            Some(async move {
                let (outcome, fact) = match self.answer(question, deadline).await {
                    Ok(fact) if fact.is_complete() => (Outcome::Answered, Ok(fact)),
                    Ok(fact) => (Outcome::Partly, Ok(fact)),
                    Err((outcome, reason)) => (outcome, Err(reason)),
                };
                Asked {
                    lookup,
                    outcome,
                    fact,
                }
            })
        });
        join_all(asking).await
    }

    async fn answer(&self, question: &Question, deadline: Instant) -> Result<Fact, Unanswered> {
        let unasked = |reason: &str| Err((Outcome::Unasked, reason.to_owned()));
        if !self.budget.take(Instant::now()) {
            return unasked("too many questions in this second");
        }
        let asking = async {
            match question {
                Question::ControllerRevisions {
                    namespace,
                    set,
                    selector,
                } => revisions::list(&self.client, namespace, set, selector).await,
                _ => unasked("nobody asks that"),
            }
        };
        let late = |_| Err((Outcome::Late, format!("not within {:?}", self.within)));
        timeout_at(deadline, asking).await.unwrap_or_else(late)
    }
}
