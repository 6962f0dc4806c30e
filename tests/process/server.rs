//! The real process, and what is known of it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use reqwest::{Certificate, Client};

/// Far longer than any limit of the server's.
pub(crate) const ENOUGH: Duration = Duration::from_secs(20);

/// The process, ended with the test, and what it says.
pub(crate) struct Server {
    child: Child,
    pub(crate) webhook: String,
    pub(crate) status: String,
    root: Certificate,
    /// What it writes, a line each, to its end.
    lines: Receiver<String>,
    /// What of that was read.
    seen: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the server with a pair in `folder` and this environment, and waits for its ready line.
pub(crate) fn start(folder: &Path, arguments: &[&str], environment: &[(&str, &Path)]) -> Server {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let pair = rcgen::generate_simple_self_signed(names).expect("a pair");
    let [certificate, key] = ["tls.crt", "tls.key"].map(|name| folder.join(name));
    std::fs::write(&certificate, pair.cert.pem()).expect("a file");
    std::fs::write(&key, pair.signing_key.serialize_pem()).expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_steadfast"))
        .args([
            "serve",
            "--listen=127.0.0.1:0",
            "--status-listen=127.0.0.1:0",
        ])
        .args([
            Path::new("--tls-cert"),
            &certificate,
            Path::new("--tls-key"),
            &key,
        ])
        .args(arguments)
        .envs(environment.iter().copied())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let (line, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for said in stderr.lines().map_while(Result::ok) {
            let _ = line.send(said);
        }
    });
    let mut seen = Vec::new();
    let said = wait_for(" serves ", &lines, &mut seen);
    let address = |scheme: &str| {
        let (_, rest) = said.split_once(scheme).expect("an address");
        let end = rest.find([' ', ',']).unwrap_or(rest.len());
        format!("{scheme}{}", &rest[..end])
    };
    Server {
        webhook: address("https://"),
        status: address("http://"),
        root: Certificate::from_pem(pair.cert.pem().as_bytes()).expect("a certificate"),
        child,
        lines,
        seen,
    }
}

/// The next line with these words.
fn wait_for(words: &str, lines: &Receiver<String>, seen: &mut Vec<String>) -> String {
    loop {
        let line = lines.recv_timeout(ENOUGH);
        let line = line.unwrap_or_else(|error| panic!("{error}: no {words:?} in {seen:#?}"));
        seen.push(line.clone());
        if line.contains(words) {
            return line;
        }
    }
}

impl Server {
    /// A client that keeps one connection.
    pub(crate) fn client(&self) -> Client {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::builder().tls_certs_only([self.root.clone()]);
        let client = client.pool_max_idle_per_host(1).timeout(ENOUGH);
        client.build().expect("a client")
    }

    /// Waits until it has written a line with these words.
    pub(crate) fn says(&mut self, words: &str) {
        wait_for(words, &self.lines, &mut self.seen);
    }

    /// The most memory that the process ever had, in KiB; where the system does not tell, none.
    pub(crate) fn peak(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }

    /// Every line that it wrote until it was ended.
    pub(crate) fn log(mut self) -> Vec<String> {
        assert!(
            self.child.try_wait().expect("it is ours").is_none(),
            "it runs to the end"
        );
        self.child.kill().expect("it runs");
        let mut log = std::mem::take(&mut self.seen);
        log.extend(self.lines.iter());
        log
    }
}
