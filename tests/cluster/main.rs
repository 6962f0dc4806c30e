//! Tests on a real control plane: etcd, kube-apiserver, kube-controller-manager and kwok, with kubectl and helm.
//!
//! A target without libtest's harness: all tests share one control plane, which ends when the last test does, and this
//! binary doubles as the supervisor of its own children. Arguments are those of libtest. `STEADFAST_TEST_CLUSTER=off`
//! leaves the tests out.

// What a test run says, it says on the terminal.
#![allow(clippy::print_stderr, clippy::print_stdout)]

mod access;
mod balancer;
mod binaries;
mod cluster;
mod control_plane;
mod eventually;
mod go_module;
mod granted;
mod invocation;
mod judged;
mod lab;
mod namespace;
mod objects;
mod pki;
mod proxy;
mod registration;
#[path = "../common/running.rs"]
mod running;
mod supervise;
mod webhook;

mod alike;
mod api_server;
mod asked;
mod budgets;
mod catalogue;
mod chart;
mod denial;
mod guarded;
mod helm;
mod injection;
mod known;
mod life;
mod lifecycle;
mod lookups;
mod many;
mod policies;
mod restored;
mod rollback;
mod rolling;
mod rollout;
mod serving;
mod updates;
mod view;

use std::num::NonZero;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread;

use anyhow::{Result, bail};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::cluster::Cluster;

/// A name and a function that gets the running cluster. `tests!` makes them.
struct Test {
    name: &'static str,
    run: fn(&Cluster) -> Result<()>,
}

/// Lists the tests of a module under the names of their functions.
macro_rules! tests {
    ($($function:ident),+ $(,)?) => {
        pub(crate) const TESTS: &[crate::Test] = &[
            $(crate::Test { name: concat!(module_path!(), "::", stringify!($function)), run: $function }),+
        ];
    };
}
pub(crate) use tests;

const TESTS: &[&[Test]] = &[
    alike::TESTS,
    api_server::TESTS,
    asked::TESTS,
    budgets::TESTS,
    catalogue::TESTS,
    chart::TESTS,
    denial::TESTS,
    guarded::TESTS,
    helm::TESTS,
    injection::TESTS,
    known::TESTS,
    life::TESTS,
    life::force::TESTS,
    lifecycle::TESTS,
    lookups::TESTS,
    many::TESTS,
    policies::TESTS,
    restored::TESTS,
    rollback::TESTS,
    rolling::TESTS,
    rollout::TESTS,
    serving::TESTS,
    updates::TESTS,
    view::TESTS,
];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().as_ref().and_then(|first| first.to_str()) {
        Some(supervise::SUPERVISE) => return supervise::supervise(arguments),
        Some(supervise::SWEEP) => return supervise::sweep(arguments),
        Some(lifecycle::HOLD) => return lifecycle::hold(arguments),
        _ => {}
    }
    let arguments = Arguments::from_args();
    match switched_off() {
        Ok(true) if !arguments.list => {
            println!(
                "{} not run: STEADFAST_TEST_CLUSTER=off",
                TESTS.iter().map(|tests| tests.len()).sum::<usize>()
            );
            ExitCode::SUCCESS
        }
        Ok(_) => run(arguments),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn switched_off() -> Result<bool> {
    let value = std::env::var_os("STEADFAST_TEST_CLUSTER").unwrap_or_else(|| "on".into());
    match value.to_str() {
        Some("on") => Ok(false),
        Some("off") if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            bail!("STEADFAST_TEST_CLUSTER=off in CI: what CI leaves out, nobody runs")
        }
        Some("off") => Ok(true),
        _ => bail!(
            "STEADFAST_TEST_CLUSTER is `{}`; it may be on or off",
            value.display()
        ),
    }
}

fn run(mut arguments: Arguments) -> ExitCode {
    // Several crates bring rustls; without this choice each would have to make one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // Tests wait most of the time, but each keeps the control plane busy.
    let cores = thread::available_parallelism().map_or(2, NonZero::get);
    arguments.test_threads = Some(arguments.test_threads.unwrap_or(cores).clamp(1, 4));

    // Started by the first test that runs, so that listing and filtering cost nothing.
    let cluster: Arc<OnceLock<Option<Cluster>>> = Arc::default();
    let trial = |test: &'static Test| {
        let cluster = Arc::clone(&cluster);
        let name = test.name.trim_start_matches("cluster::");
        Trial::test(name, move || {
            let cluster = cluster.get_or_init(start).as_ref();
            let cluster =
                cluster.ok_or("the control plane did not start; the reason stands above")?;
            (test.run)(cluster).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    let trials = TESTS.iter().copied().flatten().map(trial).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);

    if let Some(Some(cluster)) = Arc::into_inner(cluster).and_then(OnceLock::into_inner)
        && conclusion.has_failed()
    {
        eprintln!(
            "the control plane's logs are kept in {}",
            cluster.stop_and_keep_logs().display()
        );
    }
    conclusion.exit_code()
}

/// Says once, not with every test, why there is no cluster.
fn start() -> Option<Cluster> {
    Cluster::start()
        .inspect_err(|error| eprintln!("error: {error:#}"))
        .ok()
}
