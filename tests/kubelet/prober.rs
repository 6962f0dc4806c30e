//! A kubelet's prober for one container: each probe in a thread of its own, on its own clock, which runs faster than ours.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::handler::Handler;
use super::worker::{Kind, State, Worker};

/// What a probe's second takes.
const SECOND: Duration = Duration::from_millis(50);

/// What any answer may take: a command needs it to start, however fast the clock runs.
const LEAST_TIMEOUT: Duration = Duration::from_millis(400);

/// Asks, within a time.
type Ask = Box<dyn Fn(Duration) -> bool + Send>;

/// A probe: whom it asks, and its numbers in the probe's seconds.
pub(crate) struct Probe {
    kind: Kind,
    ask: Ask,
    initial_delay: u32,
    period: u32,
    timeout: u32,
    success: u32,
    failure: u32,
}

/// A container that is probed for as long as this lives.
pub(crate) struct Container {
    shared: Arc<Shared>,
    threads: Vec<(Sender<()>, JoinHandle<()>)>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    start: Instant,
}

/// So long.
pub(crate) fn seconds(count: u32) -> Duration {
    SECOND * count
}

impl Probe {
    /// As a container has it, with the API server's defaults.
    pub(crate) fn read(kind: Kind, probe: &Value) -> Self {
        let number = |key: &str, default: u32| {
            let number = probe[key]
                .as_u64()
                .and_then(|number| number.try_into().ok());
            number.unwrap_or(default)
        };
        let handler = Handler::of(probe);
        Self {
            kind,
            ask: Box::new(move |timeout| handler.ask(timeout)),
            initial_delay: number("initialDelaySeconds", 0),
            period: number("periodSeconds", 10),
            timeout: number("timeoutSeconds", 1),
            success: number("successThreshold", 1),
            failure: number("failureThreshold", 3),
        }
    }

    fn run(&self, shared: &Shared, stop: &mpsc::Receiver<()>) {
        let mut worker = Worker::new(self.success, self.failure);
        let mut due = shared.start;
        let wait = |due: Instant| stop.recv_timeout(due.saturating_duration_since(Instant::now()));
        while wait(due) == Err(RecvTimeoutError::Timeout) {
            let is_early = shared.start.elapsed() < seconds(self.initial_delay);
            if !is_early && shared.lock().is_turn_of(self.kind) {
                let answer = (self.ask)(seconds(self.timeout).max(LEAST_TIMEOUT));
                shared.lock().hear(&mut worker, self.kind, answer);
                shared.changed.notify_all();
            }
            // A question that took longer than a period is followed by the next at once; more are not made up for.
            due += seconds(self.period);
            while due + seconds(self.period) <= Instant::now() {
                due += seconds(self.period);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with the state")
    }
}

impl Container {
    /// Starts to probe a container that starts now.
    pub(crate) fn start(probes: Vec<Probe>) -> Self {
        let has = |kind| probes.iter().any(|probe| probe.kind == kind);
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(has(Kind::Startup), has(Kind::Readiness))),
            changed: Condvar::new(),
            start: Instant::now(),
        });
        let threads = probes.into_iter().map(|probe| {
            let (stop, stopped) = mpsc::channel();
            let shared = Arc::clone(&shared);
            (stop, thread::spawn(move || probe.run(&shared, &stopped)))
        });
        let threads = threads.collect();
        Self { shared, threads }
    }

    pub(crate) fn state(&self) -> State {
        self.shared.lock().clone()
    }

    /// Whether it comes to this within the probe's seconds.
    fn comes(&self, count: u32, expected: impl Fn(&State) -> bool) -> (bool, State) {
        let state = self.shared.lock();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, seconds(count), |state| !expected(state));
        let (state, _) = waited.expect("nobody panics with the state");
        (expected(&state), state.clone())
    }

    /// Waits until something is so; fails where it is not within the probe's seconds.
    #[track_caller]
    pub(crate) fn until(&self, count: u32, what: &str, expected: impl Fn(&State) -> bool) {
        let (comes, state) = self.comes(count, expected);
        assert!(comes, "not {what} within {count} s: {state:?}");
    }

    /// Looks on for the probe's seconds; fails where something is not so at any time.
    #[track_caller]
    pub(crate) fn stays(&self, count: u32, what: &str, expected: impl Fn(&State) -> bool) {
        let (ends, state) = self.comes(count, |state| !expected(state));
        assert!(!ends, "not {what} any more within {count} s: {state:?}");
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        for (stop, thread) in self.threads.drain(..) {
            drop(stop);
            // What it panicked with, it has said itself.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn probe(kind: Kind, failure: u32, is_well: &Arc<AtomicBool>) -> Probe {
        let is_well = Arc::clone(is_well);
        Probe {
            kind,
            ask: Box::new(move |_| is_well.load(Ordering::SeqCst)),
            initial_delay: 0,
            period: 2,
            timeout: 1,
            success: 1,
            failure,
        }
    }

    #[test]
    fn a_container_starts_fails_recovers_and_is_killed() {
        let is_well = Arc::new(AtomicBool::new(false));
        let container = Container::start(vec![
            probe(Kind::Startup, 1000, &is_well),
            probe(Kind::Readiness, 3, &is_well),
            probe(Kind::Liveness, 20, &is_well),
        ]);
        container.until(60, "asked", |state| state.count(Kind::Startup, false) > 3);
        assert!(!container.state().started);
        is_well.store(true, Ordering::SeqCst);
        container.until(60, "ready", |state| state.started && state.ready);
        is_well.store(false, Ordering::SeqCst);
        container.until(60, "unready", |state| !state.ready);
        assert_eq!(container.state().killed, None);
        is_well.store(true, Ordering::SeqCst);
        container.until(60, "ready", |state| state.ready);
        container.stays(20, "ready", |state| state.ready);
        let at = Instant::now();
        is_well.store(false, Ordering::SeqCst);
        container.until(200, "killed", |state| state.killed == Some(Kind::Liveness));
        // The first failure may have been heard late; the last one was not heard early.
        assert!(at.elapsed() >= seconds(15 * 2), "killed too soon");
        let answers = container.state().answers;
        let startups = answers
            .iter()
            .take_while(|(kind, _)| *kind == Kind::Startup);
        let all = answers.iter().filter(|(kind, _)| *kind == Kind::Startup);
        assert_eq!(startups.count(), all.count(), "asked of startup again");
        let heard = answers.len();
        container.stays(20, "left alone", |state| state.answers.len() == heard);
    }

    #[test]
    fn the_first_question_waits_for_its_delay() {
        let is_well = Arc::new(AtomicBool::new(true));
        let delayed = Probe {
            initial_delay: 20,
            ..probe(Kind::Readiness, 1, &is_well)
        };
        let start = Instant::now();
        let container = Container::start(vec![delayed]);
        container.until(60, "ready", |state| state.ready);
        assert!(start.elapsed() >= seconds(20));
        assert_eq!(container.state().answers, [(Kind::Readiness, true)]);
    }

    #[test]
    fn numbers_left_out_are_those_of_the_api_server() {
        let asked = serde_json::json!({"tcpSocket": {"port": 1}});
        let probe = Probe::read(Kind::Liveness, &asked);
        let numbers = [
            probe.initial_delay,
            probe.period,
            probe.timeout,
            probe.success,
            probe.failure,
        ];
        assert_eq!(numbers, [0, 10, 1, 1, 3]);
    }
}
