//! The real binary as a webhook server on loopback.

use std::fs;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};

use crate::cluster::Cluster;
use crate::eventually::{SOON, Stop, eventually};
use crate::pki::Authority;
use crate::supervise::{self, Supervised};

/// What to start: `Webhook::new().policy(yaml).start(cluster)`.
#[derive(Debug, Default)]
pub(crate) struct Webhook {
    names: Vec<String>,
    policy: Option<String>,
    manifests: Vec<String>,
    flags: Vec<String>,
    kubeconfig: Option<PathBuf>,
    /// Most tests have nobody left who calls.
    shutdown_delay: u16,
}

/// A server that runs until it is stopped or dropped.
pub(crate) struct Running {
    process: Supervised,
    authority: Authority,
    port: u16,
    status_port: u16,
}

impl Webhook {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A DNS name that the certificate shall have besides loopback, such as `<service>.<namespace>.svc`.
    pub(crate) fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// The text of a policy file.
    pub(crate) fn policy(mut self, yaml: impl Into<String>) -> Self {
        self.policy = Some(yaml.into());
        self
    }

    /// The text of a manifest in the folder that stands for the cluster.
    pub(crate) fn manifest(mut self, yaml: impl Into<String>) -> Self {
        self.manifests.push(yaml.into());
        self
    }

    /// One more flag of `steadfast serve`.
    pub(crate) fn flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// How many seconds it serves on after it is told to end.
    pub(crate) fn shutdown_delay(mut self, seconds: u16) -> Self {
        self.shutdown_delay = seconds;
        self
    }

    /// How it reaches the API server, if not as the administrator.
    pub(crate) fn kubeconfig(mut self, file: PathBuf) -> Self {
        self.kubeconfig = Some(file);
        self
    }

    /// Starts the server and waits for the line that says where it serves.
    pub(crate) fn start(self, cluster: &Cluster) -> Result<Running> {
        let folder = self.write_files(cluster)?;
        let authority = Authority::new("steadfast-test-webhook")?;
        let names: Vec<&str> = ["localhost", "127.0.0.1"]
            .into_iter()
            .chain(self.names.iter().map(String::as_str))
            .collect();
        let pair = authority.serving(&folder, "serving", &names)?;

        let mut command = supervise::command(env!("CARGO_BIN_EXE_steadfast"))?;
        command.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--status-listen",
            "127.0.0.1:0",
        ]);
        command
            .arg("--tls-cert")
            .arg(&pair.certificate)
            .arg("--tls-key")
            .arg(&pair.key);
        command.arg("--cluster").arg(folder.join("cluster"));
        let delay = self.shutdown_delay.to_string();
        command.arg("--shutdown-delay").arg(&delay);
        command.env(supervise::MORE_GRACE, &delay);
        if self.policy.is_some() {
            command.arg("--policy").arg(folder.join("policy.yaml"));
        }
        let kubeconfig = self.kubeconfig.as_deref();
        command.args(&self.flags).env(
            "KUBECONFIG",
            kubeconfig.unwrap_or_else(|| cluster.kubeconfig()),
        );
        let mut process = Supervised::spawn("steadfast", command, &folder.join("steadfast.log"))?;

        let (port, status_port) = eventually(SOON, "steadfast says where it serves", || {
            // The state first: what it wrote before it ended is then in the log.
            let ended = process.ended();
            let log = process.log();
            match (log.lines().find_map(ready_line), ended) {
                (Some(ports), None) => Ok(ports),
                (_, Some(status)) => Err(Stop::new(format!(
                    "steadfast ended early ({status}); {}",
                    process.log_tail()
                ))
                .into()),
                (None, None) => anyhow::bail!("no ready line yet; {}", process.log_tail()),
            }
        })?;
        Ok(Running {
            process,
            authority,
            port,
            status_port,
        })
    }

    fn write_files(&self, cluster: &Cluster) -> Result<PathBuf> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let folder = cluster
            .folder()
            .join(format!("webhook-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(folder.join("cluster")).context("cannot create the webhook's folder")?;
        for (index, manifest) in self.manifests.iter().enumerate() {
            fs::write(folder.join(format!("cluster/{index}.yaml")), manifest)?;
        }
        if let Some(policy) = &self.policy {
            fs::write(folder.join("policy.yaml"), policy)?;
        }
        Ok(folder)
    }
}

impl Running {
    /// The port of `/mutate` and `/validate`.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:PORT/metrics`
    pub(crate) fn status_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.status_port)
    }

    /// The body that the status port answers with.
    pub(crate) fn status(&self, cluster: &Cluster, path: &str) -> Result<String> {
        cluster.block_on(async {
            let answer = reqwest::get(self.status_url(path)).await?;
            let status = answer.status();
            let body = answer.text().await?;
            ensure!(status.is_success(), "{path} answers {status}: {body}");
            Ok(body)
        })
    }

    pub(crate) fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// The server's process; none where the system does not tell.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// What the server wrote so far.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// SIGTERM, and SIGKILL if that does not end it; how it ended and all that it wrote.
    pub(crate) fn stop(mut self) -> Result<(ExitStatus, String)> {
        let status = self.process.stop()?;
        Ok((status, self.process.log()))
    }
}

/// The ports in `... serves https://HOST:PORT ... status http://HOST:PORT`.
pub(crate) fn ready_line(line: &str) -> Option<(u16, u16)> {
    let (_, rest) = line.split_once("serves https://")?;
    let (_, status) = rest.split_once("status http://")?;
    Some((port(rest)?, port(status)?))
}

/// The port of the address at the start of `text`, whatever follows it.
fn port(text: &str) -> Option<u16> {
    let address = text
        .split(|c: char| c.is_whitespace() || matches!(c, '/' | ',' | ';'))
        .next()?;
    let (_, port) = address.rsplit_once(':')?;
    port.trim_end_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .ok()
}
