//! `steadfast certs`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{folder, run_in};

/// Shakes hands in memory: the server with the pair of the folder, the client trusting its authority alone.
fn handshake(folder: &Path, name: &str) -> Result<(), rustls::Error> {
    let certificate =
        |file| CertificateDer::from_pem_file(folder.join(file)).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("tls.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate("ca.crt"))?;
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate("tls.crt")], key)?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).expect("it is memory");
        server.read_tls(&mut &*wire).expect("it is memory");
        server.process_new_packets()?;
        wire.clear();
        server.write_tls(&mut wire).expect("it is memory");
        client.read_tls(&mut &*wire).expect("it is memory");
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn the_pair_serves_its_names_and_no_others() {
    let files = folder(&[]);
    let certs = [
        "certs",
        "made",
        "--name",
        "steadfast.ops.svc",
        "--name",
        "10.0.0.7",
    ];
    run_in(files.path(), &certs, "")
        .ends(0)
        .complains("made/tls.crt");
    let made = files.path().join("made");
    handshake(&made, "steadfast.ops.svc").expect("the name is in the certificate");
    handshake(&made, "10.0.0.7").expect("the address is in the certificate");
    let error = handshake(&made, "other.ops.svc").expect_err("the name is not");
    assert!(
        matches!(error, rustls::Error::InvalidCertificate(_)),
        "{error}"
    );
    // Another authority's word counts for nothing.
    run_in(files.path(), &["certs", "other"], "").ends(0);
    fs::copy(files.path().join("other/ca.crt"), made.join("ca.crt")).expect("a copy");
    handshake(&made, "steadfast.ops.svc").expect_err("signed by somebody else");
}

#[test]
fn a_second_run_keeps_the_authority() {
    let files = folder(&[]);
    let read = |name: &str| fs::read(files.path().join("certs").join(name)).expect("it is there");
    run_in(files.path(), &["certs"], "").ends(0);
    let before = ["ca.crt", "ca.key", "tls.crt", "tls.key"].map(read);
    run_in(files.path(), &["certs", "--days", "30"], "").ends(0);
    let after = ["ca.crt", "ca.key", "tls.crt", "tls.key"].map(read);
    assert_eq!(before[..2], after[..2]);
    assert_ne!(before[2], after[2]);
    assert_ne!(before[3], after[3]);
    handshake(&files.path().join("certs"), "localhost")
        .expect("the old authority signed the new pair");
    let der = CertificateDer::from_pem_slice(&after[2]).expect("a certificate");
    let (_, certificate) = X509Certificate::from_der(&der).expect("a certificate");
    let left = certificate
        .validity()
        .time_to_expiration()
        .expect("it is valid");
    assert_eq!(left.whole_hours() / 24, 29);
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let files = folder(&[]);
    run_in(files.path(), &["certs"], "").ends(0);
    for (name, mode) in [
        ("ca.key", 0o600),
        ("tls.key", 0o600),
        ("ca.crt", 0o644),
        ("tls.crt", 0o644),
    ] {
        let metadata = fs::metadata(files.path().join("certs").join(name)).expect("it is there");
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{name}");
    }
}

#[test]
fn an_authority_without_its_key_signs_nothing() {
    let files = folder(&[]);
    run_in(files.path(), &["certs"], "").ends(0);
    fs::remove_file(files.path().join("certs/ca.key")).expect("it is there");
    run_in(files.path(), &["certs"], "")
        .ends(2)
        .complains("has no key beside it");
}
