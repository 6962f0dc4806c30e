//! Every entry of the catalogue does what it says: its probes into a container that runs it, only its port where it is less
//! certain, and none where it says that none is right.

use serde_json::{Value, json};
use steadfast::admission;
use steadfast::cluster::Unseen;
use steadfast::policy::PolicySet;
use steadfast::workload::{COMMON, Confidence, KnownProbe, Workload};

use crate::running;

/// The probe of a container that runs this workload, after injection.
fn injected(workload: &Workload, field: &str) -> Value {
    let set = running::set(workload);
    let verdict = admission::admit(&PolicySet::built_in(), &Unseen, "default", &set, None);
    let patched = verdict.expect("a set").patched.unwrap_or(set);
    patched["spec"]["template"]["spec"]["containers"][0][field].clone()
}

/// How a known probe asks, with the port's name, which the manifest declares.
fn handler(workload: &Workload, probe: &KnownProbe) -> Value {
    let named = |number: u16| {
        let ports = workload.ports.iter().filter(|port| port.port == number);
        let tcp = ports.filter(|port| port.protocol.as_deref().is_none_or(|of| of == "TCP"));
        tcp.map(|port| port.name.clone())
            .next()
            .expect("it is declared")
    };
    match (&probe.exec, &probe.http_get, probe.port()) {
        (Some(exec), _, _) => json!({"exec": {"command": exec.command}}),
        (_, Some(http), _) => {
            json!({"httpGet": {"path": http.path, "port": named(http.port), "scheme": http.scheme}})
        }
        (_, _, Some(port)) => json!({"tcpSocket": {"port": named(port)}}),
        (None, None, None) => Value::Null,
    }
}

fn asks_as(workload: &Workload, probe: &KnownProbe, injected: &Value) {
    let asks = handler(workload, probe);
    let (kind, asked) = asks
        .as_object()
        .and_then(|asks| asks.iter().next())
        .expect("a handler");
    assert_eq!(&injected[kind], asked, "{}: {injected}", workload.id);
    // Never less patient than the entry.
    let number = |field: &str| injected[field].as_u64().unwrap_or_default();
    let patience = number("periodSeconds") * number("failureThreshold");
    let known = u64::from(probe.period_seconds) * u64::from(probe.failure_threshold);
    assert!(patience >= known, "{}: {injected}", workload.id);
}

#[test]
fn what_is_certain_is_injected_as_it_stands() {
    let certain = COMMON.workloads();
    let certain = certain.filter(|workload| workload.confidence == Confidence::High);
    for workload in certain {
        for (field, probe) in [
            ("readinessProbe", workload.readiness.as_ref()),
            ("livenessProbe", workload.liveness.as_ref()),
            (
                "startupProbe",
                workload
                    .startup
                    .as_ref()
                    .filter(|_| workload.liveness.is_some()),
            ),
        ] {
            let injected = injected(workload, field);
            match probe {
                Some(probe) => asks_as(workload, probe, &injected),
                None if field == "startupProbe" && workload.liveness.is_some() => {
                    assert!(
                        !injected.is_null(),
                        "{}: no liveness without it",
                        workload.id
                    );
                }
                None => assert_eq!(injected, Value::Null, "{} {field}", workload.id),
            }
        }
    }
}

#[test]
fn of_what_is_less_certain_only_a_port_is_asked() {
    for workload in COMMON.workloads() {
        if workload.confidence == Confidence::High {
            continue;
        }
        for (field, probe) in [
            ("readinessProbe", &workload.readiness),
            ("livenessProbe", &workload.liveness),
        ] {
            let injected = injected(workload, field);
            assert!(
                injected["httpGet"].is_null() && injected["exec"].is_null(),
                "{}: {injected}",
                workload.id
            );
            assert!(
                probe.is_some() || injected.is_null(),
                "{} {field}",
                workload.id
            );
        }
    }
}
