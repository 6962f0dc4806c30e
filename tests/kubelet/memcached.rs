//! memcached: a server whose port alone is asked.

use std::process::Command;

use super::injected::{Injected, free_ports};
use super::life;
use super::server::{Server, find};

pub(crate) fn memcached_lives() {
    let Some(program) = find("memcached", &[]) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let [port] = free_ports();
    let probes = Injected::of("memcached:1.6", &[(11211, port)]);
    let start = || {
        let mut command = Command::new(&program);
        command.args([
            "-l",
            "127.0.0.1",
            "-U",
            "0",
            "-u",
            "nobody",
            "-p",
            &port.to_string(),
        ]);
        Server::start(&mut command, &folder.path().join("log"))
    };
    life::whole(&probes, "TERM", start);
}
