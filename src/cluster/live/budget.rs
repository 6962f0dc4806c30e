//! How often the API server is asked, whoever makes us.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Questions in a second, and at once. Whoever reaches our port must not reach through it to the API server; who has a
/// verdict that hangs on more than that is told, not refused.
const PER_SECOND: u32 = 10;

/// A bucket of questions that fills up again.
#[derive(Default)]
pub(super) struct Budget {
    /// When all that were asked would have been due, one after the other.
    due: Mutex<Option<Instant>>,
}

impl Budget {
    /// When one more question may be asked; none if that is not before `by`. It counts as asked then. Who waits for the answer
    /// before he comes again, as `kubectl apply` does with the objects of a file, so never comes too often.
    pub(super) fn take(&self, now: Instant, by: Instant) -> Option<Instant> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, at) = next(*due, now);
        (at < by).then(|| {
            *due = Some(next);
            at
        })
    }

    /// Whether one more question would have to wait.
    pub(super) fn is_spent(&self, now: Instant) -> bool {
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        next(*due, now).1 > now
    }
}

/// When all would have been due with one more, and when that one may be asked.
fn next(due: Option<Instant>, now: Instant) -> (Instant, Instant) {
    let next = due.unwrap_or(now).max(now) + SECOND / PER_SECOND;
    (next, next.checked_sub(SECOND).unwrap_or(now).max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(100);

    #[test]
    fn a_flood_gets_ten_at_once_and_then_ten_a_second() {
        let (budget, begin) = (Budget::default(), Instant::now());
        let asked = |milli| {
            let now = begin + Duration::from_millis(milli);
            budget.take(now, now + WAIT).is_some()
        };
        assert_eq!((0..50).filter(|_| asked(0)).count(), 10);
        let later = (1..=2_000).filter(|milli| asked(*milli)).count();
        assert!((20..=21).contains(&later), "{later}");
    }

    #[test]
    fn who_comes_one_after_the_other_waits_and_is_not_turned_away() {
        let (budget, mut now) = (Budget::default(), Instant::now());
        for number in 0..100 {
            let at = budget.take(now, now + WAIT);
            let at = at.unwrap_or_else(|| panic!("number {number} is turned away"));
            now = at + Duration::from_millis(20);
        }
    }
}
