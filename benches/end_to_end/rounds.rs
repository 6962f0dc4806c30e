//! The rounds: product and floor take turns at each body, each time in a fresh process.

use std::path::Path;
use std::sync::Arc;

use super::child::Server;
use super::load::{Ask, CONNECTIONS, Connections};
use super::page::{head, median, row, spread};
use super::plan::{Case, Plan};

/// What one run of one server comes to.
struct Run {
    /// Microseconds of processor time per request.
    cpu: f64,
    /// Requests per second.
    rate: f64,
    /// MiB in memory at the end.
    resident: f64,
}

/// Product and floor in the same round.
struct Pair {
    product: Run,
    floor: Run,
}

/// Measures, and says so in a table.
pub(crate) async fn table(plan: &Plan, cases: &[Case], folder: &Path) -> String {
    let mut measured: Vec<Vec<Pair>> = cases.iter().map(|_| Vec::new()).collect();
    for round in 0..plan.rounds {
        for (case, pairs) in cases.iter().zip(&mut measured) {
            let product = async || run(case, &case.path(), Server::product(folder), folder).await;
            let floor =
                async || run(case, &case.path_of_floor(), Server::floor(folder), folder).await;
            // Whoever is second meets a warmer machine, so they take turns at that too.
            let pair = if round % 2 == 0 {
                let floor = floor().await;
                Pair {
                    product: product().await,
                    floor,
                }
            } else {
                let product = product().await;
                Pair {
                    product,
                    floor: floor().await,
                }
            };
            eprintln!(
                "round {} of {}: /{} {}: {:.1} µs, floor {:.1} µs, ratio {:.2}",
                round + 1,
                plan.rounds,
                case.phase.as_str(),
                case.body,
                pair.product.cpu,
                pair.floor.cpu,
                pair.product.cpu / pair.floor.cpu,
            );
            pairs.push(pair);
        }
    }
    let mut table = head(&[
        "call",
        "body",
        "bytes",
        "CPU µs",
        "floor's CPU µs",
        "**CPU ÷ floor's**",
        "aim",
        "req/s",
        "floor's req/s",
        "RSS MiB",
        "floor's RSS MiB",
    ]);
    for (case, pairs) in cases.iter().zip(&measured) {
        let of = |value: fn(&Pair) -> f64| pairs.iter().map(value).collect::<Vec<_>>();
        table += &row([
            format!("`/{}`", case.phase.as_str()),
            case.body.to_owned(),
            case.text.len().to_string(),
            spread(of(|pair| pair.product.cpu), 1),
            spread(of(|pair| pair.floor.cpu), 1),
            spread(of(|pair| pair.product.cpu / pair.floor.cpu), 2),
            case.aim.map_or_else(String::new, |aim| aim.to_string()),
            spread(of(|pair| pair.product.rate), 0),
            format!("{:.0}", median(&mut of(|pair| pair.floor.rate))),
            spread(of(|pair| pair.product.resident), 1),
            format!("{:.1}", median(&mut of(|pair| pair.floor.resident))),
        ]);
    }
    table
}

/// One run: what is counted comes after a tenth as many requests, in which connections are opened and memory is taken.
#[expect(clippy::cast_precision_loss, reason = "no run has that many requests")]
async fn run(case: &Case, path: &str, server: Server, folder: &Path) -> Run {
    let connections = Connections::new(server.webhook, folder);
    let asks: Arc<[Ask]> = Arc::new([Ask {
        path: path.to_owned(),
        body: case.text.clone(),
        answer: case.answer.clone(),
    }]);
    let warming = (case.requests / 10).max(CONNECTIONS * 4);
    connections.send(&asks, warming).await;
    let before = server.used();
    let time = connections.send(&asks, case.requests).await;
    let used = server.used().saturating_sub(before);
    let requests = case.requests as f64;
    Run {
        cpu: used.as_secs_f64() * 1e6 / requests,
        rate: requests / time.as_secs_f64(),
        resident: server.resident().0,
    }
}
