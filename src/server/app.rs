//! The two routers, as values that a test can call without a socket.

use std::any::Any;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract;
use axum::http::{HeaderMap, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Mutex;
use tokio::task::block_in_place;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{debug, info, warn};

use super::body::{Held, Room};
use super::{Limits, Metrics, Process, State};
use crate::admission::{self, Answer, BadReview, Phase, refusal};
use crate::cluster::{Asked, Fact, Live, Outcome, Overlay};
use crate::policy::PolicySet;
use crate::rule::ClusterView;

/// What every request needs.
pub struct Judge {
    policies: PolicySet,
    cluster: Arc<dyn ClusterView>,
    lookups: Option<Arc<Live>>,
    metrics: Arc<Metrics>,
    room: Room,
    /// Whoever judges what no set ever was; one at a time.
    large: Mutex<()>,
}

/// The webhook: `POST /mutate` and `POST /validate`.
pub fn router(judge: Arc<Judge>) -> Router {
    let panicked = Arc::clone(&judge);
    let nothing_here = "only POST /mutate and POST /validate are served here";
    Router::new()
        .route("/mutate", post(mutate))
        .route("/validate", post(validate))
        .fallback(async || refuse(StatusCode::NOT_FOUND, "NotFound", nothing_here.to_owned()))
        .method_not_allowed_fallback(async || {
            refuse(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                nothing_here.to_owned(),
            )
        })
        // A panic costs one request: the API server is told that the call failed, and the next request is served.
        .layer(CatchPanicLayer::custom(move |_: Box<dyn Any + Send>| {
            panicked.metrics.panicked();
            refuse(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "steadfast failed on this request".to_owned(),
            )
        }))
        .with_state(judge)
}

/// The state of the process: `/livez`, `/readyz`, `/metrics`.
pub fn status_router(state: Arc<State>, metrics: Arc<Metrics>) -> Router {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route(
            "/readyz",
            get(async move || match state.ready(SystemTime::now()) {
                Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
                Err(why) => (
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!("not ready: {why}\n"),
                ),
            }),
        )
        .route(
            "/metrics",
            get(async move || ([(header::CONTENT_TYPE, OPEN_METRICS)], metrics.text())),
        )
}

async fn mutate(
    judge: extract::State<Arc<Judge>>,
    version: Version,
    headers: HeaderMap,
    body: Body,
) -> Response {
    debug!(phase = Phase::Mutate.as_str(), ?version, "Asked");
    judge.review(Phase::Mutate, &headers, body).await
}

async fn validate(
    judge: extract::State<Arc<Judge>>,
    version: Version,
    headers: HeaderMap,
    body: Body,
) -> Response {
    debug!(phase = Phase::Validate.as_str(), ?version, "Asked");
    judge.review(Phase::Validate, &headers, body).await
}

impl Judge {
    /// Judges by these policies, in this cluster; where a verdict hangs on what that view does not know, `lookups` is asked.
    #[must_use]
    pub fn new(
        limits: &Limits,
        process: &Process,
        policies: PolicySet,
        cluster: Arc<dyn ClusterView>,
        lookups: Option<Arc<Live>>,
    ) -> Self {
        Self {
            policies,
            cluster,
            lookups,
            metrics: Arc::clone(&process.metrics),
            room: Room::new(*limits),
            large: Mutex::new(()),
        }
    }

    async fn review(&self, phase: Phase, headers: &HeaderMap, body: Body) -> Response {
        let _running = self.metrics.running(phase);
        if !is_json(headers) {
            return self.refuse(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                "the content type is not application/json (curl: -H 'Content-Type: application/json')"
                    .to_owned(),
            );
        }
        match self.room.read(headers, body).await {
            Ok(body) => self.answer(phase, body).await,
            Err(why) => self.refuse(why.status(), why.reason(), why.to_string()),
        }
    }

    /// Refuses what is no review, or not to be read. Whoever can reach the port can have this said, so it is no warning.
    fn refuse(&self, status: StatusCode, reason: &'static str, message: String) -> Response {
        debug!(status = status.as_u16(), "Refused: {message}");
        self.metrics.refused(status);
        refuse(status, reason, message)
    }

    /// What is answered keeps the room of what was asked until it is sent: a client that reads no answers gets no more room.
    async fn answer(&self, phase: Phase, asked: Held) -> Response {
        let start = Instant::now();
        let length = asked.bytes.len();
        let response = match self.judge(phase, &asked.bytes).await {
            Ok(answer) => {
                self.metrics.answered(phase, &answer);
                log(phase, &answer, start);
                json(StatusCode::OK, asked.answered(answer.body))
            }
            Err(bad) => {
                let status = StatusCode::BAD_REQUEST;
                let (uid, why) = (bad.uid(), bad.kind());
                debug!(phase = phase.as_str(), uid, "Refused: {why}");
                self.metrics.refused(status);
                json(status, asked.answered(bad.body()))
            }
        };
        self.metrics.handled(phase, start.elapsed(), length);
        response
    }

    /// Judges; where the verdict hangs on what the API server can tell, asks it and judges once more. Only then is there
    /// anything to wait for, and what came of that is the answer, whatever is still open in it.
    async fn judge(&self, phase: Phase, body: &[u8]) -> Result<Answer, BadReview> {
        let is_large = body.len() >= LARGE;
        let _alone = if is_large {
            Some(self.large.lock().await)
        } else {
            None
        };
        let judge = |facts: &[Fact]| {
            let view = Overlay::new(self.cluster.as_ref(), facts);
            aside(is_large, || {
                admission::handle(phase, &self.policies, &view, body)
            })
        };
        let first = judge(&[])?;
        let Some(lookups) = &self.lookups else {
            return Ok(first);
        };
        let mut facts = Vec::new();
        for asked in lookups.ask(&first.questions).await {
            self.metrics.asked(&asked);
            log_asked(&first, &asked);
            facts.extend(asked.fact);
        }
        if facts.is_empty() {
            return Ok(first);
        }
        judge(&facts)
    }
}

/// From this size on a body is judged beside the workers, one at a time: no set was ever so large, and what it costs in time
/// and memory grows with it.
const LARGE: usize = 256 << 10;

/// Does what takes microseconds inline, and what may take longer so that other requests, probes and signals go on meanwhile.
fn aside<T>(is_large: bool, work: impl FnOnce() -> T) -> T {
    let has_workers = || Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    if is_large && has_workers() {
        block_in_place(work)
    } else {
        work()
    }
}

/// One line per question to the API server. That we may not ask is for a person to mend; the rest mends itself, or is not
/// to be mended.
fn log_asked(first: &Answer, asked: &Asked) {
    let (uid, namespace, name) = (&first.uid, &first.namespace, &first.name);
    let (lookup, outcome) = (asked.lookup.as_str(), asked.outcome.as_str());
    let reason = asked.fact.as_ref().err();
    if asked.outcome == Outcome::Refused {
        warn!(
            uid,
            namespace, name, lookup, outcome, reason, "Asked the API server"
        );
    } else {
        debug!(
            uid,
            namespace, name, lookup, outcome, reason, "Asked the API server"
        );
    }
}

/// One line per decision, which has an end however large the object is.
fn log(phase: Phase, answer: &Answer, start: Instant) {
    let Answer {
        uid,
        namespace,
        name,
        operation,
        ..
    } = answer;
    info!(
        phase = phase.as_str(),
        uid = clipped(uid),
        namespace = clipped(namespace),
        name = clipped(name),
        operation = clipped(operation),
        result = answer.result(),
        rules = outcomes(answer),
        micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
        "Answered"
    );
}

/// What became of each rule's findings, once, with their number where there are several: `zero-grace-period=denied`,
/// `missing-readiness-probe=injected*3`.
fn outcomes(answer: &Answer) -> String {
    let mut counts: Vec<((&str, &str), usize)> = Vec::new();
    for judged in &answer.judged {
        let outcome = (judged.rule, judged.outcome.as_str());
        match counts.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, count)) => *count += 1,
            None => counts.push((outcome, 1)),
        }
    }
    let words = counts.into_iter().map(|((rule, outcome), count)| {
        let several = (count > 1).then(|| format!("*{count}"));
        format!("{rule}={outcome}{}", several.unwrap_or_default())
    });
    words.collect::<Vec<_>>().join(",")
}

/// As much of a name as any name of Kubernetes has: at mutating time nobody has looked at its length yet.
fn clipped(name: &str) -> &str {
    &name[..name.floor_char_boundary(253)]
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    content_type
        .split(';')
        .next()
        .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
}

fn refuse(status: StatusCode, reason: &'static str, message: String) -> Response {
    json(status, refusal("", status.as_u16(), reason, message))
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let body: Bytes = body.into();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
