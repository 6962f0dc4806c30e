//! The probes that we write, with every default that the API server would fill in.

use k8s_openapi::api::core::v1::{GRPCAction, Probe, TCPSocketAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::Handler;
use crate::object::probe::HANDLERS;

/// Seconds that a probe waits for its answer: a busy server is slow before it is dead.
const TIMEOUT_SECONDS: i32 = 5;

/// Seconds between two questions of a startup probe; the other probes begin that much later at most.
const STARTUP_PERIOD_SECONDS: u32 = 10;

/// Seconds between two questions of a liveness probe.
const LIVENESS_PERIOD_SECONDS: u32 = 20;

/// A readiness probe: three failures take the pod out of its Services.
#[must_use]
pub fn readiness(handler: &Handler, period_seconds: u32) -> Probe {
    probe(handler, period_seconds, 3)
}

/// A liveness probe that kills no sooner than after `kill_seconds` of failures.
#[must_use]
pub fn liveness(handler: &Handler, kill_seconds: u32) -> Probe {
    probe(
        handler,
        LIVENESS_PERIOD_SECONDS,
        kill_seconds.div_ceil(LIVENESS_PERIOD_SECONDS),
    )
}

/// A startup probe that gives up after `budget_seconds`.
#[must_use]
pub fn startup(handler: &Handler, budget_seconds: u32) -> Probe {
    probe(
        handler,
        STARTUP_PERIOD_SECONDS,
        budget_seconds.div_ceil(STARTUP_PERIOD_SECONDS),
    )
}

/// This probe, asking in another way.
///
/// # Panics
/// Never: a probe is plain data.
#[must_use]
pub fn with_handler(probe: &Value, handler: &Handler) -> Value {
    let mut asking = serde_json::to_value(readiness(handler, 10)).expect("a probe is plain data");
    for (key, value) in probe.as_object().into_iter().flatten() {
        if !HANDLERS.contains(&key.as_str()) {
            asking[key] = value.clone();
        }
    }
    asking
}

fn probe(handler: &Handler, period_seconds: u32, failure_threshold: u32) -> Probe {
    let count = |count: u32| Some(i32::try_from(count).unwrap_or(i32::MAX));
    let (tcp_socket, grpc) = match handler {
        Handler::Tcp(port) => {
            let number = IntOrString::Int(port.number.into());
            let port = port.name.clone().map_or(number, IntOrString::String);
            (Some(TCPSocketAction { host: None, port }), None)
        }
        Handler::Grpc(port) => (
            None,
            Some(GRPCAction {
                port: (*port).into(),
                service: Some(String::new()),
                ..Default::default()
            }),
        ),
    };
    Probe {
        tcp_socket,
        grpc,
        period_seconds: count(period_seconds),
        timeout_seconds: Some(TIMEOUT_SECONDS),
        success_threshold: Some(1),
        failure_threshold: count(failure_threshold),
        ..Probe::default()
    }
}
