//! Clients that mean harm, or are broken: each is answered or closed in time, and the next is served.

use std::time::Duration;

use reqwest::StatusCode;
use steadfast::cluster::Unseen;
use steadfast::server::Limits;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::raw::{dribble, head, rest, tcp, tls};
use crate::{Running, bare, serve, until};

/// A server with little patience.
async fn strict() -> Running {
    let soon = Duration::from_millis(300);
    with(Limits {
        handshake: soon,
        first_request: soon,
        idle: soon * 2,
        body: soon,
        ..Limits::default()
    })
    .await
}

async fn with(limits: Limits) -> Running {
    serve(Unseen, |settings, _| settings.sockets.limits = limits).await
}

async fn is_served(server: &Running) {
    let (status, _) = server.post("/mutate", "application/json", bare()).await;
    assert_eq!(status, StatusCode::OK, "the next one is served");
    let (_, metrics) = server.status("/metrics").await;
    let running = r#"steadfast_requests_in_flight{phase="mutate"} 0"#;
    assert!(metrics.contains(running), "{metrics}");
}

/// A connection on which this much was sent.
async fn sent(server: &Running, bytes: &[u8]) -> TlsStream<TcpStream> {
    let mut stream = tls(server, "http/1.1").await.expect("a handshake");
    stream.write_all(bytes).await.expect("it is sent");
    stream
}

#[tokio::test]
async fn whoever_says_nothing_is_closed() {
    let server = strict().await;
    assert_eq!(rest(tcp(&server).await).await, "", "no handshake");
    for alpn in ["http/1.1", "h2"] {
        let stream = tls(&server, alpn).await.expect("a handshake");
        let said = rest(stream).await;
        assert!(!said.contains("200"), "{alpn}, no request: {said}");
    }
    is_served(&server).await;
}

#[tokio::test]
async fn half_a_request_is_closed_or_told() {
    let server = strict().await;
    let stream = sent(&server, b"POST /mutate HTT").await;
    rest(stream).await;
    let mut stream = tls(&server, "http/1.1").await.expect("a handshake");
    let half = head(1000) + "{\"apiVersion\":";
    stream.write_all(half.as_bytes()).await.expect("sent");
    let said = rest(stream).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("took longer than"), "{said}");
    is_served(&server).await;
}

/// A byte now and then keeps no connection open.
#[tokio::test]
async fn whoever_is_slow_is_closed_or_told() {
    let server = strict().await;
    let stream = sent(&server, b"POST /mutate HTTP/1.1\r\nx: ").await;
    dribble(stream, b"x").await;
    let stream = sent(&server, head(100_000).as_bytes()).await;
    let said = dribble(stream, b" ").await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    is_served(&server).await;
}

#[tokio::test]
async fn whoever_only_answers_pings_is_closed() {
    /// The preface, no settings of our own, and `GET /` as the first and only request.
    const ONE_REQUEST: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
        \0\0\0\x04\0\0\0\0\0\
        \0\0\x0e\x01\x05\0\0\0\x01\x82\x84\x87\x41\x09localhost";
    /// The answer to any ping of the server's: its HTTP/2 library asks with the same eight bytes each time.
    const PONG: &[u8] = b"\0\0\x08\x06\x01\0\0\0\0\x3b\x7c\xdb\x7a\x0b\x87\x16\xb4";
    let server = strict().await;
    let mut stream = tls(&server, "h2").await.expect("a handshake");
    stream.write_all(ONE_REQUEST).await.expect("it is taken");
    dribble(stream, PONG).await;
    is_served(&server).await;
}

#[tokio::test]
async fn an_endless_header_is_refused() {
    let server = strict().await;
    let stream = sent(&server, b"POST /mutate HTTP/1.1\r\nx: ").await;
    let said = dribble(stream, &[b'x'; 16 << 10]).await;
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 431"),
        "{said}"
    );
    is_served(&server).await;
}

#[tokio::test]
async fn resets_and_noise_leave_nothing_behind() {
    let server = strict().await;
    for number in 0..64_u8 {
        let mut stream = tcp(&server).await;
        let noise: Vec<u8> = (0..200)
            .map(|at: u8| at.wrapping_mul(number | 1) ^ number)
            .collect();
        let _ = stream.write_all(&noise).await;
        let mut half = tls(&server, "http/1.1").await.expect("a handshake");
        let request = head(5_000) + "{\"kind\"";
        half.write_all(request.as_bytes()).await.expect("sent");
        half.get_ref()
            .0
            .set_zero_linger()
            .expect("a socket that resets");
        drop(half);
        rest(stream).await;
    }
    is_served(&server).await;
    let (_, metrics) = server.status("/metrics").await;
    assert!(metrics.contains("steadfast_panics_total 0"), "{metrics}");
}

#[tokio::test]
async fn bodies_have_room_for_so_many_together() {
    let limits = Limits {
        bodies_bytes: 100_000,
        ..Limits::default()
    };
    let server = with(limits).await;
    let mut greedy = tls(&server, "http/1.1").await.expect("a handshake");
    greedy
        .write_all(head(95_001).as_bytes())
        .await
        .expect("sent");
    greedy.write_all(&vec![b' '; 95_000]).await.expect("sent");
    greedy.flush().await.expect("sent");
    let client = server.client(|client| client);
    let large = || {
        let request = client.post(format!("https://{}/mutate", server.webhook));
        let request = request.header("content-type", "application/json");
        request.body(bare() + &" ".repeat(20_000)).send()
    };
    // The greedy one's bytes may take a moment to arrive.
    until(async || large().await.expect("an answer").status() != StatusCode::OK).await;
    let refused = large().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().get("retry-after").is_none());
    let (status, _) = server.post("/mutate", "application/json", bare()).await;
    assert_eq!(status, StatusCode::OK, "small ones still fit");
    drop(greedy);
    until(async || large().await.expect("an answer").status() == StatusCode::OK).await;
}

#[tokio::test]
async fn connections_have_room_for_so_many() {
    let server = with(Limits {
        connections: 3,
        ..Limits::default()
    })
    .await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(tls(&server, "http/1.1").await.expect("a handshake"));
    }
    tls(&server, "http/1.1")
        .await
        .expect_err("there is no place");
    let (_, metrics) = server.status("/metrics").await;
    let counted = "steadfast_connections_turned_away_total 1";
    assert!(metrics.contains(counted), "{metrics}");
    open.pop();
    // The server may take a moment to notice.
    until(async || tls(&server, "http/1.1").await.is_ok()).await;
}
