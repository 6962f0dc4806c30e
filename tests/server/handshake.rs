//! Who is let in, over which protocol, with which pair.

use rcgen::ExtendedKeyUsagePurpose;
use reqwest::{Client, Identity, StatusCode, Version};
use serde_json::Value;
use steadfast::cluster::Unseen;
use steadfast::server::tls;

use crate::{authority, bare, files, pair, serve};

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
async fn clients_need_a_certificate_where_an_authority_is_named() {
    let server = serve(Unseen, |settings, folder| {
        settings.sockets.tls.client_ca = Some(folder.join("ca.crt"));
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
