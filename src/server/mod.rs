//! Sockets: the webhook over TLS, and its state on a plain port. No rule is named here.

mod app;
mod body;
mod connection;
mod limits;
mod metrics;
mod process;
mod rotation;
mod state;
mod stop;
pub mod tls;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsAcceptor;

use crate::cluster::Live;
use crate::policy::PolicySet;
use crate::rule::ClusterView;

pub use app::{Judge, router, status_router};
pub use limits::Limits;
pub use metrics::Metrics;
pub use state::{NotReady, State};
pub use stop::Stop;

use limits::Gate;
use rotation::Rotation;
use stop::Told;
use tls::TlsError;

/// What to judge by, and where to serve it.
pub struct Settings {
    /// Where to serve, and within which limits.
    pub sockets: Sockets,
    /// The policies in force.
    pub policies: PolicySet,
    /// What else is in the cluster.
    pub cluster: Arc<dyn ClusterView>,
    /// Who is asked where a verdict hangs on what that view does not know; nobody without.
    pub lookups: Option<Arc<Live>>,
}

/// Where to serve, and within which limits.
#[derive(Clone, Debug)]
pub struct Sockets {
    /// Where the API server calls, over TLS.
    pub listen: SocketAddr,
    /// Where kubelet and Prometheus look, in plain HTTP.
    pub status_listen: SocketAddr,
    /// The serving pair.
    pub tls: tls::Files,
    /// How often the pair is read again.
    pub tls_interval: Duration,
    /// What nobody may exceed.
    pub limits: Limits,
    /// How it ends.
    pub stop: Stop,
}

/// What the whole process has once.
#[derive(Default)]
pub struct Process {
    /// Whether it may be called.
    pub state: Arc<State>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Why the server could not be started, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The pair cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {at} ({flag}): {error}")]
    Listen {
        /// The flag that names it.
        flag: &'static str,
        /// The address.
        at: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The sockets failed.
    #[error("the server failed: {0}")]
    Io(#[from] io::Error),
}

/// Judges until SIGTERM or Ctrl-C. `ready` is told both addresses once they are bound.
pub async fn run(
    settings: Settings,
    ready: impl FnOnce(SocketAddr, SocketAddr),
) -> Result<(), ServeError> {
    let process = Process::default();
    if let Some(lookups) = &settings.lookups {
        let (state, lookups) = (Arc::clone(&process.state), Arc::clone(lookups));
        state.waits_for_namespaces(true);
        tokio::spawn(async move {
            lookups.is_listed().await;
            state.waits_for_namespaces(false);
        });
    }
    let judge = Judge::new(
        &settings.sockets.limits,
        &process,
        settings.policies,
        settings.cluster,
        settings.lookups,
    );
    serve(settings.sockets, &process, router(Arc::new(judge)), ready).await
}

/// Serves an application over TLS, and the state of the process beside it, until SIGTERM or Ctrl-C.
pub async fn serve(
    sockets: Sockets,
    process: &Process,
    app: Router,
    ready: impl FnOnce(SocketAddr, SocketAddr),
) -> Result<(), ServeError> {
    let (state, metrics) = (&process.state, &process.metrics);
    let limits = sockets.limits;
    let rotation = Rotation::start(sockets.tls, Arc::clone(state), Arc::clone(metrics))?;
    let (webhook, listen) = bind("--listen", sockets.listen)?;
    let (status, status_listen) = bind("--status-listen", sockets.status_listen)?;
    let handle = Handle::new();
    let gate = |limits: &Limits| Gate::new(limits, Arc::clone(metrics));

    let acceptor = RustlsAcceptor::new(rotation.served())
        .handshake_timeout(limits.handshake)
        .acceptor(gate(&limits));
    let mut webhook = axum_server::from_tcp(webhook)?
        .acceptor(acceptor)
        .handle(handle.clone())
        .first_request_timeout(limits.first_request)
        .accept_error_handler(|from, error| {
            let from = from.map(tracing::field::display);
            tracing::debug!(from, "Not let in: {error}");
        });
    limits.apply(webhook.http_builder());

    // In plain HTTP nobody is asked who he is: a silent client keeps its place for less time, but a slow kubelet gets through.
    let few = Limits {
        connections: 256,
        first_request: limits.first_request.min(Duration::from_secs(4)),
        ..limits
    };
    let mut status = axum_server::from_tcp(status)?
        .acceptor(gate(&few))
        .handle(handle.clone())
        .first_request_timeout(few.first_request)
        .http1_only();
    few.apply(status.http_builder());
    // Nobody can keep a place there.
    status.http_builder().http1().keep_alive(false);

    tokio::spawn(rotation.follow(sockets.tls_interval));
    let told = Told::listen()?;
    tokio::spawn(sockets.stop.on_signal(told, handle, Arc::clone(state)));
    ready(listen, status_listen);
    let app = connection::watched(stop::announced(app, Arc::clone(state)));
    let status_app = status_router(Arc::clone(state), Arc::clone(metrics));
    tokio::try_join!(
        webhook.serve(app.into_make_service()),
        status.serve(status_app.into_make_service())
    )?;
    Ok(())
}

/// Binds an address; port 0 takes a free one.
fn bind(flag: &'static str, at: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let bound = TcpListener::bind(at).and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|error| ServeError::Listen { flag, at, error })
}
