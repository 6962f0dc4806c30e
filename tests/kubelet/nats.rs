//! NATS with JetStream: a server alone.

use std::process::Command;

use super::injected::{Injected, free_ports};
use super::life;
use super::server::{Server, find};

pub(crate) fn nats_lives() {
    let Some(program) = find("nats-server", &[]) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let [client, monitor] = free_ports();
    let probes = Injected::of("nats:2.12-alpine", &[(4222, client), (8222, monitor)]);
    let start = || {
        let mut command = Command::new(&program);
        command.args([
            "-a",
            "127.0.0.1",
            "-p",
            &client.to_string(),
            "-m",
            &monitor.to_string(),
        ]);
        command.arg("-js").arg("-sd").arg(folder.path());
        Server::start(&mut command, &folder.path().join("log"))
    };
    life::whole(&probes, "TERM", start);
}
