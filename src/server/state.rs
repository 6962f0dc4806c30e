//! Whether the process may be called: not before it has a valid certificate and knows the namespaces, and not once it is
//! about to end.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// What readiness hangs on.
#[derive(Debug, Default)]
pub struct State {
    stopping: AtomicBool,
    /// Whether the namespaces are still to be listed.
    waiting: AtomicBool,
    /// When the certificate that is served is valid; none while there is none.
    valid: Mutex<Option<Range<SystemTime>>>,
}

/// Why the process is not to be called.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotReady {
    /// It was told to end.
    #[error("it is about to end")]
    Stopping,
    /// Nobody could say what may be done where.
    #[error("the namespaces are not listed yet; the log says what keeps them")]
    NoNamespaces,
    /// There is nothing to serve with yet.
    #[error("certificate, key or client authority is not there yet")]
    NoCertificate,
    /// Nobody trusts it yet.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// Nobody would trust it.
    #[error("the certificate has expired")]
    Expired,
}

impl State {
    /// Whether the process may be called at this time.
    pub fn ready(&self, now: SystemTime) -> Result<(), NotReady> {
        if self.is_stopping() {
            return Err(NotReady::Stopping);
        }
        if self.waiting.load(Ordering::Relaxed) {
            return Err(NotReady::NoNamespaces);
        }
        match &*self.valid.lock().expect("nobody panics with it") {
            None => Err(NotReady::NoCertificate),
            Some(valid) if now < valid.start => Err(NotReady::NotYetValid),
            Some(valid) if valid.end <= now => Err(NotReady::Expired),
            Some(_) => Ok(()),
        }
    }

    /// Whether it was told to end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn waits_for_namespaces(&self, waits: bool) {
        self.waiting.store(waits, Ordering::Relaxed);
    }

    pub(super) fn serves(&self, valid: Range<SystemTime>) {
        *self.valid.lock().expect("nobody panics with it") = Some(valid);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_is_ready_with_a_valid_certificate_until_it_is_told_to_end() {
        let (state, now) = (State::default(), SystemTime::now());
        let hour = Duration::from_hours(1);
        assert_eq!(state.ready(now), Err(NotReady::NoCertificate));
        state.serves(now..now + hour);
        state.waits_for_namespaces(true);
        assert_eq!(state.ready(now), Err(NotReady::NoNamespaces));
        state.waits_for_namespaces(false);
        assert_eq!(state.ready(now), Ok(()));
        assert_eq!(state.ready(now - hour), Err(NotReady::NotYetValid));
        assert_eq!(state.ready(now + hour), Err(NotReady::Expired));
        state.stop();
        assert_eq!(state.ready(now), Err(NotReady::Stopping));
    }
}
