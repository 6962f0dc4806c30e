//! What nobody may exceed: connections, time, bytes.

use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum_server::accept::Accept;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tower_http::add_extension::AddExtension;

use super::Metrics;
use super::connection::{Connection, Watched};

/// The limits of one server. The defaults are for an API server that means well and a network that does not.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time to finish the TLS handshake.
    pub handshake: Duration,
    /// Time from the handshake to the first request's header.
    pub first_request: Duration,
    /// How long a connection may be idle, and how long a later header may take. The API server keeps its own end open for
    /// 90 s and does not repeat a call that meets a closed connection, so ours must be open longer.
    pub idle: Duration,
    /// Time for a whole body, from its header on.
    pub body: Duration,
    /// The largest body: two objects of 3 MiB, which is the most that the API server takes, and 1 MiB of everything else.
    pub body_bytes: usize,
    /// What all bodies that are being read or judged may weigh together.
    pub bodies_bytes: usize,
    /// How many connections may be open. An API server keeps 25 idle ones and opens one more for each call beyond those; and
    /// where a process may have 1,024 files, as is common, there must be some left for the status port.
    pub connections: usize,
    /// How many calls an HTTP/2 connection may carry at a time.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            first_request: Duration::from_secs(10),
            idle: Duration::from_mins(2),
            body: Duration::from_secs(10),
            body_bytes: 7 << 20,
            bodies_bytes: 64 << 20,
            connections: 512,
            streams: 100,
        }
    }
}

/// How much of a header is kept while it is incomplete; those of the API server have some hundred bytes.
const HEADER_BYTES: u32 = 16 << 10;

impl Limits {
    /// Tells the limits to the HTTP implementation.
    pub(super) fn apply(&self, builder: &mut Builder<TokioExecutor>) {
        builder
            .http1()
            .timer(TokioTimer::new())
            .max_buf_size(64 << 10)
            .header_read_timeout(self.idle);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.streams)
            .max_header_list_size(HEADER_BYTES)
            .keep_alive_interval(self.handshake * 3)
            .keep_alive_timeout(self.handshake);
    }
}

/// Lets in as many connections as there may be, and turns the rest away before their handshake costs anything.
#[derive(Clone)]
pub(super) struct Gate {
    free: Arc<Semaphore>,
    idle: Duration,
    metrics: Arc<Metrics>,
}

/// One connection, as each of its requests knows it.
pub(super) type Place = Arc<Connection>;

impl Gate {
    pub(super) fn new(limits: &Limits, metrics: Arc<Metrics>) -> Self {
        let free = Arc::new(Semaphore::new(limits.connections));
        Self {
            free,
            idle: limits.idle,
            metrics,
        }
    }
}

impl<S> Accept<TcpStream, S> for Gate {
    type Stream = Watched;
    type Service = AddExtension<S, Place>;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(place) = Arc::clone(&self.free).try_acquire_owned() else {
            self.metrics.turned_away();
            return ready(Err(io::Error::other("too many connections")));
        };
        // An answer is one write, and nobody waits for a second one.
        let nodelay = stream.set_nodelay(true);
        let connection = Arc::new(Connection::new(place));
        let stream = Watched::new(stream, Arc::clone(&connection), self.idle);
        ready(nodelay.map(|()| (stream, AddExtension::new(service, connection))))
    }
}
