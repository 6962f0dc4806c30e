//! Which pairs can be served.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
};
use steadfast::cluster::Unseen;
use x509_parser::asn1_rs::{FromDer as _, OctetString, Sequence};

use crate::raw::tls;
use crate::{params, serve, until};

/// What PKCS#8 wraps: a key of its algorithm's own format, SEC1 or PKCS#1.
fn unwrapped(key: &KeyPair, label: &str) -> String {
    let der = key.serialize_der();
    let (_, outer) = Sequence::from_der(&der).expect("PKCS#8");
    // Version and algorithm come first.
    let (rest, _) = x509_parser::asn1_rs::Any::from_der(&outer.content).expect("a version");
    let (rest, _) = x509_parser::asn1_rs::Any::from_der(rest).expect("an algorithm");
    let (_, inner) = OctetString::from_der(rest).expect("a key");
    let text = STANDARD.encode(inner.as_ref());
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

async fn is_served(what: &str, write: impl FnOnce(&Path, &crate::Authority)) {
    let server = serve(Unseen, |settings, folder| {
        settings.sockets.tls = crate::files(&folder.join("other"));
        fs::create_dir(folder.join("other")).expect("a folder");
    })
    .await;
    write(&server.folder.path().join("other"), &server.authority);
    until(async || server.status("/readyz").await.0.is_success()).await;
    let stream = tls(&server, "http/1.1").await;
    stream.unwrap_or_else(|error| panic!("{what}: {error}"));
}

#[tokio::test]
async fn every_usual_kind_of_key_is_served() {
    for (what, algorithm, label) in [
        ("ECDSA P-256, PKCS#8", &PKCS_ECDSA_P256_SHA256, None),
        (
            "ECDSA P-256, SEC1",
            &PKCS_ECDSA_P256_SHA256,
            Some("EC PRIVATE KEY"),
        ),
        (
            "ECDSA P-384, SEC1",
            &PKCS_ECDSA_P384_SHA384,
            Some("EC PRIVATE KEY"),
        ),
        ("Ed25519, PKCS#8", &PKCS_ED25519, None),
        ("RSA, PKCS#8", &PKCS_RSA_SHA256, None),
        ("RSA, PKCS#1", &PKCS_RSA_SHA256, Some("RSA PRIVATE KEY")),
    ] {
        is_served(what, |folder, authority| {
            let key = KeyPair::generate_for(algorithm).expect("a key");
            let certificate = params(ExtendedKeyUsagePurpose::ServerAuth)
                .signed_by(&key, authority)
                .expect("a certificate");
            let text = label.map_or_else(|| key.serialize_pem(), |label| unwrapped(&key, label));
            fs::write(folder.join("tls.key"), text).expect("a file");
            fs::write(folder.join("tls.crt"), certificate.pem()).expect("a file");
        })
        .await;
    }
}

#[tokio::test]
async fn a_chain_is_served_whole() {
    is_served("a chain", |folder, authority| {
        let mut between = CertificateParams::new(Vec::new()).expect("no names");
        between.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let between = CertifiedIssuer::signed_by(between, key, authority).expect("a certificate");
        let key = KeyPair::generate().expect("a key");
        let leaf = params(ExtendedKeyUsagePurpose::ServerAuth)
            .signed_by(&key, &between)
            .expect("a certificate");
        fs::write(folder.join("tls.key"), key.serialize_pem()).expect("a file");
        fs::write(folder.join("tls.crt"), leaf.pem() + &between.pem()).expect("a file");
    })
    .await;
}
