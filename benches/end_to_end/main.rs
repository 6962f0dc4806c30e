//! What a request costs end to end: over TLS on loopback, beside a floor in the same run. `benches/README.md` says how.

// The tables go to stdout, how far it is to stderr.
#![allow(clippy::print_stderr, clippy::print_stdout)]

#[cfg(target_os = "linux")]
#[path = "../bodies/mod.rs"]
mod bodies;
#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod floor;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
#[path = "../page.rs"]
mod page;
#[cfg(target_os = "linux")]
mod plan;
#[cfg(target_os = "linux")]
mod rounds;
#[cfg(target_os = "linux")]
mod soak;
#[cfg(target_os = "linux")]
mod start;

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("what a process uses is read as Linux tells it: not measured");
}

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let Some(folder) = floor::asked(&arguments) {
        return floor::serve(folder);
    }
    let plan = plan::Plan::of(&arguments);
    let folder = tempfile::tempdir().expect("a folder");
    child::certify(folder.path());
    let cases = plan.cases(folder.path());

    let runtime = load::runtime();
    let measured = [
        (
            "end to end",
            runtime.block_on(rounds::table(&plan, &cases, folder.path())),
        ),
        ("soak", runtime.block_on(soak::table(&plan, folder.path()))),
        ("start", start::table(&plan, folder.path())),
    ];
    for (name, table) in measured {
        println!("\n{table}");
        if plan.publish {
            page::put(name, &table);
        }
    }
}
