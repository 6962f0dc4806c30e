//! The soak: very many requests of all kinds, and what memory the process has in the end.

use std::path::Path;
use std::sync::Arc;

use steadfast::admission::Phase;
use steadfast::policy::PolicySet;

use super::bodies::{self, Body};
use super::child::Server;
use super::load::{Ask, Connections};
use super::page::{head, row};
use super::plan::Plan;

/// How often each body comes among a hundred; both phases see each.
const MIX: &[(&str, usize)] = &[
    ("small", 20),
    ("bare", 10),
    ("medium", 10),
    ("update, equal", 4),
    ("update, new image", 2),
    ("update of a repaired set, new image", 2),
    ("replacement of a repaired set", 1),
    ("large", 1),
];

/// Into how many parts it falls; after each the memory is read.
const PARTS: usize = 10;

/// Measures, and says so in a table.
pub(crate) async fn table(plan: &Plan, folder: &Path) -> String {
    let (asks, server) = (mix(), Server::product(folder));
    let connections = Connections::new(server.webhook, folder);
    let mut table = head(&["requests", "RSS MiB", "the most so far"]);
    let mut report = |requests: usize| {
        let (now, most) = server.resident();
        eprintln!("soak: {requests} of {} requests: {now:.1} MiB", plan.soak);
        table += &row([
            requests.to_string(),
            format!("{now:.1}"),
            format!("{most:.1}"),
        ]);
    };
    report(0);
    for part in 1..=PARTS {
        connections.send(&asks, plan.soak / PARTS).await;
        report(plan.soak / PARTS * part);
    }
    table
}

/// A hundred requests. They are dealt out so that equal ones do not follow each other, and the same every time.
fn mix() -> Arc<[Ask]> {
    let (bodies, policies) = (bodies::all(), PolicySet::built_in());
    let ask = |body: &Body, phase: Phase| Ask {
        path: format!("/{}?timeout=10s", phase.as_str()),
        body: body.text.clone().into(),
        answer: body.answer(phase, &policies).body.into(),
    };
    let of_each = MIX.iter().flat_map(|&(name, share)| {
        let body = super::plan::found(&bodies, name);
        let both = [Phase::Mutate, Phase::Validate].map(|phase| ask(body, phase));
        (0..share).flat_map(move |_| both.clone())
    });
    let in_order: Vec<_> = of_each.collect();
    // 37 has no divisor in common with 100, so every place is met once.
    (0..in_order.len())
        .map(|place| in_order[place * 37 % in_order.len()].clone())
        .collect()
}
