//! The API server: watched, and asked while a review waits. Bounded: in time, in questions a second, in what an answer may
//! weigh.

mod budget;
mod call;
mod flight;
mod questions;
mod refusals;
mod revisions;
mod store;
mod trim;
mod view;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kube::config::InferConfigError;
use kube::{Client, Config};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::info;

use super::{Fact, Lookup};
use crate::rule::{ClusterView, Question};
use budget::Budget;
use flight::Flights;
use refusals::Refusals;
use watch::Watches;

/// How long all questions of a verdict may take together; the API server gives a whole call one or two seconds.
const WITHIN: Duration = Duration::from_millis(100);

/// What the API server tells of the cluster; of kinds that are not looked up, what another view does.
pub struct Live {
    client: Client,
    lookups: Vec<Lookup>,
    others: Arc<dyn ClusterView>,
    watches: Watches,
    within: Duration,
    budget: Budget,
    flights: Flights,
    refusals: Refusals,
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
    /// Not asked, or too late to be answered: there were too many questions in this second.
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

fn unasked() -> Unanswered {
    let reason = "too many questions in this second";
    (Outcome::Unasked, reason.to_owned())
}

impl Live {
    /// With the access of the kubeconfig, else of a pod, and what is watched from now on. Inside a runtime only.
    pub async fn connect(
        lookups: Vec<Lookup>,
        others: Arc<dyn ClusterView>,
    ) -> Result<Self, ConnectError> {
        let mut config = Config::infer().await.map_err(ConnectError::NoConfig)?;
        // A proxy of the environment is for the world outside, and through it an answer would be late anyway.
        config.proxy_url = None;
        // An API server that has too much to do is not asked again on behalf of the same review.
        config.default_retry = false;
        let kinds: Vec<_> = lookups.iter().map(|lookup| lookup.as_str()).collect();
        info!(api_server = %config.cluster_url, lookups = kinds.join(","), "Asks where a verdict hangs on it");
        let client = Client::try_from(config).map_err(ConnectError::Client)?;
        Ok(Self::new(client, lookups, others).watching())
    }

    /// With a client at hand, and nothing that is watched.
    #[must_use]
    pub fn new(client: Client, lookups: Vec<Lookup>, others: Arc<dyn ClusterView>) -> Self {
        Self {
            client,
            lookups,
            others,
            watches: Watches::default(),
            within: WITHIN,
            budget: Budget::default(),
            flights: Flights::default(),
            refusals: Refusals::default(),
        }
    }

    /// With watches, from now on. Inside a runtime only.
    #[must_use]
    pub fn watching(self) -> Self {
        let watches = Watches::start(&self.client, &self.lookups);
        Self { watches, ..self }
    }

    /// With another limit of time.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// Waits until the namespaces are listed, if they are watched: their labels say how much may be done in each.
    pub async fn is_listed(&self) {
        self.watches.listed().await;
    }

    fn looks_up(&self, lookup: Lookup) -> bool {
        lookup == Lookup::Namespaces || self.lookups.contains(&lookup)
    }

    /// Asks all questions that can be asked at once, and waits for none longer than the limit. It never fails: what is not
    /// answered in time is not known.
    pub async fn ask(&self, questions: &[Question]) -> Vec<Asked> {
        let deadline = Instant::now() + self.within;
        let known = |question: &&Question| self.looks_up(Lookup::of(question));
        // Where not all can be asked, those whose answers decide are: which claims are left over is only told.
        let (last, first): (Vec<_>, Vec<_>) = questions
            .iter()
            .filter(known)
            .partition(|question| matches!(question, Question::Claims { .. }));
        let asking = first.into_iter().chain(last).map(async |question| {
            let (outcome, fact) = match self.answer(question, deadline).await {
                Ok(fact) if fact.is_complete() => (Outcome::Answered, Ok(fact)),
                Ok(fact) => (Outcome::Partly, Ok(fact)),
                Err((Outcome::Unasked, reason)) => {
                    (Outcome::Unasked, self.seen(question).ok_or(reason))
                }
                Err((outcome, reason)) => (outcome, Err(reason)),
            };
            Asked {
                lookup: Lookup::of(question),
                outcome,
                fact,
            }
        });
        join_all(asking).await
    }

    /// What the watch shows of what there was no turn to ask for: of the headless Services those that are there. One that has
    /// just been made may be missing; a set without any name would have none for ever.
    fn seen(&self, question: &Question) -> Option<Fact> {
        let Question::HeadlessServices { namespace } = question else {
            return None;
        };
        let seen = self.headless_services(namespace);
        (!seen.items.is_empty()).then(|| Fact::HeadlessServices(namespace.clone(), seen))
    }

    async fn answer(&self, question: &Question, deadline: Instant) -> Result<Fact, Unanswered> {
        let lookup = Lookup::of(question);
        self.refusals.check(lookup, Instant::now())?;
        let call = async {
            let Some(turn) = self.budget.take(Instant::now(), deadline) else {
                return (Instant::now(), Err(unasked()));
            };
            sleep_until(turn).await;
            let begun = Instant::now();
            let answer = questions::answer(&self.client, question).await;
            if let Err((Outcome::Refused, reason)) = &answer {
                self.refusals.note(lookup, reason, Instant::now());
            }
            (begun, answer)
        };
        let late = |_| {
            // Whose turn came too late was as good as not asked.
            let waits = self.budget.is_spent(Instant::now());
            let late = || (Outcome::Late, format!("not within {:?}", self.within));
            Err(if waits { unasked() } else { late() })
        };
        let asking = self.flights.share(question, call);
        timeout_at(deadline, asking).await.unwrap_or_else(late)
    }
}
