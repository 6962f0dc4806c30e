//! etcd: a member alone, and one that waits for its peer.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::injected::{Injected, free_ports};
use super::life;
use super::prober::Container;
use super::server::{Server, find, folders};
use super::worker::Kind;

const IMAGE: &str = "quay.io/coreos/etcd:v3.6.4";

/// etcd itself: on `PATH`, or among the programs of the control plane that tests/cluster runs.
fn program() -> Option<PathBuf> {
    let assets = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(env::home_dir()?.join(".cache")));
    let is_ours = |name: &std::ffi::OsStr| {
        let name = name.to_str()?;
        name.starts_with("controlplane-").then(|| name.into())
    };
    let built = cache.map(|cache| folders(&cache.join("steadfast"), is_ours));
    let all: Vec<_> = assets
        .into_iter()
        .chain(built.into_iter().flatten())
        .collect();
    find("etcd", &all)
}

/// A member: its name, and its ports for clients and peers.
type Member = (&'static str, u16, u16);

fn start(program: &Path, folder: &Path, member: Member, all: &[Member]) -> Server {
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let (name, client, peer) = member;
    let peers: Vec<_> = all
        .iter()
        .map(|(name, _, peer)| format!("{name}={}", url(*peer)))
        .collect();
    let mut command = Command::new(program);
    command.arg("--data-dir").arg(folder.join(name));
    command.args(["--name", name, "--initial-cluster", &peers.join(",")]);
    for (flag, port) in [("client", client), ("peer", peer)] {
        command.args([&format!("--listen-{flag}-urls"), &url(port)]);
    }
    command.args(["--advertise-client-urls", &url(client)]);
    command.args(["--initial-advertise-peer-urls", &url(peer)]);
    Server::start(&mut command, &folder.join(format!("{name}.log")))
}

pub(crate) fn a_member_alone() {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let [client, peer] = free_ports();
    let probes = Injected::of(IMAGE, &[(2379, client), (2380, peer)]);
    let member = ("a", client, peer);
    let run = || start(&program, folder.path(), member, &[member]);
    life::whole(&probes, "TERM", run);
}

pub(crate) fn a_member_without_its_peer() {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let [client, peer, other_client, other_peer] = free_ports();
    let probes = Injected::of(IMAGE, &[(2379, client), (2380, peer)]);
    let all = [("a", client, peer), ("b", other_client, other_peer)];
    let _server = start(&program, folder.path(), all[0], &all);
    let container = Container::start(probes.probes());
    // What charts ask: it is answered only after the member has once had a quorum.
    let page = json!({"httpGet": {"path": "/livez", "port": client, "scheme": "HTTP"}});
    let naive = Container::start(probes.with(Kind::Liveness, &page).probes());
    let mut other = None;
    life::recovering(&container, || {
        assert_eq!(naive.state().killed, Some(Kind::Liveness));
        other = Some(start(&program, folder.path(), all[1], &all));
    });
}
