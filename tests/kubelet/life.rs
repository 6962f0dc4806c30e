//! What every server goes through, whoever it is.

use super::injected::Injected;
use super::prober::Container;
use super::server::Server;
use super::worker::{Kind, State};

/// For how long failures may last before a server is killed: the default of the policy.
const KILL_AFTER: u32 = 120;

/// Nothing has it killed.
pub(crate) fn lives(state: &State) -> bool {
    state.killed.is_none()
}

/// It is to get no traffic, and is not killed either.
pub(crate) fn waits(state: &State) -> bool {
    lives(state) && !state.ready
}

/// It serves.
pub(crate) fn serves(state: &State) -> bool {
    lives(state) && state.started && state.ready
}

/// From before anybody listens until it has ended by `signal`. `start` starts the server.
pub(crate) fn whole(probes: &Injected, signal: &str, start: impl FnOnce() -> Server) {
    let (container, server) = starting(probes, start);
    up(probes, &container);
    overloaded(probes, &container, &server);
    stopped(probes, &container, server, signal);
}

/// Before anybody listens, until it serves. `start` starts the server.
fn starting(probes: &Injected, start: impl FnOnce() -> Server) -> (Container, Server) {
    let container = Container::start(probes.probes());
    container.stays(40, "waited for", waits);
    if probes.probe(Kind::Startup).is_some() {
        let state = container.state();
        assert!(
            !state.started,
            "it is not there, and has started: {state:?}"
        );
        assert!(state.count(Kind::Startup, false) > 0, "{state:?}");
    }
    let server = start();
    container.until(400, "serving", serves);
    (container, server)
}

/// Nothing happens.
fn up(probes: &Injected, container: &Container) {
    let before = container.state();
    container.stays(60, "serving", serves);
    for kind in [Kind::Readiness, Kind::Liveness] {
        if probes.probe(kind).is_some() {
            let heard = before.count(kind, true);
            container.until(60, "asked twice", |state| {
                serves(state) && state.count(kind, true) >= heard + 2
            });
        }
    }
}

/// It gets no time to run, for less long than would have it killed; then it does again.
fn overloaded(probes: &Injected, container: &Container, server: &Server) {
    let before = container.state();
    server.signal("STOP");
    let still = KILL_AFTER - 30;
    container.stays(still, "left alive", lives);
    let after = container.state();
    let sees = |kind| probes.waits_for_answer(kind);
    let failed = |kind| after.count(kind, false) > before.count(kind, false);
    assert_eq!(after.ready, !sees(Kind::Readiness), "{after:?}");
    // Else its patience was not tried.
    assert_eq!(failed(Kind::Liveness), sees(Kind::Liveness), "{after:?}");
    server.signal("CONT");
    container.until(120, "serving", serves);
    container.stays(60, "serving", serves);
}

/// It cannot serve yet, for longer than failures of liveness may last; after `release` it can.
pub(crate) fn recovering(container: &Container, release: impl FnOnce()) {
    container.until(200, "started", |state| state.started);
    container.stays(KILL_AFTER + 40, "waited for", waits);
    let state = container.state();
    assert!(state.count(Kind::Readiness, false) > 3, "{state:?}");
    assert!(state.count(Kind::Liveness, true) > 3, "{state:?}");
    release();
    container.until(200, "serving", serves);
}

/// It ends, and nobody starts it again.
fn stopped(probes: &Injected, container: &Container, server: Server, signal: &str) {
    server.end(signal);
    container.until(100, "unready", waits);
    if probes.probe(Kind::Liveness).is_none() {
        return;
    }
    let before = container.state().count(Kind::Liveness, false);
    container.until(KILL_AFTER + 60, "killed", |state| {
        state.killed == Some(Kind::Liveness)
    });
    let patience = |key: &str| {
        probes
            .probe(Kind::Liveness)
            .and_then(|probe| probe[key].as_u64())
            .unwrap_or(0)
    };
    assert!(patience("periodSeconds") * patience("failureThreshold") >= u64::from(KILL_AFTER));
    let after = container.state().count(Kind::Liveness, false);
    assert!(after > before, "it was killed by failures of before");
}
