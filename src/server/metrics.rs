//! What is counted: `steadfast_*`, base units, labels with few values only.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::admission::{Answer, Phase};
use crate::cluster::Asked;

/// The counters of one process.
pub struct Metrics {
    registry: Registry,
    reviews: Family<ReviewLabels, Counter>,
    decisions: Family<DecisionLabels, Counter>,
    handling: Family<PhaseLabels, Histogram>,
    lookups: Family<LookupLabels, Counter>,
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
    level: String,
    outcome: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct PhaseLabels {
    phase: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct LookupLabels {
    kind: &'static str,
    outcome: &'static str,
}

/// Seconds: a review takes some tens of microseconds, a large one or one that asks the API server milliseconds.
const BUCKETS: [f64; 10] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.1, 1.0,
];

impl Metrics {
    /// Counters at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("steadfast");
        let (reviews, decisions, panics) =
            (Family::default(), Family::default(), Counter::default());
        let handling =
            Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        registry.register("reviews", "Reviews by their result", reviews.clone());
        registry.register(
            "decisions",
            "Findings by what became of them",
            decisions.clone(),
        );
        registry.register_with_unit(
            "handling",
            "Time from a body to its answer",
            Unit::Seconds,
            handling.clone(),
        );
        let lookups = Family::default();
        registry.register(
            "lookups",
            "Questions to the API server by what came of them",
            lookups.clone(),
        );
        registry.register("panics", "Requests that panicked", panics.clone());
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The running program", build);
        Self {
            registry,
            reviews,
            decisions,
            handling,
            lookups,
            panics,
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
            let level = judged.level.to_string();
            let labels = DecisionLabels {
                rule: judged.rule,
                level,
                outcome: judged.outcome.as_str(),
                operation,
            };
            self.decisions.get_or_create(&labels).inc();
        }
    }

    pub(super) fn refused(&self, phase: Phase) {
        let labels = ReviewLabels {
            phase: phase.as_str(),
            operation: "unknown",
            result: "refused",
        };
        self.reviews.get_or_create(&labels).inc();
    }

    pub(super) fn handled(&self, phase: Phase, took: Duration) {
        self.handling
            .get_or_create(&PhaseLabels {
                phase: phase.as_str(),
            })
            .observe(took.as_secs_f64());
    }

    pub(super) fn asked(&self, asked: &Asked) {
        let labels = LookupLabels {
            kind: asked.lookup.as_str(),
            outcome: asked.outcome.as_str(),
        };
        self.lookups.get_or_create(&labels).inc();
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

/// The operation as a label: whoever can reach the port must not be able to make new ones.
fn operation(operation: &str) -> &'static str {
    ["CREATE", "UPDATE", "DELETE", "CONNECT"]
        .into_iter()
        .find(|known| *known == operation)
        .unwrap_or("unknown")
}
