//! One call in flight for each question, however many reviews hang on it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError};

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Unanswered;
use crate::cluster::Fact;
use crate::rule::Question;

type Answer = Result<Fact, Unanswered>;

/// When the last call began, and what came of it.
type Turn = Mutex<Option<(Instant, Answer)>>;

/// The questions that are being asked.
#[derive(Default)]
pub(super) struct Flights {
    running: Lock<HashMap<Question, Arc<Turn>>>,
}

impl Flights {
    /// The answer of a call that began after this question came; `call` says when it did. One that began before may have missed
    /// what the review knows of, such as the Service that was made a moment before the set; who comes meanwhile waits for the
    /// next one.
    pub(super) async fn share(
        &self,
        question: &Question,
        call: impl Future<Output = (Instant, Answer)>,
    ) -> Answer {
        let came = Instant::now();
        let seat = Seat::take(self, question);
        let mut last = seat.turn.lock().await;
        if let Some((begun, answer)) = &*last
            && *begun >= came
        {
            return answer.clone();
        }
        let (begun, answer) = call.await;
        *last = Some((begun, answer.clone()));
        answer
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Question, Arc<Turn>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait for the same answer; the last to leave, also in a hurry, clears it.
struct Seat<'f> {
    flights: &'f Flights,
    question: &'f Question,
    turn: Arc<Turn>,
}

impl<'f> Seat<'f> {
    fn take(flights: &'f Flights, question: &'f Question) -> Self {
        let turn = Arc::clone(flights.running().entry(question.clone()).or_default());
        Self {
            flights,
            question,
            turn,
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut running = self.flights.running();
        // The map's and ours.
        if Arc::strong_count(&self.turn) == 2 {
            running.remove(self.question);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;
    use tokio::sync::Barrier;
    use tokio::task::yield_now;

    use super::*;
    use crate::rule::Listing;

    const QUESTION: Question = Question::StorageClasses;

    /// The first call ends when the barrier is met; each is counted.
    async fn call(calls: &AtomicUsize, first: &Barrier) -> (Instant, Answer) {
        let begun = Instant::now();
        if calls.fetch_add(1, Ordering::Relaxed) == 0 {
            first.wait().await;
        }
        (begun, Ok(Fact::StorageClasses(Listing::unknown())))
    }

    #[tokio::test]
    async fn who_comes_during_a_call_shares_the_next_one() {
        let (flights, calls, first) = (Flights::default(), AtomicUsize::new(0), Barrier::new(2));
        let ask = || flights.share(&QUESTION, call(&calls, &first));
        let late = async {
            while calls.load(Ordering::Relaxed) == 0 {
                yield_now().await;
            }
            let asking = join_all((0..20).map(|_| ask()));
            futures::future::join(asking, first.wait()).await.0
        };
        let (answer, others) = futures::future::join(ask(), late).await;
        assert!(answer.is_ok() && others.iter().all(Result::is_ok));
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        assert!(flights.running().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_leaves_nothing_behind() {
        let (flights, calls, never) = (Flights::default(), AtomicUsize::new(0), Barrier::new(2));
        let asking = flights.share(&QUESTION, call(&calls, &never));
        let gone = futures::future::select(Box::pin(asking), Box::pin(yield_now())).await;
        drop(gone);
        assert!(flights.running().is_empty());
        assert!(flights.share(&QUESTION, call(&calls, &never)).await.is_ok());
    }
}
