//! Asking once, as a kubelet does: a command, a page or a connection.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// As many redirects to itself as a kubelet follows.
const REDIRECTS: usize = 10;

/// How to ask a server on this machine.
#[derive(Clone, Debug)]
pub(crate) enum Handler {
    Tcp(u16),
    Http(u16, String),
    Exec(Vec<String>),
}

impl Handler {
    /// That of a probe, whose ports are numbers.
    pub(crate) fn of(probe: &Value) -> Self {
        let port = |asked: &Value| {
            let number = asked["port"].as_u64().and_then(|port| port.try_into().ok());
            number.unwrap_or_else(|| panic!("no port number: {probe}"))
        };
        let (tcp, http) = (&probe["tcpSocket"], &probe["httpGet"]);
        if !tcp.is_null() {
            return Self::Tcp(port(tcp));
        }
        if !http.is_null() {
            assert_eq!(http["scheme"], "HTTP", "{probe}");
            let path = http["path"].as_str().unwrap_or("/");
            return Self::Http(port(http), path.to_owned());
        }
        let command = probe["exec"]["command"].as_array();
        let words = command.unwrap_or_else(|| panic!("no handler is known: {probe}"));
        Self::Exec(
            words
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Whether it answers well within the time.
    pub(crate) fn ask(&self, timeout: Duration) -> bool {
        match self {
            Self::Tcp(port) => TcpStream::connect_timeout(&loopback(*port), timeout).is_ok(),
            Self::Http(port, path) => page(*port, path, timeout),
            Self::Exec(command) => ends_well(command, timeout),
        }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// 200 to 399; a redirect to itself is followed, one to another host counts as it stands.
fn page(port: u16, path: &str, timeout: Duration) -> bool {
    let end = Instant::now() + timeout;
    let mut path = path.to_owned();
    for _ in 0..REDIRECTS {
        let Some((status, location)) = head(port, &path, end) else {
            return false;
        };
        let own = format!("http://127.0.0.1:{port}/");
        let next = location.filter(|_| (300..400).contains(&status));
        let next = next.and_then(|to| {
            let rest = to.strip_prefix(&own).map(|rest| format!("/{rest}"));
            rest.or_else(|| to.starts_with('/').then_some(to))
        });
        let Some(next) = next else {
            return (200..400).contains(&status);
        };
        path = next;
    }
    false
}

/// Status and `Location` of an answer.
fn head(port: u16, path: &str, end: Instant) -> Option<(u16, Option<String>)> {
    // No time left is an error of the socket's, as it should be.
    let left = || end.saturating_duration_since(Instant::now());
    let mut stream = TcpStream::connect_timeout(&loopback(port), left()).ok()?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: kube-probe/test\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.get_ref().set_read_timeout(Some(left())).ok()?;
        reader.read_line(&mut line).ok()?;
        Some(line)
    };
    let status = line()?.split(' ').nth(1)?.parse().ok()?;
    let mut location = None;
    loop {
        let line = line()?;
        match line.trim().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("location") => {
                location = Some(value.trim().to_owned());
            }
            Some(_) => {}
            None => return Some((status, location)),
        }
    }
}

/// Exit code 0 in time; what takes longer is ended, with all that it started.
fn ends_well(command: &[String], timeout: Duration) -> bool {
    let mut child = Command::new(&command[0]);
    let child = child.args(&command[1..]).process_group(0);
    let child = child
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut child) = child.spawn() else {
        return false;
    };
    let group = format!("-{}", child.id());
    let (ended, end) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let _ = ended.send(child.wait().is_ok_and(|status| status.success()));
    });
    let answer = end.recv_timeout(timeout);
    if answer.is_err() {
        let _ = Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status();
    }
    waiting.join().expect("a wait does not panic");
    answer.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    fn exec(script: &str, timeout: Duration) -> bool {
        Handler::Exec(["sh", "-c", script].map(str::to_owned).to_vec()).ask(timeout)
    }

    /// Asks a server that gives these answers, one after the other, to what follows `GET`.
    fn page(answers: &'static [(&str, &str)]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let serving = thread::spawn(move || {
            for (path, answer) in answers {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut line = String::new();
                let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
                reader.read_line(&mut line).expect("a request");
                assert!(line.starts_with(&format!("GET {path} ")), "{line}");
                while reader.read_line(&mut line).is_ok_and(|length| length > 2) {}
                let answer = answer.replace("PORT", &port.to_string());
                let _ = write!(stream, "HTTP/1.1 {answer}\r\n\r\n");
            }
        });
        let answer = Handler::Http(port, "/a?b=c".to_owned()).ask(TIMEOUT);
        serving.join().expect("every answer was asked for");
        answer
    }

    #[test]
    fn a_command_must_end_well_and_in_time() {
        assert!(exec("exit 0", TIMEOUT));
        assert!(!exec("exit 1", TIMEOUT));
        let start = Instant::now();
        assert!(!exec(
            "tail -f /dev/null; exit 0",
            Duration::from_millis(100)
        ));
        assert!(
            start.elapsed() < TIMEOUT,
            "it waited for what the command started"
        );
        assert!(!Handler::Exec(vec!["/no/such/program".to_owned()]).ask(TIMEOUT));
    }

    #[test]
    fn a_page_must_be_there() {
        assert!(page(&[("/a?b=c", "200 OK")]));
        assert!(page(&[("/a?b=c", "399 Odd")]));
        assert!(!page(&[("/a?b=c", "400 Bad Request")]));
        assert!(!page(&[("/a?b=c", "503 Service Unavailable")]));
        assert!(!page(&[("/a?b=c", "100 Odd")]));
    }

    #[test]
    fn redirects_are_followed_on_the_same_host_only() {
        assert!(page(&[(
            "/a?b=c",
            "302 Found\r\nLocation: http://example.com/"
        )]));
        assert!(!page(&[
            ("/a?b=c", "302 Found\r\nLocation: /x"),
            ("/x", "500 Broken")
        ]));
        assert!(page(&[
            ("/a?b=c", "302 Found\r\nlocation: http://127.0.0.1:PORT/x"),
            ("/x", "200 OK")
        ]));
    }

    #[test]
    fn a_connection_is_enough() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert!(Handler::Tcp(port).ask(TIMEOUT));
        // It accepts, and never answers.
        assert!(!Handler::Http(port, "/".to_owned()).ask(Duration::from_millis(50)));
        drop(listener);
        assert!(!Handler::Tcp(port).ask(TIMEOUT));
    }
}
