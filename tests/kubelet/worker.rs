//! What a kubelet makes of the answers to one probe, without its clock.

/// What a probe is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Startup,
    Readiness,
    Liveness,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Startup, Self::Readiness, Self::Liveness];

    /// The container's field.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Startup => "startupProbe",
            Self::Readiness => "readinessProbe",
            Self::Liveness => "livenessProbe",
        }
    }
}

/// The answers to one probe so far.
#[derive(Debug)]
pub(crate) struct Worker {
    /// `successThreshold` and `failureThreshold`.
    thresholds: (u32, u32),
    last: bool,
    run: u32,
}

/// What is known of a container.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// Its startup probe has succeeded, or it has none.
    pub(crate) started: bool,
    /// It gets traffic.
    pub(crate) ready: bool,
    /// Whose failures have it killed; it is asked no more.
    pub(crate) killed: Option<Kind>,
    /// Every answer, in order.
    pub(crate) answers: Vec<(Kind, bool)>,
}

impl Worker {
    pub(crate) fn new(success: u32, failure: u32) -> Self {
        Self {
            thresholds: (success, failure),
            last: false,
            run: 0,
        }
    }

    /// The result that holds from this answer on; none where too few in a row were like it.
    fn result(&mut self, answer: bool) -> Option<bool> {
        self.run = if self.last == answer { self.run + 1 } else { 1 };
        self.last = answer;
        let (success, failure) = self.thresholds;
        let needed = if answer { success } else { failure };
        (self.run >= needed).then_some(answer)
    }
}

impl State {
    pub(crate) fn new(has_startup: bool, has_readiness: bool) -> Self {
        Self {
            started: !has_startup,
            ready: !has_startup && !has_readiness,
            killed: None,
            answers: Vec::new(),
        }
    }

    /// Whether it is this probe's turn: startup alone until it has succeeded, then the others alone.
    pub(crate) fn is_turn_of(&self, kind: Kind) -> bool {
        self.killed.is_none() && self.started != (kind == Kind::Startup)
    }

    /// Takes an answer.
    pub(crate) fn hear(&mut self, worker: &mut Worker, kind: Kind, answer: bool) {
        // Another probe may have had it killed while this one was asked.
        if self.killed.is_some() {
            return;
        }
        self.answers.push((kind, answer));
        match (kind, worker.result(answer)) {
            (_, None) | (Kind::Liveness, Some(true)) => {}
            (Kind::Startup, Some(true)) => self.started = true,
            (Kind::Readiness, Some(ready)) => self.ready = ready,
            (Kind::Startup | Kind::Liveness, Some(false)) => {
                self.killed = Some(kind);
                self.ready = false;
            }
        }
    }

    /// How often this probe was answered so.
    pub(crate) fn count(&self, kind: Kind, answer: bool) -> usize {
        let same = self
            .answers
            .iter()
            .filter(|heard| **heard == (kind, answer));
        same.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What became of a container whose startup probe has succeeded, answer by answer.
    fn heard(kind: Kind, thresholds: (u32, u32), answers: &str) -> (String, Option<Kind>) {
        let mut state = State::new(false, true);
        let mut worker = Worker::new(thresholds.0, thresholds.1);
        let mut ready = String::new();
        for answer in answers.chars() {
            state.hear(&mut worker, kind, answer == '+');
            ready.push(if state.ready { 'R' } else { '.' });
        }
        (ready, state.killed)
    }

    #[test]
    fn failures_count_only_in_a_row() {
        let of = |answers| heard(Kind::Readiness, (1, 3), answers).0;
        assert_eq!(of("+--+--+---+"), "RRRRRRRRR.R");
        assert_eq!(of("---+"), "...R");
    }

    #[test]
    fn successes_count_only_in_a_row() {
        let of = |answers| heard(Kind::Readiness, (2, 1), answers).0;
        assert_eq!(of("+-++-++"), "...R..R");
    }

    #[test]
    fn liveness_kills_at_its_threshold() {
        let of = |answers| heard(Kind::Liveness, (1, 3), answers).1;
        assert_eq!(of("+--"), None);
        assert_eq!(of("--+--"), None);
        assert_eq!(of("+---"), Some(Kind::Liveness));
        assert_eq!(of("---++++"), Some(Kind::Liveness));
    }

    #[test]
    fn only_startup_is_asked_until_it_succeeds() {
        let mut state = State::new(true, true);
        let mut worker = Worker::new(1, 3);
        for answer in [false, false, true] {
            assert!(!state.started && !state.ready);
            assert!(state.is_turn_of(Kind::Startup));
            assert!(!state.is_turn_of(Kind::Readiness) && !state.is_turn_of(Kind::Liveness));
            state.hear(&mut worker, Kind::Startup, answer);
        }
        assert!(state.started && !state.ready);
        assert!(!state.is_turn_of(Kind::Startup));
        assert!(state.is_turn_of(Kind::Readiness) && state.is_turn_of(Kind::Liveness));
    }

    #[test]
    fn startup_kills_when_its_budget_is_spent() {
        let mut state = State::new(true, true);
        let mut worker = Worker::new(1, 2);
        state.hear(&mut worker, Kind::Startup, false);
        assert_eq!(state.killed, None);
        state.hear(&mut worker, Kind::Startup, false);
        assert_eq!(state.killed, Some(Kind::Startup));
        assert!(Kind::ALL.iter().all(|kind| !state.is_turn_of(*kind)));
    }
}
