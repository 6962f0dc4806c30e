//! Sockets: the webhook over TLS, and its state on a plain port. No rule is named here.

mod app;
mod metrics;
pub mod tls;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Address, Handle};

use crate::cluster::Live;
use crate::policy::PolicySet;
use crate::rule::ClusterView;

pub use app::{BODY_LIMIT, Judge, router, status_router};
pub use metrics::Metrics;
use tls::TlsError;

/// What to serve, and where.
pub struct Settings {
    /// Where the API server calls, over TLS.
    pub listen: SocketAddr,
    /// Where kubelet and Prometheus look, in plain HTTP.
    pub status_listen: SocketAddr,
    /// The serving pair.
    pub tls: tls::Files,
    /// The policies in force.
    pub policies: PolicySet,
    /// What else is in the cluster.
    pub cluster: Arc<dyn ClusterView>,
    /// Who is asked where a verdict hangs on what that view does not know; nobody without.
    pub lookups: Option<Live>,
}

/// Why the server could not be started, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The pair cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {at}: {error}")]
    Listen {
        /// The address.
        at: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The sockets failed.
    #[error("the server failed: {0}")]
    Io(#[from] io::Error),
}

/// Seconds to finish the TLS handshake, and then to send the first request.
const NEWCOMER: Duration = Duration::from_secs(10);

/// How long a connection may be idle, and how long a header may take. The API server keeps its own end open for 90 s and
/// does not repeat a call that meets a closed connection, so ours must be open longer.
const IDLE: Duration = Duration::from_mins(2);

/// How long running requests may take to finish after the signal to stop; a review has 10 s by default.
const DRAIN: Duration = Duration::from_secs(15);

/// Serves until SIGTERM or Ctrl-C. `ready` is told both addresses once they are bound and the pair is loaded.
pub async fn run(
    settings: Settings,
    ready: impl FnOnce(SocketAddr, SocketAddr),
) -> Result<(), ServeError> {
    let config = RustlsConfig::from_config(Arc::new(settings.tls.load()?));
    let (webhook, listen) = bind(settings.listen)?;
    let (status, status_listen) = bind(settings.status_listen)?;
    let judge = Arc::new(Judge {
        policies: settings.policies,
        cluster: settings.cluster,
        lookups: settings.lookups,
        metrics: Metrics::new(),
    });
    let handle = Handle::new();
    tokio::spawn(stop_on_signal(handle.clone()));
    let status = axum_server::from_tcp(status)?
        .handle(handle.clone())
        .serve(status_router(Arc::clone(&judge)).into_make_service());
    let acceptor = RustlsAcceptor::new(config).handshake_timeout(NEWCOMER);
    let mut server = axum_server::from_tcp(webhook)?
        .acceptor(acceptor)
        .handle(handle)
        .first_request_timeout(NEWCOMER);
    limit(server.http_builder());
    ready(listen, status_listen);
    tokio::try_join!(server.serve(router(judge).into_make_service()), status)?;
    Ok(())
}

fn limit(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    let timer = hyper_util::rt::TokioTimer::new;
    builder.http1().timer(timer()).header_read_timeout(IDLE);
    builder
        .http2()
        .timer(timer())
        .keep_alive_interval(NEWCOMER * 3)
        .keep_alive_timeout(NEWCOMER);
}

/// Binds an address; port 0 takes a free one.
fn bind(at: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let bound = TcpListener::bind(at).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|error| ServeError::Listen { at, error })
}

/// Finishes what runs on the first signal, and ends at once on the second.
async fn stop_on_signal<A: Address>(handle: Handle<A>) {
    signal().await;
    tracing::info!("Stopping: finishing the requests that run");
    handle.graceful_shutdown(Some(DRAIN));
    signal().await;
    handle.shutdown();
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("the process may handle SIGTERM");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
