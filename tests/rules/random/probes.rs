//! What may become of a probe in an update, told from the request, the stored set and its record alone.

use std::fmt;

use proptest::prop_assert;
use serde_json::Value;
use steadfast::object::probe::HANDLERS;
use steadfast::object::record::{Entry, contains};

use super::life::{Step, always};
use super::manifest::PROBES;
use super::server::items;

#[test]
fn a_probe_is_as_asked_or_as_injected() {
    always(|step| {
        let recorded = step.recorded();
        let [request, result] =
            [step.request, step.result].map(|set| &set["spec"]["template"]["spec"]["containers"]);
        for (container, becomes) in items(request).zip(items(result)) {
            for kind in PROBES {
                let (fate, probe) = (fate(step, &recorded, container, kind), &becomes[*kind]);
                let name = &container["name"];
                if *kind == "livenessProbe" && probe.is_null() && lost_its_guard(step, becomes) {
                    continue;
                }
                prop_assert!(fate.allows(probe), "{step}{kind} of {name} {fate}");
            }
        }
        Ok(())
    });
}

/// Whether a container has no startup probe any more: an injected liveness probe then goes, too.
fn lost_its_guard(step: &Step<'_>, becomes: &Value) -> bool {
    let name = becomes["name"].as_str().unwrap_or_default();
    let was = named(step.old, name);
    let injected = |entry: &Entry| {
        entry.container.as_deref() == Some(name) && entry.path.ends_with(".livenessProbe")
    };
    step.rolls()
        && step.recorded().iter().any(injected)
        && becomes["startupProbe"].is_null()
        && !was["startupProbe"].is_null()
}

/// What the update may make of a probe.
enum Fate<'s> {
    /// Just this; null is none.
    Is(Value),
    /// Any of these, or one that asks in one other way: it was for a workload, and what runs now may be another.
    ForWorkload { is: Value, was: Value },
    /// None, or this probe with another handler, which asks a port that the container declares.
    Renewed { of: &'s Value, container: &'s Value },
}

const NUMBERS: &[(&str, i64)] = &[
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
];

/// What the update may make of the probe of this `kind` in a container of the request.
fn fate<'s>(
    step: &'s Step<'_>,
    recorded: &'s [Entry],
    container: &'s Value,
    kind: &str,
) -> Fate<'s> {
    let (name, is) = (
        container["name"].as_str().unwrap_or_default(),
        &container[kind],
    );
    let as_asked = Fate::Is(is.clone());
    let path = format!("spec.template.spec.containers[{name}].{kind}");
    let was = &named(step.old, name)[kind];
    let ours = recorded
        .iter()
        .find(|entry| entry.path == path && contains(was, &entry.value));
    // What changes no template starts no rollout; and what is not ours, or no longer as we wrote it, is the user's.
    let Some(ours) = ours.filter(|_| step.rolls()) else {
        return as_asked;
    };
    let Some(handler) = HANDLERS.into_iter().find(|own| !ours.value[*own].is_null()) else {
        return as_asked;
    };
    if ours.workload.is_some() {
        let (is, was) = (is.clone(), was.clone());
        return Fate::ForWorkload { is, was };
    }
    let port_is_there = asks_a_port_of(&ours.value, container);
    if is.is_null() {
        return match port_is_there {
            _ if step.declines(ours) => as_asked,
            true => Fate::Is(was.clone()),
            false => Fate::Renewed {
                of: &ours.value,
                container,
            },
        };
    }
    if !contains(&is[handler], &ours.value[handler]) {
        return as_asked;
    }
    let mut others = HANDLERS.into_iter().filter(|own| *own != handler);
    if let Some(own) = others.find(|own| !is[*own].is_null()) {
        return Fate::Is(yielded(step, ours, (handler, own), name, kind, is));
    }
    // With a number of the user's, or known to be written by him, too, it is his own.
    let stated =
        step.delivery.leaves_a_trace() && !named(step.author, name)[kind][handler].is_null();
    if port_is_there || stated || !contains(is, &ours.value) {
        return as_asked;
    }
    Fate::Renewed { of: is, container }
}

