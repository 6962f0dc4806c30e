//! `steadfast certs`: a certificate authority and a serving pair.

use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::Outcome;

/// Make or renew a certificate authority and a serving pair.
///
/// Writes ca.crt, ca.key, tls.crt and tls.key. An authority that is there is kept, so that the bundle that the cluster
/// has stays right, and only the serving pair is made anew.
#[derive(Args, Debug)]
pub(super) struct Certs {
    /// The folder to write to
    #[arg(default_value = "certs", value_name = "DIR")]
    folder: PathBuf,
    /// A DNS name or address of the server, such as steadfast.steadfast-system.svc; repeatable
    /// [default: those of the pair that is there, else localhost, 127.0.0.1, ::1]
    #[arg(long = "name", value_name = "NAME", value_parser = name, hide_default_value = true)]
    names: Vec<String>,
    /// Days that the serving certificate is valid
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
}

/// Where a server on this machine is reached.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Days that a new authority is valid: it outlives every pair that it signs.
const CA_DAYS: i64 = 3660;

/// How far back validity begins: clocks differ.
const BACKDATED: Duration = Duration::hours(1);

impl Certs {
    pub(super) fn run(mut self) -> Result<Outcome> {
        if self.names.is_empty() {
            self.names = names_in(&self.folder.join("tls.crt"))
                .unwrap_or_else(|| LOOPBACK.map(str::to_owned).to_vec());
        }
        self.make()?;
        let folder = self.folder.display();
        writeln!(
            anstream::stderr(),
            "wrote {folder}/tls.crt and {folder}/tls.key for {}, signed by {folder}/ca.crt",
            self.names.join(", ")
        )?;
        Ok(Outcome::Clean)
    }

    /// The pair for `serve --dev`, made anew where there is none that is still valid.
    pub(super) fn for_development(folder: &Path) -> Result<(PathBuf, PathBuf)> {
        let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
        if !key.exists() || !is_valid(&certificate) {
            let certs = Self {
                folder: folder.to_owned(),
                names: LOOPBACK.map(str::to_owned).to_vec(),
                days: 365,
            };
            certs.run()?;
            // Wherever it is started: a key must not get into anybody's repository.
            write(&folder.join(".gitignore"), "*\n", false)?;
        }
        Ok((certificate, key))
    }

    fn make(&self) -> Result<()> {
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("cannot make {}", self.folder.display()))?;
        let issuer = self.authority()?;
        let mut params = CertificateParams::new(self.names.clone())
            .context("a --name that no certificate can bear")?;
        params
            .distinguished_name
            .push(DnType::CommonName, "steadfast");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = validity(self.days.into());
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?;
        // The key first: a server that reads in between finds a pair that does not fit, and waits.
        write(&self.folder.join("tls.key"), &key.serialize_pem(), true)?;
        write(&self.folder.join("tls.crt"), &certificate.pem(), false)
    }

    /// The authority in the folder, or a new one.
    fn authority(&self) -> Result<Issuer<'static, KeyPair>> {
        let (certificate, key) = (self.folder.join("ca.crt"), self.folder.join("ca.key"));
        match (certificate.exists(), key.exists()) {
            (true, true) if is_valid(&certificate) => {
                let read = |file: &Path| {
                    fs::read_to_string(file)
                        .with_context(|| format!("cannot read {}", file.display()))
                };
                let key_pair = KeyPair::from_pem(&read(&key)?)
                    .with_context(|| format!("{} is no private key", key.display()))?;
                Issuer::from_ca_cert_pem(&read(&certificate)?, key_pair).with_context(|| {
                    format!("{} is no authority's certificate", certificate.display())
                })
            }
            (true, true) => bail!(
                "{} has expired; remove it and its key for a new authority",
                certificate.display()
            ),
            (true, false) => bail!(
                "{} has no key beside it, so it can sign nothing; choose another folder",
                certificate.display()
            ),
            (false, _) => {
                let mut params = CertificateParams::new(Vec::new())?;
                params
                    .distinguished_name
                    .push(DnType::CommonName, "steadfast certificate authority");
                params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
                params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
                (params.not_before, params.not_after) = validity(CA_DAYS);
                let key_pair = KeyPair::generate()?;
                let authority = params.self_signed(&key_pair)?;
                write(&key, &key_pair.serialize_pem(), true)?;
                write(&certificate, &authority.pem(), false)?;
                Ok(Issuer::new(params, key_pair))
            }
        }
    }
}

fn validity(days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::now_utc();
    (now - BACKDATED, now + Duration::days(days))
}

/// Whether a file is a certificate that is valid now.
fn is_valid(file: &Path) -> bool {
    CertificateDer::from_pem_file(file).is_ok_and(|der| {
        X509Certificate::from_der(&der)
            .is_ok_and(|(_, certificate)| certificate.validity().is_valid())
    })
}

/// A name that clients can ask for.
fn name(text: &str) -> Result<String, String> {
    let name = ServerName::try_from(text.to_owned());
    name.map(|_| text.to_owned()).map_err(|_| {
        "expected a DNS name or an IP address, such as steadfast.steadfast-system.svc".to_owned()
    })
}

/// The names that a certificate is for; none where there is no certificate.
fn names_in(file: &Path) -> Option<Vec<String>> {
    let der = CertificateDer::from_pem_file(file).ok()?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => Some(IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?).to_string()),
            _ => Some(IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?).to_string()),
        },
        _ => None,
    };
    Some(names.value.general_names.iter().filter_map(text).collect())
}

/// Writes a file by way of a new one beside it, so that nobody reads half of it.
fn write(file: &Path, text: &str, secret: bool) -> Result<()> {
    let fail = || format!("cannot write {}", file.display());
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    let part = folder.join(format!(
        ".{}.part",
        file.file_name().unwrap_or_default().to_string_lossy()
    ));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if secret { 0o600 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = secret;
    options
        .open(&part)
        .and_then(|mut out| out.write_all(text.as_bytes()))
        .with_context(fail)?;
    fs::rename(&part, file).with_context(fail)
}
