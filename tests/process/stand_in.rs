//! A stand-in for the API server, in plain HTTP.

use std::fs;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::http::Uri;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// It answers until it is dropped.
pub(crate) struct StandIn {
    pub(crate) kubeconfig: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl StandIn {
    /// Answers as the router does; how to reach it is written into the folder.
    pub(crate) async fn start(folder: &Path, router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async { axum::serve(listener, router).await.expect("it serves") });
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test", "users": [{"name": "test", "user": {}}],
            "clusters": [{"name": "test", "cluster": {"server": url}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        });
        let kubeconfig = folder.join("kubeconfig");
        fs::write(&kubeconfig, config.to_string()).expect("a file");
        Self { kubeconfig, task }
    }
}

/// What a parameter of the query says.
pub(crate) fn asked<'u>(uri: &'u Uri, name: &str) -> Option<&'u str> {
    let mut pairs = uri
        .query()?
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}
