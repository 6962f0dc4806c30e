//! What is measured, and how often.

use std::collections::BTreeMap;
use std::path::Path;

use axum::body::Bytes;
use steadfast::admission::Phase;
use steadfast::policy::PolicySet;

use super::bodies::{self, Body};
use super::floor;

/// How much is measured.
pub(crate) struct Plan {
    /// Rounds, in each of which the product and the floor take turns.
    pub(crate) rounds: usize,
    /// What the number of requests in a run is divided by.
    divisor: usize,
    /// Requests of the soak.
    pub(crate) soak: usize,
    /// How often the product is started.
    pub(crate) starts: usize,
    /// Whether the tables go onto the page.
    pub(crate) publish: bool,
}

/// One body, sent to one phase.
pub(crate) struct Case {
    /// Which of the two webhooks is asked.
    pub(crate) phase: Phase,
    /// What tables call the body.
    pub(crate) body: &'static str,
    /// What is sent.
    pub(crate) text: Bytes,
    /// What comes back, from either.
    pub(crate) answer: Bytes,
    /// Requests in a run.
    pub(crate) requests: usize,
    /// How many times the floor's processor time is aimed at.
    pub(crate) aim: Option<f64>,
}

/// Each body and phase with its requests in a run and the aim.
const CASES: &[(Phase, &str, usize, Option<f64>)] = &[
    (Phase::Validate, "small", 40_000, Some(1.5)),
    (Phase::Validate, "medium", 25_000, Some(2.4)),
    (Phase::Validate, "large", 4_000, Some(1.7)),
    (Phase::Mutate, "bare", 25_000, Some(2.5)),
    (Phase::Mutate, "update, new image", 10_000, None),
];

impl Plan {
    /// What was asked for. `cargo bench` says `--bench`; who says `--quick` too gets figures that are only good for a first look,
    /// and who says neither runs a test of the benchmark.
    pub(crate) fn of(arguments: &[String]) -> Self {
        let says = |word: &str| arguments.iter().any(|argument| argument == word);
        let (rounds, divisor, soak, starts) = match (says("--bench"), says("--quick")) {
            (false, _) => (1, 100, 1_000, 3),
            (true, true) => (3, 10, 20_000, 5),
            (true, false) => (5, 1, 1_000_000, 20),
        };
        Self {
            rounds,
            divisor,
            soak,
            starts,
            publish: divisor == 1,
        }
    }

    /// Every case; what the floor is to answer is laid down in `folder`.
    pub(crate) fn cases(&self, folder: &Path) -> Vec<Case> {
        let (policies, bodies) = (PolicySet::built_in(), bodies::all());
        for body in &bodies {
            body.check(&policies);
        }
        let case = |&(phase, name, requests, aim): &(Phase, &str, usize, Option<f64>)| {
            let body = found(&bodies, name);
            Case {
                phase,
                body: body.name,
                text: body.text.clone().into(),
                answer: body.answer(phase, &policies).body.into(),
                requests: requests / self.divisor,
                aim,
            }
        };
        let cases: Vec<_> = CASES.iter().map(case).collect();
        let answers: BTreeMap<_, _> = cases
            .iter()
            .map(|case| (case.path_of_floor(), String::from_utf8_lossy(&case.answer)))
            .collect();
        floor::lay_down(folder, &answers);
        cases
    }
}

/// The body of this name.
pub(crate) fn found<'a>(bodies: &'a [Body], name: &str) -> &'a Body {
    bodies
        .iter()
        .find(|body| body.name == name)
        .expect("a body of that name")
}

impl Case {
    /// Where the product is asked, as the API server does it.
    pub(crate) fn path(&self) -> String {
        format!("/{}?timeout=10s", self.phase.as_str())
    }

    /// Where the floor is asked: it has a constant answer at each path.
    pub(crate) fn path_of_floor(&self) -> String {
        format!(
            "/{}/{}",
            self.phase.as_str(),
            self.body.split(',').next().unwrap_or_default()
        )
    }
}