/// The user's probe without the handler that a merge left beside his, and without those of our numbers that he is known to
/// have left out.
fn yielded(
    step: &Step<'_>,
    ours: &Entry,
    (handler, own): (&str, &str),
    name: &str,
    kind: &str,
    is: &Value,
) -> Value {
    let mut probe = is.clone();
    let fields = probe.as_object_mut().expect("a probe is an object");
    fields.shift_remove(handler);
    let written = &named(step.author, name)[kind];
    let shown = step.delivery.leaves_a_trace() && !written[own].is_null();
    for (number, default) in NUMBERS {
        let is_ours = is[*number] == ours.value[*number] && is[*number] != *default;
        if shown && is_ours && written[*number].is_null() {
            fields.shift_remove(*number);
        }
    }
    probe
}

impl Fate<'_> {
    /// Whether this probe is what may be.
    fn allows(&self, probe: &Value) -> bool {
        match self {
            Self::Is(lawful) => probe == lawful,
            Self::ForWorkload { is, was } => {
                let asks = HANDLERS.iter().filter(|own| !probe[**own].is_null());
                probe.is_null() || probe == is || probe == was || asks.count() == 1
            }
            Self::Renewed { of, container } => {
                let asks = HANDLERS.iter().filter(|own| !probe[**own].is_null());
                let anew = asks.count() == 1 && asks_a_port_of(probe, container);
                probe.is_null() || (anew && without_handler(probe) == without_handler(of))
            }
        }
    }
}

impl fmt::Display for Fate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(lawful) => write!(f, "must be {lawful}"),
            Self::ForWorkload { is, was } => {
                write!(f, "must be null, {is}, {was}, or ask in one other way")
            }
            Self::Renewed { of, .. } => write!(
                f,
                "may be null, or {of} with a handler that asks a declared port"
            ),
        }
    }
}

fn without_handler(probe: &Value) -> Value {
    let mut rest = probe.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.retain(|field, _| !HANDLERS.contains(&field.as_str()));
    }
    rest
}

/// Whether the author's own probe was taken for the injected one: he wrote the same, asks a port that is gone, and the
/// request does not show that it is his.
pub(super) fn mistakes_one_for_ours(step: &Step<'_>) -> bool {
    let containers = items(&step.author["spec"]["template"]["spec"]["containers"]);
    let mut probes = containers.flat_map(|container| {
        let name = container["name"].as_str().unwrap_or_default();
        let becomes = named(step.result, name);
        PROBES
            .iter()
            .map(|kind| (&container[*kind], &becomes[*kind]))
    });
    let is_taken = |(written, becomes): (&Value, &Value)| {
        HANDLERS
            .iter()
            .any(|own| !written[*own].is_null() && becomes[*own].is_null())
    };
    !step.delivery.leaves_a_trace() && probes.any(is_taken)
}

/// The container of this name.
fn named<'v>(set: &'v Value, name: &str) -> &'v Value {
    let mut containers = items(&set["spec"]["template"]["spec"]["containers"]);
    containers
        .find(|container| container["name"] == name)
        .unwrap_or(&Value::Null)
}

/// Whether the port that a recorded probe asks is declared in the set.
pub(super) fn still_asks(entry: &Entry, set: &Value) -> bool {
    let container = named(set, entry.container.as_deref().unwrap_or_default());
    asks_a_port_of(&entry.value, container)
}

/// Whether the container declares the port that the probe asks, by name or number, and for TCP.
fn asks_a_port_of(probe: &Value, container: &Value) -> bool {
    let ports = HANDLERS.iter().map(|own| &probe[*own]["port"]);
    let Some(asked) = ports.into_iter().find(|port| !port.is_null()) else {
        return false;
    };
    let key = if asked.is_string() {
        "name"
    } else {
        "containerPort"
    };
    items(&container["ports"]).any(|port| port[key] == *asked && port["protocol"] == "TCP")
}
