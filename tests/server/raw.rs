//! A client that does as it likes: bytes over TCP, or over TLS.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Running;

/// Far longer than any limit that a test sets.
const ENOUGH: Duration = Duration::from_secs(20);

pub(crate) async fn tcp(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.webhook).await;
    stream.expect("a connection")
}

/// A handshake that is through; an error where the server turns it away.
pub(crate) async fn tls(server: &Running, alpn: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let pem = server.authority.pem();
    let root = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
    roots.add(root).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.3");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let name = "localhost".try_into().expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, tcp(server).await).await
}

/// The head of a review whose body has this length.
pub(crate) fn head(length: usize) -> String {
    format!(
        "POST /mutate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// Everything that the server sends until it closes the connection, which it must do.
pub(crate) async fn rest(mut stream: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut all = Vec::new();
    let read = async {
        let mut piece = [0; 4096];
        // That it is reset, or ends without a word of TLS, is an end as well.
        while let Ok(length) = stream.read(&mut piece).await {
            if length == 0 {
                break;
            }
            all.extend_from_slice(&piece[..length]);
        }
    };
    let ended = timeout(ENOUGH, read).await;
    ended.expect("the server closes the connection");
    String::from_utf8_lossy(&all).into_owned()
}

/// Sends a piece again and again until the server closes the connection, which it must do; returns what it said.
pub(crate) async fn dribble(mut stream: TlsStream<TcpStream>, piece: &[u8]) -> String {
    let (mut reader, mut writer) = tokio::io::split(&mut stream);
    let mut all = Vec::new();
    let sends = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            if writer.write_all(piece).await.is_err() || writer.flush().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let reads = async { drop(reader.read_to_end(&mut all).await) };
    let ended = timeout(ENOUGH, async {
        tokio::select! { () = reads => (), () = sends => () }
    });
    ended.await.expect("the server closes the connection");
    String::from_utf8_lossy(&all).into_owned()
}
