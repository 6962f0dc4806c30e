//! Redis and Valkey: alone, while a script holds them up, and while they load their data.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::injected::{Injected, free_ports};
use super::life;
use super::prober::Container;
use super::server::{Server, find};
use super::worker::Kind;

/// As many as are not loaded before they are let: each takes a hundredth of a second.
const KEYS: usize = 6000;

/// A server on a port of its own.
struct Redis {
    program: PathBuf,
    client: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    probes: Injected,
}

impl Redis {
    fn find(name: &str, image: &str) -> Option<Self> {
        let program = find(&format!("{name}-server"), &[])?;
        // The probe runs it, as it does in the image.
        let client = find(&format!("{name}-cli"), &[])?;
        let [port] = free_ports();
        Some(Self {
            program,
            client,
            folder: tempfile::tempdir().expect("a folder"),
            port,
            probes: Injected::of(image, &[(6379, port)]),
        })
    }

    fn start(&self, more: &[&str]) -> Server {
        let folder: &Path = self.folder.path();
        let mut command = Command::new(&self.program);
        command.args([
            "--port",
            &self.port.to_string(),
            "--bind",
            "127.0.0.1",
            "--dir",
        ]);
        command
            .arg(folder)
            .args(["--lua-time-limit", "100"])
            .args(more);
        Server::start(&mut command, &folder.join("log"))
    }

    /// Runs a command in it by its own client, and what that says.
    fn run(&self, words: &[&str]) -> String {
        let mut command = Command::new(&self.client);
        let output = command
            .args(["-p", &self.port.to_string()])
            .args(words)
            .output();
        String::from_utf8_lossy(&output.expect("a client").stdout).into_owned()
    }

    /// Writes what takes long to load.
    fn fill(&self) {
        let mut commands = String::new();
        for key in 0..KEYS {
            let _ = write!(commands, "SET {key} {key:0>1024}\r\n");
        }
        commands.push_str("SAVE\r\n");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        let answers = BufReader::new(stream.try_clone().expect("a handle"));
        stream.write_all(commands.as_bytes()).expect("it reads");
        let answers = answers.lines().take(KEYS + 1).map_while(Result::ok);
        assert!(answers.filter(|answer| answer == "+OK").count() == KEYS + 1);
    }
}

fn lives(name: &str, image: &str) {
    let Some(redis) = Redis::find(name, image) else {
        return;
    };
    life::whole(&redis.probes, "TERM", || redis.start(&[]));
}

fn is_held_up_by_a_script(name: &str, image: &str) {
    let Some(redis) = Redis::find(name, image) else {
        return;
    };
    let _server = redis.start(&[]);
    let container = Container::start(redis.probes.probes());
    container.until(200, "serving", life::serves);
    let mut script = Command::new(&redis.client);
    script.args([
        "-p",
        &redis.port.to_string(),
        "EVAL",
        "while true do end",
        "0",
    ]);
    let _script = Server::start(&mut script, &redis.folder.path().join("script"));
    container.until(120, "waited for", life::waits);
    life::recovering(&container, || {
        assert_eq!(redis.run(&["SCRIPT", "KILL"]).trim(), "OK");
    });
}

fn loads_its_data(name: &str, image: &str) {
    let Some(redis) = Redis::find(name, image) else {
        return;
    };
    let first = redis.start(&[]);
    Container::start(redis.probes.probes()).until(200, "serving", life::serves);
    redis.fill();
    first.end("KILL");

    let slowly = [
        "--key-load-delay",
        "10000",
        "--loading-process-events-interval-bytes",
        "1024",
    ];
    let _server = redis.start(&slowly);
    let container = Container::start(redis.probes.probes());
    // What charts ask: it passes whatever the answer is.
    let naive = redis.probes.with_command(
        Kind::Readiness,
        &format!("{name}-cli -p {} ping", redis.port),
    );
    let naive = Container::start(naive.probes());
    life::recovering(&container, || {
        assert!(
            naive.state().ready,
            "loading looks like serving to a bare ping"
        );
        assert!(redis.run(&["PING"]).starts_with("LOADING"));
        assert_eq!(
            redis.run(&["CONFIG", "SET", "key-load-delay", "0"]).trim(),
            "OK"
        );
    });
    assert_eq!(redis.run(&["DBSIZE"]).trim(), KEYS.to_string());
}

pub(crate) fn redis_lives() {
    lives("redis", "redis:7.2");
}

pub(crate) fn redis_is_held_up_by_a_script() {
    is_held_up_by_a_script("redis", "redis:7.2");
}

pub(crate) fn redis_loads_its_data() {
    loads_its_data("redis", "redis:7.2");
}

pub(crate) fn valkey_lives() {
    lives("valkey", "valkey/valkey:8");
}

pub(crate) fn valkey_is_held_up_by_a_script() {
    is_held_up_by_a_script("valkey", "valkey/valkey:8");
}

pub(crate) fn valkey_loads_its_data() {
    loads_its_data("valkey", "valkey/valkey:8");
}
