//! The probes that we write, with every default that the API server would fill in.

use k8s_openapi::api::core::v1::{ExecAction, GRPCAction, HTTPGetAction, Probe, TCPSocketAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::{Asked, Handler, Port};
use crate::object::probe::HANDLERS;

/// Seconds between two questions of a startup probe; the other probes begin that much later at most.
const STARTUP_PERIOD_SECONDS: u32 = 10;

/// Seconds between two questions of a liveness probe.
const LIVENESS_PERIOD_SECONDS: u32 = 20;

/// A readiness probe that asks no more often than every `period_seconds`.
#[must_use]
pub fn readiness(asked: &Asked, period_seconds: u32) -> Probe {
    let period = asked.numbers.period.unwrap_or(period_seconds);
    Probe {
        initial_delay_seconds: Some(asked.numbers.initial_delay)
            .filter(|delay| *delay > 0)
            .map(count),
        ..probe(asked, period.max(period_seconds), asked.numbers.failures)
    }
}

/// A liveness probe that kills no sooner than after `kill_seconds` of failures.
#[must_use]
pub fn liveness(asked: &Asked, kill_seconds: u32) -> Probe {
    let period = asked.numbers.period.unwrap_or(LIVENESS_PERIOD_SECONDS);
    let failures = kill_seconds.div_ceil(period);
    probe(asked, period, failures.max(asked.numbers.failures))
}

/// A startup probe that gives up no sooner than after `budget_seconds`.
#[must_use]
pub fn startup(asked: &Asked, budget_seconds: u32) -> Probe {
    let period = asked.numbers.period.unwrap_or(STARTUP_PERIOD_SECONDS);
    let failures = budget_seconds.div_ceil(period);
    probe(asked, period, failures.max(asked.numbers.failures))
}

/// For how many seconds a probe may fail before something is done.
#[must_use]
pub fn patience(probe: &Probe) -> i64 {
    i64::from(probe.period_seconds.unwrap_or(10)) * i64::from(probe.failure_threshold.unwrap_or(3))
}

/// This probe, asking in another way.
///
/// # Panics
/// Never: a probe is plain data.
#[must_use]
pub fn with_handler(probe: &Value, asked: &Asked) -> Value {
    let mut asking = serde_json::to_value(readiness(asked, 10)).expect("a probe is plain data");
    let fields = asking.as_object_mut().expect("a probe is an object");
    let is_handler = |key: &str| HANDLERS.contains(&key);
    fields.retain(|key, _| is_handler(key) || !probe[key].is_null());
    let numbers = probe.as_object().into_iter().flatten();
    let numbers = numbers.filter(|(key, _)| !is_handler(key));
    fields.extend(numbers.map(|(key, value)| (key.clone(), value.clone())));
    asking
}

fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn probe(asked: &Asked, period_seconds: u32, failure_threshold: u32) -> Probe {
    let port = |port: &Port| {
        let number = IntOrString::Int(port.number.into());
        port.name.clone().map_or(number, IntOrString::String)
    };
    let mut probe = Probe {
        period_seconds: Some(count(period_seconds)),
        timeout_seconds: Some(count(asked.numbers.timeout)),
        success_threshold: Some(1),
        failure_threshold: Some(count(failure_threshold)),
        ..Probe::default()
    };
    match &asked.handler {
        Handler::Tcp(asked) => {
            probe.tcp_socket = Some(TCPSocketAction {
                host: None,
                port: port(asked),
            });
        }
        Handler::Grpc(port) => {
            probe.grpc = Some(GRPCAction {
                port: (*port).into(),
                service: Some(String::new()),
                ..GRPCAction::default()
            });
        }
        Handler::Http {
            path,
            port: asked,
            scheme,
        } => {
            probe.http_get = Some(HTTPGetAction {
                path: Some(path.clone()),
                port: port(asked),
                scheme: Some(scheme.clone()),
                ..HTTPGetAction::default()
            });
        }
        Handler::Exec(command) => {
            probe.exec = Some(ExecAction {
                command: Some(command.clone()),
            });
        }
    }
    probe
}
