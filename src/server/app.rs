//! The two routers, as values that a test can call without a socket.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{debug, info, warn};

use super::Metrics;
use crate::admission::{self, Answer, BadReview, Phase, refusal};
use crate::cluster::{Asked, Fact, Live, Outcome, Overlay};
use crate::policy::PolicySet;
use crate::rule::ClusterView;

/// Largest body that is read: two objects of 3 MiB, which is the most the API server takes, and 1 MiB of everything else.
pub const BODY_LIMIT: usize = 7 << 20;

/// What every request needs.
pub struct Judge {
    /// The policies in force.
    pub policies: PolicySet,
    /// What else is in the cluster.
    pub cluster: Arc<dyn ClusterView>,
    /// Who is asked where a verdict hangs on what that view does not know; nobody without.
    pub lookups: Option<Live>,
    /// What is counted.
    pub metrics: Metrics,
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
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
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
pub fn status_router(judge: Arc<Judge>) -> Router {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(async || "ok\n"))
        .route(
            "/metrics",
            get(async |State(judge): State<Arc<Judge>>| {
                ([(header::CONTENT_TYPE, OPEN_METRICS)], judge.metrics.text())
            }),
        )
        .with_state(judge)
}

type Body = Result<Bytes, BytesRejection>;

async fn mutate(
    State(judge): State<Arc<Judge>>,
    version: Version,
    headers: HeaderMap,
    body: Body,
) -> Response {
    debug!(phase = Phase::Mutate.as_str(), ?version, "Asked");
    judge.review(Phase::Mutate, &headers, body).await
}

async fn validate(
    State(judge): State<Arc<Judge>>,
    version: Version,
    headers: HeaderMap,
    body: Body,
) -> Response {
    debug!(phase = Phase::Validate.as_str(), ?version, "Asked");
    judge.review(Phase::Validate, &headers, body).await
}

impl Judge {
    async fn review(&self, phase: Phase, headers: &HeaderMap, body: Body) -> Response {
        let start = Instant::now();
        let response = match body {
            Ok(_) if !is_json(headers) => refuse(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                "the content type is not application/json".to_owned(),
            ),
            Ok(body) => self.answer(phase, &body, start).await,
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => refuse(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                format!("the body is larger than {} MiB", BODY_LIMIT >> 20),
            ),
            Err(error) => refuse(error.status(), "BadRequest", error.body_text()),
        };
        self.metrics.handled(phase, start.elapsed());
        response
    }

    async fn answer(&self, phase: Phase, body: &[u8], start: Instant) -> Response {
        match self.judge(phase, body).await {
            Ok(answer) => {
                self.metrics.answered(phase, &answer);
                log(phase, &answer, start);
                json(StatusCode::OK, answer.body)
            }
            Err(bad) => {
                self.metrics.refused(phase);
                warn!(
                    phase = phase.as_str(),
                    uid = bad.uid(),
                    bytes = body.len(),
                    "Refused: {bad}"
                );
                json(StatusCode::BAD_REQUEST, bad.body())
            }
        }
    }

    /// Judges; where the verdict hangs on what the API server can tell, asks it and judges once more. Only then is there
    /// anything to wait for, and what came of that is the answer, whatever is still open in it.
    async fn judge(&self, phase: Phase, body: &[u8]) -> Result<Answer, BadReview> {
        let judge = |facts: &[Fact]| {
            let view = Overlay::new(self.cluster.as_ref(), facts);
            admission::handle(phase, &self.policies, &view, body)
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

/// One line per question to the API server. That we may not ask is for a person to mend; the rest mends itself, or is not
/// to be mended.
fn log_asked(first: &Answer, asked: &Asked) {
    let (uid, set) = (&first.uid, &first.subject);
    let (lookup, outcome) = (asked.lookup.as_str(), asked.outcome.as_str());
    let reason = asked.fact.as_ref().err();
    if asked.outcome == Outcome::Refused {
        warn!(uid, set, lookup, outcome, reason, "Asked the API server");
    } else {
        debug!(uid, set, lookup, outcome, reason, "Asked the API server");
    }
}

/// One line per decision.
fn log(phase: Phase, answer: &Answer, start: Instant) {
    let Answer {
        uid,
        subject,
        operation,
        judged,
        ..
    } = answer;
    let rules: Vec<_> = judged
        .iter()
        .map(|judged| format!("{}={}", judged.rule, judged.outcome.as_str()))
        .collect();
    info!(
        phase = phase.as_str(),
        uid,
        set = subject,
        operation,
        result = answer.result(),
        rules = rules.join(","),
        micros = start.elapsed().as_micros(),
        "Answered"
    );
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

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
