//! The README's first command and its curl lines, with a real client: `serve --dev` with the lab's cluster.

#![cfg(feature = "server")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Certificate, Client};
use serde_json::Value;

/// The process, ended with the test.
struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Starts the server in `folder` and waits for its ready line.
fn start(folder: &Path) -> Server {
    let mut child = Command::new(env!("CARGO_BIN_EXE_steadfast"))
        .args([
            "serve",
            "--dev",
            "--listen=127.0.0.1:0",
            "--status-listen=127.0.0.1:0",
            "--cluster",
        ])
        .arg(repository().join("tests/lab/cluster"))
        .current_dir(folder)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut said = String::new();
    let url = loop {
        let start = said.len();
        assert_ne!(
            stderr.read_line(&mut said).expect("text"),
            0,
            "it ended before it was ready: {said}"
        );
        if let Some((_, rest)) = said[start..].split_once(" serves ") {
            break rest.split(' ').next().expect("an address").to_owned();
        }
    };
    Server { child, stderr, url }
}

/// What curl does in the README.
async fn post(server: &Server, folder: &Path, review: &str, path: &str) -> Value {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let root = std::fs::read(folder.join("certs/ca.crt")).expect("the authority was made");
    let root = Certificate::from_pem(&root).expect("a certificate");
    let client = Client::builder()
        .tls_certs_only([root])
        .build()
        .expect("a client");
    let body = std::fs::read(repository().join("tests/lab/reviews").join(review))
        .expect("the review is there");
    let request = client
        .post(format!("{}{path}", server.url))
        .header("content-type", "application/json")
        .body(body);
    let mut answer: Value = request
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    answer["response"].take()
}

#[tokio::test]
async fn the_lab_is_repaired_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path());
    let answer = post(
        &server,
        folder.path(),
        "app-python-helm-bare.json",
        "/mutate",
    )
    .await;
    assert_eq!(answer["allowed"], true);
    let warnings: Vec<_> = answer["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let rules = [
        "dangling-volume-mount",
        "missing-service-name",
        "missing-readiness-probe",
        "missing-liveness-probe",
    ];
    let mut said: Vec<_> = warnings
        .iter()
        .filter_map(|warning| warning.split(": ").next())
        .collect();
    said.dedup();
    assert_eq!(said, rules, "{warnings:?}");
    let patch = STANDARD
        .decode(answer["patch"].as_str().expect("a patch"))
        .expect("base64");
    let patch: Vec<Value> = serde_json::from_slice(&patch).expect("a list of operations");
    let value = |path: &str| {
        patch
            .iter()
            .find(|operation| operation["path"] == path)
            .map_or(&Value::Null, |operation| &operation["value"])
    };
    assert_eq!(value("/spec/serviceName"), "app-python-helm");
    assert_eq!(
        value("/spec/volumeClaimTemplates")[0]["metadata"]["name"],
        "app-python-visits"
    );
    for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
        let probe = value(&format!("/spec/template/spec/containers/0/{probe}"));
        assert_eq!(probe["tcpSocket"]["port"], "http");
    }
    let answer = post(&server, folder.path(), "refused.json", "/validate").await;
    assert_eq!(
        (&answer["allowed"], &answer["status"]["reason"]),
        (&false.into(), &"Forbidden".into())
    );
}

#[tokio::test]
async fn the_certificate_is_made_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let read =
        || std::fs::read_to_string(folder.path().join("certs/tls.crt")).expect("a certificate");
    drop(start(folder.path()));
    let first = read();
    drop(start(folder.path()));
    assert_eq!(first, read());
}

#[cfg(unix)]
#[test]
fn it_stops_when_it_is_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = start(folder.path());
    let told = Command::new("kill")
        .arg(server.child.id().to_string())
        .status()
        .expect("kill runs");
    assert!(told.success());
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut server.stderr, &mut rest).expect("text until it ends");
    assert!(server.child.wait().expect("it ends").success(), "{rest}");
    assert!(rest.contains("Stopping"), "{rest}");
}
