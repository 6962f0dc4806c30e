//! The server on a real socket, asked by a real TLS client.

#![cfg(feature = "server")]

mod abuse;
mod answers;
mod handshake;
mod lookups;
mod metrics;
mod pairs;
mod raw;
mod rotation;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use reqwest::{Certificate, Client, StatusCode};
use serde_json::{Value, json};
use steadfast::policy::PolicySet;
use steadfast::rule::ClusterView;
use steadfast::server::{self, Limits, ServeError, Settings, Sockets, Stop, tls};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A server that runs until the test ends, and what a client needs to reach it.
struct Running {
    webhook: SocketAddr,
    status: SocketAddr,
    authority: Authority,
    folder: TempDir,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
        .expect("a certificate")
}

/// What a certificate of ours says.
fn params(usage: ExtendedKeyUsagePurpose) -> CertificateParams {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).expect("names");
    params.extended_key_usages = vec![usage];
    params
}

/// Writes `<name>.crt` and `<name>.key`, signed by `authority`.
fn pair(authority: &Authority, folder: &Path, name: &str, usage: ExtendedKeyUsagePurpose) {
    let params = params(usage);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    std::fs::write(folder.join(format!("{name}.crt")), certificate.pem()).expect("a file");
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).expect("a file");
}

fn files(folder: &Path) -> tls::Files {
    tls::Files {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
        client_ca: None,
    }
}

async fn serve(
    cluster: impl ClusterView + 'static,
    configure: impl FnOnce(&mut Settings, &Path),
) -> Running {
    let (authority, folder) = (authority(), tempfile::tempdir().expect("a folder"));
    pair(
        &authority,
        folder.path(),
        "tls",
        ExtendedKeyUsagePurpose::ServerAuth,
    );
    std::fs::write(folder.path().join("ca.crt"), authority.pem()).expect("a file");
    let any = "127.0.0.1:0".parse().expect("an address");
    let sockets = Sockets {
        listen: any,
        status_listen: any,
        tls: files(folder.path()),
        tls_interval: Duration::from_millis(50),
        limits: Limits::default(),
        stop: Stop::default(),
    };
    let mut settings = Settings {
        sockets,
        policies: PolicySet::built_in(),
        cluster: Arc::new(cluster),
        lookups: None,
    };
    configure(&mut settings, folder.path());
    let (ready, addresses) = oneshot::channel();
    let task = tokio::spawn(server::run(settings, |webhook, status| {
        let _ = ready.send((webhook, status));
    }));
    let (webhook, status) = addresses.await.expect("the server starts");
    Running {
        webhook,
        status,
        authority,
        folder,
        task,
    }
}

impl Running {
    fn client(
        &self,
        configure: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Client {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let root = Certificate::from_pem(self.authority.pem().as_bytes()).expect("a certificate");
        configure(Client::builder().tls_certs_only([root]))
            .build()
            .expect("a client")
    }

    async fn post(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> (StatusCode, Value) {
        let request = self
            .client(|client| client)
            .post(format!("https://{}{path}", self.webhook));
        let response = request
            .header("content-type", content_type)
            .body(body)
            .send()
            .await
            .expect("an answer");
        let status = response.status();
        (status, response.json().await.expect("every answer is JSON"))
    }

    async fn status(&self, path: &str) -> (StatusCode, String) {
        let response = self
            .client(|client| client)
            .get(format!("http://{}{path}", self.status))
            .send();
        let response = response.await.expect("an answer");
        (response.status(), response.text().await.expect("text"))
    }
}

/// Asks until it is so, which it must be soon.
async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let asked = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        while !is_so().await {
            ticks.tick().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), asked).await;
    in_time.expect("it is so at last");
}

fn review(spec: &Value) -> String {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1", "operation": "CREATE", "namespace": "default", "name": "web",
        "resource": {"group": "apps", "version": "v1", "resource": "statefulsets"},
        "object": {"metadata": {"name": "web"}, "spec": spec},
    }})
    .to_string()
}

fn bare() -> String {
    review(
        &json!({"template": {"spec": {"containers": [{"name": "web", "ports": [{"containerPort": 80}]}]}}}),
    )
}

/// Asks nothing of the cluster: nothing is missing in it.
fn complete() -> String {
    let probe = json!({"tcpSocket": {"port": 80}});
    review(
        &json!({"serviceName": "web", "updateStrategy": {"type": "RollingUpdate"}, "template": {"spec": {"containers": [
            {"name": "web", "ports": [{"containerPort": 80}], "readinessProbe": probe, "livenessProbe": probe, "startupProbe": probe}
        ]}}}),
    )
}
