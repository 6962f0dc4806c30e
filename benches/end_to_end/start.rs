//! The start: from the process to the first 200 of `/readyz`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;

use super::child::Server;
use super::page::{head, row, spread};
use super::plan::Plan;

/// Measures, and says so in a table.
pub(crate) fn table(plan: &Plan, folder: &Path) -> String {
    let (mut times, mut used, mut resident) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.starts {
        let start = Instant::now();
        let server = Server::product(folder);
        while !is_ready(&server) {}
        times.push(start.elapsed().as_secs_f64() * 1e3);
        used.push(server.used().as_secs_f64() * 1e3);
        resident.push(server.resident().0);
    }
    eprintln!("start: {} times", plan.starts);
    let titles = [
        "starts",
        "ms to the first 200 of `/readyz`",
        "CPU ms",
        "RSS MiB then",
        "aim",
    ];
    head(&titles)
        + &row([
            plan.starts.to_string(),
            spread(times, 1),
            spread(used, 1),
            spread(resident, 1),
            "50 ms".to_owned(),
        ])
}

/// Whether `/readyz` says so now.
fn is_ready(server: &Server) -> bool {
    let mut answer = String::new();
    let mut stream = TcpStream::connect(server.status).expect("it listens");
    let request = b"GET /readyz HTTP/1.1\r\nhost: steadfast\r\nconnection: close\r\n\r\n";
    stream.write_all(request).expect("it reads");
    stream.read_to_string(&mut answer).expect("it answers");
    answer.starts_with("HTTP/1.1 200 ")
}
