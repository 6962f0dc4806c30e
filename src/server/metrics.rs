//! What is counted: `steadfast_*` and `process_*`, base units, labels with few values only.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::process::Usage;
use crate::admission::{Answer, Phase};
use crate::cluster::Asked;

/// The counters of one process.
pub struct Metrics {
    registry: Registry,
    reviews: Family<ReviewLabels, Counter>,
    decisions: Family<DecisionLabels, Counter>,
    handling: Family<PhaseLabels, Histogram>,
    running: Family<PhaseLabels, Gauge>,
    bodies: Histogram,
    refusals: Family<StatusLabels, Counter>,
    turned_away: Counter,
    lookups: Family<LookupLabels, Counter>,
    expiry: Gauge<f64, AtomicU64>,
    reloads: Family<OutcomeLabels, Counter>,
    panics: Counter,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ReviewLabels {
    phase: &'static str,
    operation: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct DecisionLabels {
    rule: &'static str,
    level: &'static str,
    outcome: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct PhaseLabels {
    phase: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct StatusLabels {
    status: u16,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct LookupLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// Seconds: a review takes some tens of microseconds, a large one or one that asks the API server milliseconds.
const SECONDS: [f64; 10] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.1, 1.0,
];

/// Bytes: a set has 2 KB to 20 KB, an update twice that, and the largest body that is read 7 MiB.
const BYTES: [f64; 7] = [4e3, 16e3, 64e3, 256e3, 1e6, 4e6, 8e6];

impl Metrics {
    /// Counters at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Usage));
        let own = registry.sub_registry_with_prefix("steadfast");
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        own.register("build", "The running program", build);
        let seconds = (|| Histogram::new(SECONDS)) as fn() -> Histogram;
        Self {
            reviews: add(own, "reviews", "Reviews by their result"),
            decisions: add(own, "decisions", "Findings by what became of them"),
            handling: {
                let handling = Family::new_with_constructor(seconds);
                let help = "Time from a body to its answer";
                measure(own, "handling", help, Unit::Seconds, handling)
            },
            running: add(
                own,
                "requests_in_flight",
                "Requests that are being read or judged",
            ),
            bodies: {
                let help = "Size of the bodies that were judged";
                measure(own, "body", help, Unit::Bytes, Histogram::new(BYTES))
            },
            refusals: add(
                own,
                "refusals",
                "Requests that are no review, by HTTP status",
            ),
            turned_away: add(
                own,
                "connections_turned_away",
                "Connections beyond the limit",
            ),
            lookups: add(
                own,
                "lookups",
                "Questions to the API server by what came of them",
            ),
            expiry: {
                let help = "When the certificate that is served expires, in Unix time";
                let name = "certificate_expiry_timestamp";
                measure(own, name, help, Unit::Seconds, Gauge::default())
            },
            reloads: add(
                own,
                "certificate_reloads",
                "Changes of the certificate's files",
            ),
            panics: add(own, "panics", "Requests that panicked"),
            registry,
        }
    }

    /// Everything, as `OpenMetrics` text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes everything");
        text
    }

    pub(super) fn answered(&self, phase: Phase, answer: &Answer) {
        let operation = operation(&answer.operation);
        let result = answer.result();
        self.reviews
            .get_or_create(&ReviewLabels {
                phase: phase.as_str(),
                operation,
                result,
            })
            .inc();
        for judged in &answer.judged {
            let labels = DecisionLabels {
                rule: judged.rule,
                level: judged.level.as_str(),
                outcome: judged.outcome.as_str(),
                operation,
            };
            self.decisions.get_or_create(&labels).inc();
        }
    }

    pub(super) fn handled(&self, phase: Phase, took: Duration, bytes: usize) {
        let phase = phase.as_str();
        let handling = self.handling.get_or_create(&PhaseLabels { phase });
        handling.observe(took.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a body has 7 MiB at most")]
        self.bodies.observe(bytes as f64);
    }

    /// Counts a request as running until what is returned is dropped, also where it is given up on the way.
    pub(super) fn running(&self, phase: Phase) -> Running {
        let phase = phase.as_str();
        let running = self.running.get_or_create(&PhaseLabels { phase });
        running.inc();
        Running(Gauge::clone(&running))
    }

    pub(super) fn refused(&self, status: StatusCode) {
        let status = status.as_u16();
        self.refusals.get_or_create(&StatusLabels { status }).inc();
    }

    pub(super) fn turned_away(&self) {
        self.turned_away.inc();
    }

    pub(super) fn asked(&self, asked: &Asked) {
        let labels = LookupLabels {
            kind: asked.lookup.as_str(),
            outcome: asked.outcome.as_str(),
        };
        self.lookups.get_or_create(&labels).inc();
    }

    pub(super) fn certificate_expires(&self, at: SystemTime) {
        let since = at.duration_since(SystemTime::UNIX_EPOCH);
        self.expiry.set(since.unwrap_or_default().as_secs_f64());
    }

    pub(super) fn reloaded(&self, could_be_served: bool) {
        let outcome = if could_be_served { "served" } else { "failed" };
        self.reloads.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    pub(super) fn panicked(&self) {
        self.panics.inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// A request that runs.
pub(super) struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn measure<M: Metric + Clone>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    unit: Unit,
    metric: M,
) -> M {
    registry.register_with_unit(name, help, unit, metric.clone());
    metric
}

/// The operation as a label: whoever can reach the port must not be able to make new ones.
fn operation(operation: &str) -> &'static str {
    ["CREATE", "UPDATE", "DELETE", "CONNECT"]
        .into_iter()
        .find(|known| *known == operation)
        .unwrap_or("unknown")
}
