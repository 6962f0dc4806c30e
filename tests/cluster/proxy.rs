//! The way to the API server: through, slow, or cut, as after its end.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::cluster::Cluster;

/// How the way is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// What is sent arrives.
    Through,
    /// It arrives so much later.
    Slow(Duration),
    /// Connections break, and new ones are closed.
    Cut,
}

/// Forwards to the API server until it is dropped.
pub(crate) struct Proxy {
    port: u16,
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) fn start(cluster: &Cluster) -> Result<Self> {
        let config = std::fs::read_to_string(cluster.kubeconfig())?;
        let config: serde_json::Value = serde_json::from_str(&config)?;
        let url = config["clusters"][0]["cluster"]["server"].as_str();
        let server = url.and_then(|url| url.strip_prefix("https://"));
        let server: SocketAddr = server.context("a server")?.parse()?;
        let (way, told) = watch::channel(Way::Through);
        let (listener, port) = cluster.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let port = listener.local_addr()?.port();
            anyhow::Ok((listener, port))
        })?;
        let task = cluster.spawn(forward(listener, server, told));
        Ok(Self { port, way, task })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(crate) fn make(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(listener: TcpListener, server: SocketAddr, told: watch::Receiver<Way>) {
    while let Ok((client, _)) = listener.accept().await {
        let mut told = told.clone();
        if *told.borrow_and_update() == Way::Cut {
            continue;
        }
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(server).await else {
                return;
            };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let mut until = told.clone();
            let cut = async { until.wait_for(|way| *way == Way::Cut).await.is_ok() };
            tokio::select! {
                _ = carry(from_client, to_server, told.clone()) => {}
                _ = carry(from_server, to_client, told.clone()) => {}
                _ = cut => {}
            }
        });
    }
}

/// Carries bytes one way, each piece as slowly as the way is then.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    told: watch::Receiver<Way>,
) -> std::io::Result<()> {
    let mut piece = vec![0; 16 << 10];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        let way = *told.borrow();
        if let Way::Slow(delay) = way {
            sleep_until(Instant::now() + delay).await;
        }
        to.write_all(&piece[..length]).await?;
    }
}
