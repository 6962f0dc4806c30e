//! The pair on disk may change at any time: it is read again, and served as soon as it is whole.
//!
//! By its content and by asking: a mounted Secret is swapped as a symlink two folders up, which a watch on the file sees once
//! and never again.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum_server::tls_rustls::RustlsConfig;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use super::state::{NotReady, State};
use super::tls::{Files, Pair, nothing_to_serve};
use super::{Metrics, ServeError};

/// The pair that is served, and what is on disk.
pub(super) struct Rotation {
    files: Files,
    served: RustlsConfig,
    /// What was read last, whether it could be served or not.
    seen: Content,
    /// When the pair that was read last becomes valid, where it is not and another is served until then.
    due: Option<SystemTime>,
    /// What was last said about readiness; that all is well goes without saying.
    said: Result<(), NotReady>,
    state: Arc<State>,
    metrics: Arc<Metrics>,
}

/// What the files hold, to the byte; none of a file that cannot be read.
#[derive(PartialEq)]
struct Content(Vec<Option<Vec<u8>>>);

impl Content {
    fn of(files: &Files) -> Self {
        let read = |file: &Path| fs::read(file).ok();
        let all = [
            Some(&files.certificate),
            Some(&files.key),
            files.client_ca.as_ref(),
        ];
        Self(all.into_iter().flatten().map(|file| read(file)).collect())
    }
}

impl Rotation {
    /// Serves what is there. Files that are not there yet may come; a pair that cannot be served is an error.
    pub(super) fn start(
        files: Files,
        state: Arc<State>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, ServeError> {
        let seen = Content::of(&files);
        let pair = match files.load() {
            Err(error) if error.is_not_there() => {
                warn!("Not there yet, waiting for it: {error}");
                None
            }
            loaded => Some(loaded?),
        };
        let config = match &pair {
            Some(pair) => Arc::clone(&pair.config),
            None => Arc::new(nothing_to_serve()),
        };
        let rotation = Self {
            files,
            served: RustlsConfig::from_config(config),
            seen,
            due: None,
            said: Ok(()),
            state,
            metrics,
        };
        if let Some(pair) = pair {
            rotation.is_valid(pair.valid);
        }
        Ok(rotation)
    }

    /// What the listener is to serve with; it follows.
    pub(super) fn served(&self) -> RustlsConfig {
        self.served.clone()
    }

    /// Looks again, for ever.
    pub(super) async fn follow(mut self, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look();
            self.say_readiness();
        }
    }

    /// Serves what is on disk where that is another pair than before, and can be served.
    fn look(&mut self) {
        let content = Content::of(&self.files);
        let now = SystemTime::now();
        let is_due = self.due.is_some_and(|due| due <= now);
        if self.seen == content && !is_due {
            return;
        }
        self.seen = content;
        self.due = None;
        match self.files.load() {
            Ok(Pair { valid, .. }) if !valid.contains(&now) && self.state.ready(now).is_ok() => {
                self.metrics.reloaded(false);
                self.due = Some(valid.start).filter(|start| now < *start);
                warn!(
                    "Still serving the certificate of before: the new one is {}",
                    if self.due.is_some() {
                        "not valid yet"
                    } else {
                        "expired"
                    }
                );
            }
            Ok(Pair { config, valid }) => {
                self.served.reload_from_config(config);
                self.is_valid(valid);
                self.metrics.reloaded(true);
                info!("Serving another certificate");
            }
            Err(error) => {
                self.metrics.reloaded(false);
                warn!("Still serving the certificate of before: {error}");
            }
        }
    }

    fn is_valid(&self, valid: Range<SystemTime>) {
        self.metrics.certificate_expires(valid.end);
        self.state.serves(valid);
    }

    /// Says it once when the process is not ready any more, such as at the end of a certificate that nobody renewed.
    fn say_readiness(&mut self) {
        let ready = self.state.ready(SystemTime::now());
        match ready {
            Err(NotReady::Stopping) => {}
            _ if ready == self.said => {}
            Ok(()) => info!("Ready"),
            Err(why) => warn!("Not ready: {why}"),
        }
        self.said = ready;
    }
}
