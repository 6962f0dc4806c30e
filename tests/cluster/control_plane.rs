//! etcd, API server, controller manager and kwok as processes, from start to ready.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::access::{Access, Files};
use crate::binaries::Binaries;
use crate::supervise::{self, Supervised};

/// How long a component may take to come up on a busy machine.
pub(crate) const START: Duration = Duration::from_secs(90);

/// The controllers that tests rest on.
pub(crate) const CONTROLLERS: &str = "statefulset,deployment,replicaset,disruption,endpointslice,serviceaccount,garbagecollector,\
    namespace,root-ca-cert-publisher,persistentvolume-binder,pvc-protection,pv-protection";

/// The processes. They stop in this order: an API server without its etcd would hang instead of ending.
pub(crate) struct ControlPlane {
    followers: Vec<Supervised>,
    pub(crate) api_server: Supervised,
    pub(crate) etcd: Supervised,
    pub(crate) access: Access,
}

impl ControlPlane {
    /// Starts etcd and API server together; `ready` says whether the API server answers.
    pub(crate) fn start(
        binaries: &Binaries,
        folder: &Path,
        ready: impl Fn(&Access) -> bool,
    ) -> Result<Self> {
        let files = Files::make(folder)?;
        let mut etcd = start_etcd(binaries, folder)?;
        // Between finding a free port and using it, another process may take it.
        for _ in 0..5 {
            let (mut api_server, access) = start_api_server(binaries, &files)?;
            let deadline = Instant::now() + START;
            loop {
                if ready(&access) {
                    return Ok(Self {
                        followers: Vec::new(),
                        api_server,
                        etcd,
                        access,
                    });
                }
                fail_if_ended(&mut etcd)?;
                if api_server.ended().is_some() {
                    if api_server.log().contains("address already in use") {
                        break;
                    }
                    fail_if_ended(&mut api_server)?;
                }
                if Instant::now() > deadline {
                    bail!(
                        "the API server is not ready after {START:?}; {}",
                        api_server.log_tail()
                    );
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        bail!("five free ports in a row were taken before the API server could listen on them")
    }

    /// Starts these controllers; the API server must answer.
    pub(crate) fn start_controllers(
        &mut self,
        binaries: &Binaries,
        folder: &Path,
        controllers: &str,
    ) -> Result<()> {
        let mut manager = supervise::command(binaries.path("kube-controller-manager"))?;
        manager.arg(flag("kubeconfig", &self.access.kubeconfig));
        manager.arg(flag(
            "service-account-private-key-file",
            &folder.join("service-accounts.key"),
        ));
        manager
            .arg(flag("root-ca-file", &folder.join("ca.crt")))
            .arg(format!("--controllers={controllers}"));
        manager.args([
            "--secure-port=0",
            "--leader-elect=false",
            "--use-service-account-credentials=false",
        ]);
        manager.args([
            "--allocate-node-cidrs=false",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ]);
        self.followers
            .push(spawn("kube-controller-manager", manager, folder)?);
        Ok(())
    }

    /// Starts who plays the kubelets, with these stages of a pod's life.
    pub(crate) fn start_kwok(
        &mut self,
        binaries: &Binaries,
        folder: &Path,
        stages: &str,
    ) -> Result<()> {
        let stages_file = folder.join("stages.yaml");
        std::fs::write(&stages_file, stages)?;
        let mut kwok = supervise::command(binaries.path("kwok"))?;
        kwok.arg(flag("kubeconfig", &self.access.kubeconfig))
            .arg(flag("config", &stages_file));
        kwok.args(["--manage-all-nodes=true", "--cidr=10.64.0.0/16"]);
        self.followers.push(spawn("kwok", kwok, folder)?);
        Ok(())
    }

    /// An error with the log of whichever component is no longer running.
    pub(crate) fn check(&mut self) -> Result<()> {
        for component in self
            .followers
            .iter_mut()
            .chain([&mut self.api_server, &mut self.etcd])
        {
            fail_if_ended(component)?;
        }
        Ok(())
    }

    /// The ends of all logs.
    pub(crate) fn log_tails(&self) -> String {
        let components = self.followers.iter().chain([&self.api_server, &self.etcd]);
        components
            .map(Supervised::log_tail)
            .collect::<Vec<_>>()
            .join("\n\n")
    }
}

fn start_etcd(binaries: &Binaries, folder: &Path) -> Result<Supervised> {
    let mut etcd = supervise::command(binaries.path("etcd"))?;
    // Sockets, not ports: nobody else can take them. Relative to the folder, as a socket's path has at most 104 bytes.
    etcd.current_dir(folder)
        .args(["--name=test", "--data-dir=etcd", "--unsafe-no-fsync"]);
    etcd.args([
        "--listen-client-urls=unix://etcd.sock",
        "--advertise-client-urls=unix://etcd.sock",
    ]);
    etcd.args([
        "--listen-peer-urls=unix://peer.sock",
        "--initial-advertise-peer-urls=unix://peer.sock",
    ]);
    etcd.args([
        "--initial-cluster=test=unix://peer.sock",
        "--log-level=warn",
    ]);
    spawn("etcd", etcd, folder)
}

fn start_api_server(binaries: &Binaries, files: &Files) -> Result<(Supervised, Access)> {
    let port = free_port()?;
    let access = files.access(port)?;
    let mut server = supervise::command(binaries.path("kube-apiserver"))?;
    server
        .current_dir(&files.folder)
        .arg("--etcd-servers=unix://etcd.sock");
    server.args([
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        &format!("--secure-port={port}"),
    ]);
    server.arg(flag("tls-cert-file", &files.serving.certificate));
    server.arg(flag("tls-private-key-file", &files.serving.key));
    server.arg(flag("client-ca-file", &files.authority_file));
    server.arg(flag(
        "service-account-key-file",
        &files.service_accounts.certificate,
    ));
    server.arg(flag(
        "service-account-signing-key-file",
        &files.service_accounts.key,
    ));
    server.args([
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/24",
    ]);
    server.args([
        "--authorization-mode=RBAC",
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
    ]);
    Ok((spawn("kube-apiserver", server, &files.folder)?, access))
}

fn spawn(name: &'static str, command: std::process::Command, folder: &Path) -> Result<Supervised> {
    Supervised::spawn(name, command, &folder.join(format!("{name}.log")))
}

fn fail_if_ended(component: &mut Supervised) -> Result<()> {
    match component.ended() {
        Some(status) => bail!(
            "{} ended early ({status}); {}",
            component.name(),
            component.log_tail()
        ),
        None => Ok(()),
    }
}

fn flag(name: &str, value: &Path) -> String {
    format!("--{name}={}", value.display())
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port on loopback")?;
    Ok(listener.local_addr()?.port())
}
