//! The server on a real socket, asked by a real TLS client.

#![cfg(feature = "server")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::storage::v1::StorageClass;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use reqwest::{Certificate, Client, Identity, StatusCode, Version};
use serde_json::{Value, json};
use steadfast::cluster::Unseen;
use steadfast::policy::PolicySet;
use steadfast::rule::{ClusterView, Listing};
use steadfast::server::{self, ServeError, Settings, tls};
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

/// Writes `<name>.crt` and `<name>.key`, signed by `authority`.
fn pair(authority: &Authority, folder: &Path, name: &str, usage: ExtendedKeyUsagePurpose) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])
        .expect("names");
    params.extended_key_usages = vec![usage];
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
    let mut settings = Settings {
        listen: any,
        status_listen: any,
        tls: files(folder.path()),
        policies: PolicySet::built_in(),
        cluster: Arc::new(cluster),
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

#[tokio::test]
async fn both_http_versions_are_served() {
    let server = serve(Unseen, |_, _| {}).await;
    for (version, client) in [
        (Version::HTTP_2, server.client(|client| client)),
        (
            Version::HTTP_11,
            server.client(reqwest::ClientBuilder::http1_only),
        ),
    ] {
        let request = client.post(format!(
            "https://localhost:{}/mutate",
            server.webhook.port()
        ));
        let request = request
            .header("content-type", "application/json; charset=utf-8")
            .body(bare());
        let response = request.send().await.expect("an answer");
        assert_eq!(
            (response.status(), response.version()),
            (StatusCode::OK, version)
        );
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!(answer["response"]["uid"], "u-1");
        assert_eq!(answer["response"]["patchType"], "JSONPatch");
    }
}

#[tokio::test]
async fn what_is_no_review_gets_one_clear_answer_and_the_next_is_served() {
    let server = serve(Unseen, |_, _| {}).await;
    let json = "application/json";
    let large = "x".repeat(8 << 20);
    for (path, content_type, body, status, words) in [
        (
            "/mutate",
            json,
            "{".to_owned(),
            400,
            "the body is no AdmissionReview",
        ),
        (
            "/validate",
            json,
            String::new(),
            400,
            "the body is no AdmissionReview",
        ),
        (
            "/mutate",
            json,
            r#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}"#.to_owned(),
            400,
            "v1beta1",
        ),
        (
            "/mutate",
            "text/plain",
            bare(),
            415,
            "the content type is not application/json",
        ),
        ("/mutate", json, large, 413, "the body is larger than 7 MiB"),
        (
            "/elsewhere",
            json,
            bare(),
            404,
            "only POST /mutate and POST /validate",
        ),
    ] {
        let (found, answer) = server.post(path, content_type, body).await;
        assert_eq!(found, status, "{words}");
        let message = answer["response"]["status"]["message"]
            .as_str()
            .unwrap_or_default();
        assert!(message.contains(words), "{message}");
        assert_eq!(answer["response"]["allowed"], false, "{words}");
        assert_eq!(
            server.post("/mutate", json, bare()).await.0,
            StatusCode::OK,
            "the next request is served"
        );
    }
    let get = server
        .client(|client| client)
        .get(format!("https://{}/mutate", server.webhook))
        .send()
        .await;
    assert_eq!(
        get.expect("an answer").status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}

/// A view with a bug.
struct Broken;

impl ClusterView for Broken {
    fn services(&self, _: &str) -> Listing<Service> {
        panic!("this view is broken")
    }

    fn storage_classes(&self) -> Listing<StorageClass> {
        panic!("this view is broken")
    }
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let server = serve(Broken, |_, _| {}).await;
    let (status, answer) = server.post("/mutate", "application/json", bare()).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        answer["response"]["status"]["message"],
        "steadfast failed on this request"
    );
    let (status, answer) = server.post("/mutate", "application/json", complete()).await;
    assert_eq!(
        (status, &answer["response"]["allowed"]),
        (StatusCode::OK, &json!(true))
    );
    let (_, metrics) = server.status("/metrics").await;
    assert!(metrics.contains("steadfast_panics_total 1\n"), "{metrics}");
}

#[tokio::test]
async fn the_plain_port_tells_the_state() {
    let server = serve(Unseen, |_, _| {}).await;
    server.post("/mutate", "application/json", bare()).await;
    server
        .post("/mutate", "application/json", "{".to_owned())
        .await;
    assert_eq!(
        server.status("/livez").await,
        (StatusCode::OK, "ok\n".to_owned())
    );
    assert_eq!(
        server.status("/readyz").await,
        (StatusCode::OK, "ok\n".to_owned())
    );
    let (status, metrics) = server.status("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        r#"steadfast_reviews_total{phase="mutate",operation="CREATE",result="patched"} 1"#,
        r#"steadfast_reviews_total{phase="mutate",operation="unknown",result="refused"} 1"#,
        r#"steadfast_decisions_total{rule="missing-readiness-probe",level="warn",outcome="injected",operation="CREATE"} 1"#,
        r#"steadfast_handling_seconds_count{phase="mutate"} 2"#,
        "# EOF",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} is not in\n{metrics}"
        );
    }
    assert_eq!(
        server.status("/mutate").await.0,
        StatusCode::NOT_FOUND,
        "reviews are answered over TLS only"
    );
}

#[tokio::test]
async fn clients_need_a_certificate_where_an_authority_is_named() {
    let server = serve(Unseen, |settings, folder| {
        settings.tls.client_ca = Some(folder.join("ca.crt"));
    })
    .await;
    let url = format!("https://{}/mutate", server.webhook);
    let send = |client: Client| {
        let request = client
            .post(url.clone())
            .header("content-type", "application/json")
            .body(bare());
        async { request.send().await.map(|response| response.status()) }
    };
    send(server.client(|client| client))
        .await
        .expect_err("a client without certificate is turned away");
    let read =
        |file: &str| std::fs::read_to_string(server.folder.path().join(file)).expect("a file");
    pair(
        &server.authority,
        server.folder.path(),
        "client",
        ExtendedKeyUsagePurpose::ClientAuth,
    );
    let identity = Identity::from_pem((read("client.crt") + &read("client.key")).as_bytes())
        .expect("an identity");
    let status = send(server.client(|client| client.identity(identity)))
        .await
        .expect("an answer");
    assert_eq!(status, StatusCode::OK);
}

#[test]
fn a_pair_that_cannot_be_served_is_told_before_anything_is_bound() {
    let (authority, folder) = (authority(), tempfile::tempdir().expect("a folder"));
    let path = folder.path();
    pair(&authority, path, "tls", ExtendedKeyUsagePurpose::ServerAuth);
    files(path).load().expect("a good pair is loaded");
    pair(
        &authority,
        path,
        "other",
        ExtendedKeyUsagePurpose::ServerAuth,
    );
    let wrong = tls::Files {
        key: path.join("other.key"),
        ..files(path)
    };
    let empty = tls::Files {
        certificate: path.join("tls.key"),
        ..files(path)
    };
    let missing = tls::Files {
        certificate: path.join("none.crt"),
        ..files(path)
    };
    for (files, words) in [
        (wrong, "cannot serve"),
        (empty, "holds no certificate"),
        (missing, "cannot read certificates from"),
    ] {
        let error = files.load().expect_err("it cannot be served").to_string();
        assert!(error.contains(words), "{error}");
    }
}
