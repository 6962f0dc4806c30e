//! How often the API server is asked, whoever makes us.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Questions in a second. Whoever reaches our port must not reach through it to the API server; who has a verdict that
/// hangs on more than that is told, not refused.
const PER_SECOND: u32 = 10;

/// Counts the questions of the second that runs.
#[derive(Default)]
pub(super) struct Budget {
    second: Mutex<Option<(Instant, u32)>>,
}

impl Budget {
    /// Whether one more question may be asked now.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        let (begin, asked) = match *second {
            Some((begin, asked)) if now < begin + Duration::from_secs(1) => (begin, asked),
            _ => (now, 0),
        };
        *second = Some((begin, asked + 1));
        asked < PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_its_number_of_questions_and_the_next_has_as_many() {
        let (budget, begin) = (Budget::default(), Instant::now());
        for second in 0..3 {
            let now = begin + Duration::from_secs(second);
            let taken = (0..50)
                .filter(|milli| budget.take(now + Duration::from_millis(*milli)))
                .count();
            assert_eq!(taken, 10, "in second {second}");
        }
    }
}
