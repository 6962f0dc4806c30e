//! One connection's life: it ends where nobody asks anything on it, and where nobody takes the answers. HTTP/1.1 has a
//! timer for the next header; over HTTP/2 a client may answer pings for ever, and for answers that nobody reads there is none.

use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits::Place;

/// What is known of an open connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Its place among all; free again when the connection ends.
    _place: OwnedSemaphorePermit,
    running: AtomicUsize,
    last_use: Mutex<Instant>,
}

impl Connection {
    pub(super) fn new(place: OwnedSemaphorePermit) -> Self {
        Self {
            _place: place,
            running: AtomicUsize::new(0),
            last_use: Mutex::new(Instant::now()),
        }
    }

    /// In use until what is returned is dropped.
    fn used(&self) -> Use<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Use(self)
    }

    fn touch(&self) {
        *self.last_use.lock().expect("nobody panics with it") = Instant::now();
    }

    fn is_idle_for(&self, time: Duration) -> bool {
        let last_use = *self.last_use.lock().expect("nobody panics with it");
        self.running.load(Ordering::Relaxed) == 0 && last_use.elapsed() >= time
    }
}

struct Use<'c>(&'c Connection);

impl Drop for Use<'_> {
    fn drop(&mut self) {
        self.0.touch();
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The same application; each request keeps its connection in use while it runs.
pub(super) fn watched(app: Router) -> Router {
    app.layer(from_fn(async |request: Request, next: Next| {
        let connection = request.extensions().get::<Place>().cloned();
        let _used = connection.as_ref().map(|connection| connection.used());
        next.run(request).await
    }))
}

/// A stream that fails once its connection is idle for too long, or nobody takes what is written.
pub(super) struct Watched {
    stream: TcpStream,
    connection: Place,
    idle: Duration,
    /// Runs while a write waits for its client.
    late: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, connection: Place, idle: Duration) -> Self {
        Self {
            stream,
            connection,
            idle,
            late: None,
        }
    }

    /// What came of a write; a client that takes nothing for as long as it may be idle is given up.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.late = None;
            return write;
        }
        let idle = self.idle;
        let late = self
            .late
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + idle)));
        ready!(late.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        // Something came: a ping, or its answer, does not count.
        Poll::Ready(if self.connection.is_idle_for(self.idle) {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(())
        })
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, write)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.written(cx, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
