//! The harness itself: nothing may outlive it, and it must read what servers say.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::cluster::Cluster;
use crate::eventually::{SOON, eventually};
use crate::pki::Authority;
use crate::registration::Registration;
use crate::supervise::{self, Lifeline};
use crate::webhook::Webhook;
use crate::{tests, webhook};

tests![
    registers_for_one_namespace_only,
    shows_why_a_server_did_not_start,
    kills_its_children_when_it_is_killed,
    runs_commands_apart_from_the_users_home,
    reads_the_ready_line
];

/// First argument of a process that starts a supervised child and waits to be killed; the rest is the command.
pub(crate) const HOLD: &str = "__hold";

pub(crate) fn hold(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments;
    let Some(program) = arguments.next() else {
        return ExitCode::from(2);
    };
    let Ok(mut command) = supervise::command(program) else {
        return ExitCode::FAILURE;
    };
    let Ok(mut child) = command.args(arguments).spawn() else {
        return ExitCode::FAILURE;
    };
    let _lifeline = Lifeline::of(&mut child);
    thread::sleep(Duration::from_mins(10));
    ExitCode::FAILURE
}

/// SIGKILL leaves no time to clean up; also a child that ignores SIGTERM has to go.
fn kills_its_children_when_it_is_killed(_: &Cluster) -> Result<()> {
    for script in [
        "echo $$; exec sleep 600",
        "trap '' TERM; echo $$; while :; do sleep 1; done",
    ] {
        let this = std::env::current_exe()?;
        let mut parent = Command::new(this)
            .args([HOLD, "sh", "-c", script])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(parent.stdout.take().context("stdout is piped")?).read_line(&mut line)?;
        let pid = line.trim();
        ensure!(runs(pid)?, "`{script}` did not start");

        parent.kill()?;
        parent.wait()?;
        eventually(SOON, "the grandchild ends with its grandparent", || {
            ensure!(!runs(pid)?, "process {pid} of `{script}` still runs");
            Ok(())
        })?;
    }
    Ok(())
}

fn runs(pid: &str) -> Result<bool> {
    Ok(Command::new("kill")
        .args(["-0", pid])
        .stderr(Stdio::null())
        .status()?
        .success())
}

fn runs_commands_apart_from_the_users_home(cluster: &Cluster) -> Result<()> {
    let context = cluster.kubectl(&["config", "current-context"]).succeed()?;
    ensure!(
        context.stdout.trim() == "test",
        "kubectl reads another kubeconfig: {context}"
    );
    let helm = cluster.helm(&["env"]).succeed()?;
    let home = cluster.folder().display().to_string();
    for name in [
        "HELM_CACHE_HOME",
        "HELM_CONFIG_HOME",
        "HELM_DATA_HOME",
        "KUBECONFIG",
    ] {
        let line = helm
            .stdout
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default();
        // Helm prints KUBECONFIG only when told by flag.
        ensure!(
            line.contains(&home) || name == "KUBECONFIG",
            "{name} is outside of the test's folder: {helm}"
        );
    }
    let wrong = cluster.kubectl(&["get", "pods", "--no-such-flag"]).fail()?;
    ensure!(
        wrong.stderr.contains("no-such-flag"),
        "stderr is lost: {wrong}"
    );
    Ok(())
}

fn reads_the_ready_line(_: &Cluster) -> Result<()> {
    let line = "steadfast 0.1.0 serves https://127.0.0.1:43211 (/mutate, /validate), status http://[::1]:8080.";
    let Some(ports) = webhook::ready_line(line) else {
        bail!("not understood: {line}")
    };
    ensure!(ports == (43211, 8080), "{ports:?}");
    ensure!(
        webhook::ready_line("steadfast serves nothing").is_none(),
        "understood what says nothing"
    );
    Ok(())
}

/// Nobody listens there, so the error itself shows who was called.
fn registers_for_one_namespace_only(cluster: &Cluster) -> Result<()> {
    let (here, elsewhere) = (
        cluster.namespace("registered")?,
        cluster.namespace("elsewhere")?,
    );
    let authority = Authority::new("nobody")?;
    let registration = Registration::with(&here, 1, &authority.pem(), &json!({}))?;
    let create = ["create", "--dry-run=server", "-f", "-"];
    let denied = here.kubectl(&create).stdin(SET).fail()?;
    ensure!(
        denied
            .stderr
            .contains("failed calling webhook \"mutate.steadfast.dev\""),
        "{denied}"
    );
    elsewhere.kubectl(&create).stdin(SET).succeed()?;

    drop(registration);
    eventually(SOON, "the registration ends with its value", || {
        here.kubectl(&create).stdin(SET).succeed()
    })?;
    Ok(())
}

const SET: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx:1.29}]}
";

fn shows_why_a_server_did_not_start(cluster: &Cluster) -> Result<()> {
    let Err(error) = Webhook::new().policy("kind: [").start(cluster) else {
        bail!("it runs without a policy")
    };
    let error = format!("{error:#}");
    ensure!(
        error.contains("steadfast ended early") && error.contains("steadfast.log"),
        "{error}"
    );
    Ok(())
}
