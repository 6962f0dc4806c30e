//! What we may not ask is not asked again for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Outcome, Unanswered};
use crate::cluster::Lookup;

/// For how long: a permission is granted by a person, who can wait as long to see it work.
const FOR: Duration = Duration::from_mins(1);

/// The kinds that were refused, with the reason.
///
/// That something is absent is not kept: a Service that was made a moment ago would be taken for missing, and a name that
/// can never be changed made up in its place.
#[derive(Default)]
pub(super) struct Refusals {
    last: Mutex<HashMap<Lookup, (Instant, String)>>,
}

impl Refusals {
    /// An error where the kind was refused a while ago.
    pub(super) fn check(&self, lookup: Lookup, now: Instant) -> Result<(), Unanswered> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.get(&lookup) {
            Some((at, reason)) if now < *at + FOR => {
                Err((Outcome::Refused, format!("{reason} a while ago")))
            }
            _ => Ok(()),
        }
    }

    /// Keeps a refusal in mind.
    pub(super) fn note(&self, lookup: Lookup, reason: &str, now: Instant) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert(lookup, (now, reason.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_holds_for_its_kind_and_for_a_while() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        refusals.note(Lookup::Services, "HTTP 403", now);
        let after = |seconds| now + Duration::from_secs(seconds);
        let refused = refusals.check(Lookup::Services, after(59));
        let reason = "HTTP 403 a while ago".to_owned();
        assert_eq!(refused, Err((Outcome::Refused, reason)));
        assert_eq!(refusals.check(Lookup::Services, after(60)), Ok(()));
        assert_eq!(refusals.check(Lookup::StorageClasses, after(1)), Ok(()));
    }
}
