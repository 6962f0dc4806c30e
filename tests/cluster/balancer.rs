//! A TCP balancer, as kube-proxy is one: a new connection goes to one of the processes that are ready, and stays there.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::interval;

use crate::cluster::Cluster;
use crate::webhook::Running;

/// How long it takes until a process that is not ready gets no new connections.
const LAG: Duration = Duration::from_millis(500);

/// One process behind the balancer.
#[derive(Clone)]
struct Backend {
    port: u16,
    readyz: String,
}

/// Balances until it is dropped.
pub(crate) struct Balancer {
    port: u16,
    backends: Arc<Mutex<Vec<Backend>>>,
    refused: Arc<Mutex<Vec<String>>>,
    tasks: [JoinHandle<()>; 2],
}

impl Balancer {
    pub(crate) fn start(cluster: &Cluster) -> Result<Self> {
        let backends: Arc<Mutex<Vec<Backend>>> = Arc::default();
        let (listener, port) = cluster.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let port = listener.local_addr()?.port();
            anyhow::Ok((listener, port))
        })?;
        let refused = Arc::<Mutex<Vec<String>>>::default();
        let forward = forward(listener, Arc::clone(&backends), Arc::clone(&refused));
        let tasks = [
            cluster.spawn(forward),
            cluster.spawn(drop_what_is_not_ready(Arc::clone(&backends))),
        ];
        Ok(Self {
            port,
            backends,
            refused,
            tasks,
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The connections that no process took: it went before the balancer knew, or there was none.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.refused.lock().expect("nobody panics with it").clone()
    }

    /// Takes in a process, which must be ready.
    pub(crate) fn add(&self, server: &Running) {
        let backend = Backend {
            port: server.port(),
            readyz: server.status_url("/readyz"),
        };
        self.backends
            .lock()
            .expect("nobody panics with it")
            .push(backend);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn forward(
    listener: TcpListener,
    backends: Arc<Mutex<Vec<Backend>>>,
    refused: Arc<Mutex<Vec<String>>>,
) {
    let refuse = move |why: String| refused.lock().expect("nobody panics with it").push(why);
    let mut next = 0_usize;
    while let Ok((mut client, _)) = listener.accept().await {
        next = next.wrapping_add(1);
        let chosen = {
            let backends = backends.lock().expect("nobody panics with it");
            let chosen = next.checked_rem(backends.len());
            chosen.map(|chosen| SocketAddr::from(([127, 0, 0, 1], backends[chosen].port)))
        };
        let Some(chosen) = chosen else {
            refuse("there is no process".to_owned());
            continue;
        };
        let refuse = refuse.clone();
        tokio::spawn(async move {
            match TcpStream::connect(chosen).await {
                Ok(mut server) => {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
                Err(error) => refuse(format!("{chosen}: {error}")),
            }
        });
    }
}

async fn drop_what_is_not_ready(backends: Arc<Mutex<Vec<Backend>>>) {
    let mut ticks = interval(LAG);
    loop {
        ticks.tick().await;
        let all = backends.lock().expect("nobody panics with it").clone();
        for backend in all {
            let answer = reqwest::get(&backend.readyz).await;
            if !answer.is_ok_and(|answer| answer.status().is_success()) {
                let mut backends = backends.lock().expect("nobody panics with it");
                backends.retain(|known| known.port != backend.port);
            }
        }
    }
}
