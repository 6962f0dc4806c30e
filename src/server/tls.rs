//! The serving pair, from PEM files to a TLS configuration.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier};

/// Where the serving pair is, and whom to ask for a certificate.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate, with its chain.
    pub certificate: PathBuf,
    /// Its key: PKCS#8, SEC1 or PKCS#1.
    pub key: PathBuf,
    /// The authority of the clients' certificates, where they must have one.
    pub client_ca: Option<PathBuf>,
}

/// Why a pair cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("cannot read {what} from {}: {error}", .file.display())]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// Where.
        file: PathBuf,
        /// What is wrong.
        error: pem::Error,
    },
    /// A file has nothing of what it should.
    #[error("{} holds no certificate", .0.display())]
    Empty(PathBuf),
    /// A certificate is not one that says until when it holds.
    #[error("cannot read the certificate in {}: {error}", .file.display())]
    Certificate {
        /// Its file.
        file: PathBuf,
        /// What is wrong.
        error: String,
    },
    /// Certificate and key do not go together, or are of a kind that cannot be served.
    #[error("cannot serve {} with {}: {}", .certificate.display(), .key.display(), why(.error))]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        error: rustls::Error,
    },
    /// The clients' authority is of no use.
    #[error("cannot check clients by {}: {error}", .file.display())]
    ClientCa {
        /// Its file.
        file: PathBuf,
        /// What is wrong.
        error: String,
    },
}

/// What is wrong with a pair, in words for who made it.
fn why(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "the key is not that of the first certificate in the file, which must be the server's own"
                .to_owned()
        }
        error => error.to_string(),
    }
}

impl TlsError {
    /// Whether a file is merely not there, as before the first certificate is issued.
    #[must_use]
    pub fn is_not_there(&self) -> bool {
        let Self::Pem { error, .. } = self else {
            return false;
        };
        matches!(error, pem::Error::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// A pair that can be served.
#[derive(Debug)]
pub struct Pair {
    /// With it.
    pub config: Arc<ServerConfig>,
    /// When all certificates of its chain are valid.
    pub valid: Range<SystemTime>,
}

impl Files {
    /// Reads the files. A key that does not fit its certificate is an error here, never at a handshake.
    pub fn load(&self) -> Result<Pair, TlsError> {
        let chain = certificates(&self.certificate)?;
        let valid = validity(&chain).map_err(|error| TlsError::Certificate {
            file: self.certificate.clone(),
            error,
        })?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| TlsError::Pem {
            what: "a private key that is not encrypted",
            file: self.key.clone(),
            error,
        })?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = match &self.client_ca {
            None => builder().with_no_client_auth(),
            Some(file) => {
                let fail = |error: String| TlsError::ClientCa {
                    file: file.clone(),
                    error,
                };
                let mut roots = RootCertStore::empty();
                for certificate in certificates(file)? {
                    roots
                        .add(certificate)
                        .map_err(|error| fail(error.to_string()))?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder()
                    .with_client_cert_verifier(verifier.map_err(|error| fail(error.to_string()))?)
            }
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| TlsError::Pair {
                certificate: self.certificate.clone(),
                key: self.key.clone(),
                error,
            })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Pair {
            config: Arc::new(config),
            valid,
        })
    }
}

/// From when until when all of these certificates are valid.
fn validity(chain: &[CertificateDer<'_>]) -> Result<Range<SystemTime>, String> {
    let seconds = |timestamp| u64::try_from(timestamp).unwrap_or_default();
    let (mut last_start, mut first_end) = (0, u64::MAX);
    for certificate in chain {
        let (_, certificate) =
            x509_parser::parse_x509_certificate(certificate).map_err(|error| error.to_string())?;
        let validity = certificate.validity();
        last_start = last_start.max(seconds(validity.not_before.timestamp()));
        first_end = first_end.min(seconds(validity.not_after.timestamp()));
    }
    let time = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    let valid = time(last_start).zip(time(first_end));
    let (start, end) = valid.ok_or_else(|| "it never expires".to_owned())?;
    Ok(start..end)
}

/// A configuration with which every handshake fails, until there is a pair.
pub(super) fn nothing_to_serve() -> ServerConfig {
    #[derive(Debug)]
    struct Nothing;
    impl ResolvesServerCert for Nothing {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            None
        }
    }
    builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Nothing))
}

fn builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows TLS 1.2 and 1.3")
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fail = |error| TlsError::Pem {
        what: "certificates",
        file: file.to_owned(),
        error,
    };
    let found: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(fail)?
        .collect::<Result<_, _>>()
        .map_err(fail)?;
    if found.is_empty() {
        Err(TlsError::Empty(file.to_owned()))
    } else {
        Ok(found)
    }
}
