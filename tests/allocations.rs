//! What a request allocates is counted, not timed, so it can be held to a table: it may not grow unseen.
//! `cargo bench` measures the time; `benches/README.md` says what of.

// What has become less, a test says on the terminal.
#![allow(clippy::print_stdout)]

#[path = "../benches/bodies/mod.rs"]
mod bodies;
#[path = "../benches/counts.rs"]
mod counts;

use counts::Count;
use steadfast::admission::Phase;
use steadfast::policy::PolicySet;

#[global_allocator]
static COUNTED: dhat::Alloc = dhat::Alloc;

const AGAIN: &str = "UPDATE=1 cargo test --test allocations writes the table anew";

/// What one request allocates. The answer is dropped before the count is taken: it makes no difference to what is counted.
fn count(phase: Phase, body: &bodies::Body, policies: &PolicySet) -> Count {
    let profiler = dhat::Profiler::builder().testing().build();
    drop(body.answer(phase, policies));
    let stats = dhat::HeapStats::get();
    drop(profiler);
    Count {
        phase: phase.as_str().to_owned(),
        body: body.name.to_owned(),
        allocations: stats.total_blocks,
        bytes: stats.total_bytes,
        peak: stats.max_bytes.try_into().expect("no machine has more"),
    }
}

// The only test here: whatever else ran beside it would be counted with it.
#[test]
fn no_request_allocates_more_than_it_did() {
    let policies = PolicySet::built_in();
    let mut found = Vec::new();
    for body in bodies::all() {
        // What is made once and kept is made here.
        body.check(&policies);
        for phase in [Phase::Mutate, Phase::Validate] {
            let counted = count(phase, &body, &policies);
            assert_eq!(counted, count(phase, &body, &policies), "the count varies");
            found.push(counted);
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        counts::write(&found);
    }
    let known = counts::read();
    let names = |counts: &[Count]| {
        let names = counts
            .iter()
            .map(|count| (count.phase.clone(), count.body.clone()));
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&found), names(&known), "{AGAIN}");
    let numbers = |count: &Count| [count.allocations, count.bytes, count.peak];
    let more = |(found, known): &(&Count, &Count)| {
        numbers(found)
            .into_iter()
            .zip(numbers(known))
            .any(|(found, known)| found > known)
    };
    let (grown, rest): (Vec<_>, Vec<_>) = found.iter().zip(&known).partition(more);
    assert!(
        grown.is_empty(),
        "more than before (found, known): {grown:#?}\nIf it must be: {AGAIN}"
    );
    // Another compiler may get by with less, so this is no failure.
    for (found, known) in rest.iter().filter(|(found, known)| found != known) {
        println!("less than before: {found:?} where the table has {known:?}; {AGAIN}");
    }
}
