//! How the process ends: nobody who calls it until the last moment gets no answer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::middleware::{Next, from_fn};
use axum_server::{Address, Handle};
use tokio::time::timeout;
use tracing::info;

use super::State;

/// How long the parts of the end take.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// How long everything is served after the signal, new connections too: until the cluster has noticed that the process
    /// is not ready, calls still come. Over HTTP/1.1 only an answer can tell a client to close its connection; one that is
    /// idle until the end is closed by us, and a call that was on its way on it is lost. The longer, the fewer are idle.
    pub delay: Duration,
    /// How long running requests may take to finish after that; a review has 10 s by default.
    pub deadline: Duration,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(15),
            deadline: Duration::from_secs(15),
        }
    }
}

impl Stop {
    /// On the first signal the process is not ready, serves on for a while, finishes what runs, and ends; on the second it
    /// ends at once.
    pub(super) async fn on_signal<A: Address>(
        self,
        mut told: Told,
        handle: Handle<A>,
        state: Arc<State>,
    ) {
        told.wait().await;
        state.stop();
        info!(
            "Stopping: not ready from now on, and serving for {} s more",
            self.delay.as_secs_f32()
        );
        if timeout(self.delay, told.wait()).await.is_err() {
            info!("Stopping: finishing the requests that run");
            handle.graceful_shutdown(Some(self.deadline));
            told.wait().await;
        }
        info!("Stopping at once");
        handle.shutdown();
    }
}

/// The same application; once the process is to end, each answer asks the client to close its connection. Over HTTP/2 it is
/// the connection itself that says so.
pub(super) fn announced(app: Router, state: Arc<State>) -> Router {
    app.layer(from_fn(move |request: Request, next: Next| {
        let state = Arc::clone(&state);
        async move {
            let http1 = request.version() < Version::HTTP_2;
            let mut response = next.run(request).await;
            if http1 && state.is_stopping() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            response
        }
    }))
}

/// The signals by which the process is told to end. Made before anybody is told that it serves, so that none is missed.
pub(super) struct Told {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Told {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    async fn wait(&mut self) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn wait(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
