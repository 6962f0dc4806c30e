//! Asking again until the answer is right, where no event announces it.

use std::fmt::{self, Display};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Time for what takes a moment on an idle machine and must not fail on a busy one.
pub(crate) const SOON: Duration = Duration::from_mins(3);

const PAUSE: Duration = Duration::from_millis(50);

/// Repeats `attempt` until it succeeds; after the deadline its last error is the answer.
/// For what a watch announces, `Namespace::wait` is the better way.
pub(crate) fn eventually<T>(
    deadline: Duration,
    what: &str,
    mut attempt: impl FnMut() -> Result<T>,
) -> Result<T> {
    let end = Instant::now() + deadline;
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if error.is::<Stop>() => return Err(error),
            Err(error) if Instant::now() >= end => {
                return Err(error).with_context(|| format!("not within {deadline:?}: {what}"));
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

/// An error after which asking again makes no sense.
#[derive(Debug)]
pub(crate) struct Stop(String);

impl Stop {
    pub(crate) fn new(reason: impl Display) -> Self {
        Self(format!("{reason:#}"))
    }
}

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Stop {}
