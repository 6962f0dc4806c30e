//! The serving pair changes on disk while the server runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use reqwest::StatusCode;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use steadfast::cluster::Unseen;

use crate::raw::tls;
use crate::{Authority, Running, bare, pair, params, serve, until};

/// What a new connection is shown.
async fn shown(server: &Running) -> Option<CertificateDer<'static>> {
    let stream = tls(server, "http/1.1").await.ok()?;
    let chain = stream.get_ref().1.peer_certificates()?;
    Some(chain[0].clone().into_owned())
}

fn on_disk(file: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file).expect("a certificate")
}

/// Writes a pair as the kubelet mounts a Secret: a folder of this version, and a symlink that is swapped to it.
fn mount(authority: &Authority, folder: &Path, version: u8) {
    let secret = folder.join(format!("..version-{version}"));
    fs::create_dir(&secret).expect("a folder");
    pair(
        authority,
        &secret,
        "tls",
        ExtendedKeyUsagePurpose::ServerAuth,
    );
    symlink(&secret, folder.join("..data_tmp")).expect("a symlink");
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("it is swapped");
}

/// A folder beside the server's own, with the pair as a Secret in it.
fn mounted(authority: &Authority, folder: &Path) -> PathBuf {
    let mount_path = folder.join("secret");
    fs::create_dir(&mount_path).expect("a folder");
    mount(authority, &mount_path, 0);
    for file in ["tls.crt", "tls.key"] {
        symlink(Path::new("..data").join(file), mount_path.join(file)).expect("a symlink");
    }
    mount_path
}

#[tokio::test]
async fn three_swaps_of_a_mounted_secret_are_followed_and_no_connection_is_lost() {
    let mut mount_path = PathBuf::new();
    let server = serve(Unseen, |settings, folder| {
        mount_path = folder.join("secret");
        fs::create_dir(&mount_path).expect("a folder");
        settings.sockets.tls = crate::files(&mount_path);
    });
    // Not there yet: it starts, and is not ready.
    let server = server.await;
    let (status, why) = server.status("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        why,
        "not ready: certificate, key or client authority is not there yet\n"
    );
    assert_eq!(server.status("/livez").await.0, StatusCode::OK);
    fs::remove_dir(&mount_path).expect("an empty folder");
    mounted(&server.authority, server.folder.path());
    until(async || server.status("/readyz").await.0 == StatusCode::OK).await;

    let client = server.client(reqwest::ClientBuilder::http1_only);
    let ask = async || {
        let request = client.post(format!("https://{}/mutate", server.webhook));
        let request = request.header("content-type", "application/json");
        let answer = request.body(bare()).send().await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
    };
    ask().await;
    for version in 1..=3 {
        mount(&server.authority, &mount_path, version);
        let new = on_disk(&mount_path.join("tls.crt"));
        until(async || shown(&server).await.as_ref() == Some(&new)).await;
        ask().await;
    }
    let (_, metrics) = server.status("/metrics").await;
    let counted = r#"steadfast_certificate_reloads_total{outcome="served"} 4"#;
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn what_cannot_be_served_leaves_the_old_pair_in_place() {
    let server = serve(Unseen, |_, _| {}).await;
    let folder = server.folder.path();
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    let old = shown(&server).await;
    let read = |file: &Path| fs::read_to_string(file).expect("a file");
    pair(
        &server.authority,
        folder,
        "new",
        ExtendedKeyUsagePurpose::ServerAuth,
    );
    let (new_certificate, new_key) = (read(&folder.join("new.crt")), read(&folder.join("new.key")));

    let mut failed = 0;
    for (file, text) in [
        (&certificate, &new_certificate[..new_certificate.len() / 2]),
        (&certificate, ""),
        (&certificate, &new_certificate),
        (
            &key,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ),
    ] {
        fs::write(file, text).expect("a file");
        failed += 1;
        let counted = format!("certificate_reloads_total{{outcome=\"failed\"}} {failed}\n");
        until(async || server.status("/metrics").await.1.contains(&counted)).await;
        assert_eq!(shown(&server).await, old, "{text}");
        assert_eq!(server.status("/readyz").await.0, StatusCode::OK);
    }
    fs::remove_file(&key).expect("it is there");
    // Overwritten in place, it is whole again.
    fs::write(&key, &new_key).expect("a file");
    let new = on_disk(&certificate);
    until(async || shown(&server).await.as_ref() == Some(&new)).await;
}

/// A pair that expired long ago.
fn expired(folder: &Path) {
    let mut params = params(ExtendedKeyUsagePurpose::ServerAuth);
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
    let key = rcgen::KeyPair::generate().expect("a key");
    let expired = params.self_signed(&key).expect("a certificate");
    fs::write(folder.join("tls.key"), key.serialize_pem()).expect("a file");
    fs::write(folder.join("tls.crt"), expired.pem()).expect("a file");
}

#[tokio::test]
async fn with_an_expired_pair_alone_the_process_is_not_ready() {
    let server = serve(Unseen, |_, folder| expired(folder)).await;
    let (status, why) = server.status("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(why, "not ready: the certificate has expired\n");
    let (_, metrics) = server.status("/metrics").await;
    let expiry = "steadfast_certificate_expiry_timestamp_seconds 1009843200.0";
    assert!(metrics.contains(expiry), "{metrics}");
}

#[tokio::test]
async fn a_valid_pair_is_not_given_up_for_an_expired_one() {
    let server = serve(Unseen, |_, _| {}).await;
    let old = shown(&server).await;
    expired(server.folder.path());
    let counted = "certificate_reloads_total{outcome=\"failed\"}";
    until(async || server.status("/metrics").await.1.contains(counted)).await;
    assert_eq!(shown(&server).await, old);
    assert_eq!(server.status("/readyz").await.0, StatusCode::OK);
}
