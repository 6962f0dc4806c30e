//! What judging a request takes, without sockets: time by the clock, and what it allocates as counted beforehand.

// The table goes to stdout.
#![allow(clippy::print_stdout)]

mod bodies;
mod counts;
mod page;

use std::fs;
use std::path::{Path, PathBuf};

use criterion::{BenchmarkId, Criterion, Throughput};
use serde_json::Value;
use steadfast::admission::Phase;
use steadfast::policy::PolicySet;

use bodies::Body;
use page::{head, row};

/// Where the measurements are kept until the next time.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion")
}

fn main() {
    let (policies, bodies) = (PolicySet::built_in(), bodies::all());
    let mut criterion = Criterion::default()
        .output_directory(&folder())
        .configure_from_args();
    for phase in [Phase::Mutate, Phase::Validate] {
        let mut group = criterion.benchmark_group(phase.as_str());
        for body in &bodies {
            body.check(&policies);
            group.throughput(Throughput::Bytes(
                body.text.len().try_into().expect("no body is that large"),
            ));
            group.bench_with_input(
                BenchmarkId::from_parameter(body.name),
                body,
                |bencher, body| {
                    bencher.iter(|| body.answer(phase, &policies));
                },
            );
        }
        group.finish();
    }
    criterion.final_summary();
    // Everything, and in full: cargo says this word and nobody says another.
    if std::env::args().skip(1).eq(["--bench"]) {
        let table = table(&bodies);
        println!("{table}");
        page::put("micro", &table);
    }
}

fn table(bodies: &[Body]) -> String {
    let titles = [
        "call",
        "body",
        "bytes",
        "µs",
        "allocations",
        "bytes allocated",
        "most held at a time",
    ];
    let mut table = head(&titles);
    for count in counts::read() {
        let body = bodies.iter().find(|body| body.name == count.body);
        table += &row([
            format!("`/{}`", count.phase),
            count.body.clone(),
            body.map_or_else(String::new, |body| body.text.len().to_string()),
            time(&count.phase, &count.body),
            count.allocations.to_string(),
            count.bytes.to_string(),
            count.peak.to_string(),
        ]);
    }
    table
}

/// The median of the time, between the bounds of its 95 % confidence interval.
fn time(phase: &str, body: &str) -> String {
    let file = folder().join(phase).join(body).join("new/estimates.json");
    let text = fs::read_to_string(file).expect("it has been measured");
    let estimates: Value = serde_json::from_str(&text).expect("it is JSON");
    let median = &estimates["median"];
    let micros = |nanos: &Value| nanos.as_f64().expect("a number") / 1e3;
    let interval = &median["confidence_interval"];
    format!(
        "{:.1} / **{:.1}** / {:.1}",
        micros(&interval["lower_bound"]),
        micros(&median["point_estimate"]),
        micros(&interval["upper_bound"]),
    )
}
