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
use crate::admission::{self, Answer, Phase, refusal};
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
    judge.review(Phase::Mutate, &headers, body)
}

async fn validate(
    State(judge): State<Arc<Judge>>,
    version: Version,
    headers: HeaderMap,
    body: Body,
) -> Response {
    debug!(phase = Phase::Validate.as_str(), ?version, "Asked");
    judge.review(Phase::Validate, &headers, body)
}

impl Judge {
    fn review(&self, phase: Phase, headers: &HeaderMap, body: Body) -> Response {
        let start = Instant::now();
        let response = match body {
            Ok(_) if !is_json(headers) => refuse(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                "the content type is not application/json".to_owned(),
            ),
            Ok(body) => self.answer(phase, &body, start),
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

    fn answer(&self, phase: Phase, body: &[u8], start: Instant) -> Response {
        match admission::handle(phase, &self.policies, self.cluster.as_ref(), body) {
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
