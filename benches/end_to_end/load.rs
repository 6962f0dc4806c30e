//! The client: so many connections that are kept, and on each the next request as soon as the last one is answered.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use reqwest::{Certificate, Client, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// So many are kept.
pub(crate) const CONNECTIONS: usize = 16;

/// A request, and the answer that must come.
#[derive(Clone)]
pub(crate) struct Ask {
    /// Where.
    pub(crate) path: String,
    /// What.
    pub(crate) body: Bytes,
    /// The answer.
    pub(crate) answer: Bytes,
}

/// The client's runtime: one thread, so that a machine with two cores has one for the server.
pub(crate) fn runtime() -> Runtime {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Connections to one server.
pub(crate) struct Connections {
    webhook: SocketAddr,
    clients: Vec<Client>,
}

impl Connections {
    /// A client for each connection, since one client alone opens as many as it likes.
    pub(crate) fn new(webhook: SocketAddr, folder: &Path) -> Self {
        let authority = std::fs::read(folder.join("ca.crt")).expect("the authority is there");
        let authority = Certificate::from_pem(&authority).expect("a certificate");
        let client = || {
            let client = Client::builder().tls_certs_only([authority.clone()]);
            client
                .http1_only()
                .pool_max_idle_per_host(1)
                .build()
                .expect("a client")
        };
        let clients = (0..CONNECTIONS).map(|_| client()).collect();
        Self { webhook, clients }
    }

    /// Sends so many requests, each of which is taken from `asks` in turn, and says how long it took.
    pub(crate) async fn send(&self, asks: &Arc<[Ask]>, requests: usize) -> Duration {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let start = Instant::now();
        for client in &self.clients {
            let (client, asks, next) = (client.clone(), Arc::clone(asks), Arc::clone(&next));
            let webhook = self.webhook;
            let urls = asks
                .iter()
                .map(|ask| format!("https://{webhook}{}", ask.path));
            let urls: Vec<_> = urls.collect();
            tasks.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= requests {
                        break;
                    }
                    let turn = number % asks.len();
                    ask(&client, &urls[turn], &asks[turn]).await;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("every answer is the one that must come");
        }
        start.elapsed()
    }
}

async fn ask(client: &Client, url: &str, ask: &Ask) {
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .body(ask.body.clone());
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let answer = response.bytes().await.expect("a whole answer");
    assert_eq!(status, StatusCode::OK, "{answer:?}");
    assert!(answer == ask.answer, "another answer came: {answer:?}");
}
