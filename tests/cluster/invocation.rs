//! One call of kubectl or helm, and what came of it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::supervise::{self, Lifeline};

/// Longer than any test should take: a call that hangs must not hang the run.
const LIMIT: Duration = Duration::from_mins(2);

/// A command line about to be run.
pub(crate) struct Invocation {
    command: Command,
    line: String,
    stdin: Option<String>,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Output {
    /// The command line, for messages.
    pub(crate) line: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Invocation {
    /// `home` takes every file that the program would leave in the user's home.
    pub(crate) fn new(program: &Path, kubeconfig: &Path, home: &Path) -> Result<Self> {
        let mut command = supervise::command(program)?;
        command
            .env("KUBECONFIG", kubeconfig)
            .env("HOME", home)
            .env("KUBECACHEDIR", home.join("kube-cache"));
        for (name, folder) in [
            ("HELM_CACHE_HOME", "helm-cache"),
            ("HELM_CONFIG_HOME", "helm-config"),
            ("HELM_DATA_HOME", "helm-data"),
        ] {
            command.env(name, home.join(folder));
        }
        // What a user has set up for their own kubectl and helm must not change a test.
        for name in [
            "KUBERC",
            "KUBE_EDITOR",
            "HELM_NAMESPACE",
            "HELM_DRIVER",
            "HELM_KUBECONTEXT",
            "HELM_DEBUG",
        ] {
            command.env_remove(name);
        }
        let line = program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            command,
            line,
            stdin: None,
        })
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: &[S]) -> Self {
        for arg in args {
            self.line.push(' ');
            self.line.push_str(&arg.as_ref().to_string_lossy());
        }
        self.command.args(args);
        self
    }

    pub(crate) fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// Runs it to its end; a failure is a result like any other.
    pub(crate) fn run(mut self) -> Result<Output> {
        let input = tempfile::NamedTempFile::new().context("cannot create a file for stdin")?;
        if let Some(text) = &self.stdin {
            std::fs::write(input.path(), text).context("cannot write stdin")?;
        }
        supervise::stdin_from(&mut self.command, input.path());
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let lifeline = Lifeline::of(&mut child);

        let (finished, waiting) = mpsc::channel::<()>();
        let watchdog = thread::spawn(move || {
            let in_time = waiting.recv_timeout(LIMIT) != Err(RecvTimeoutError::Timeout);
            drop(lifeline);
            in_time
        });
        let output = child.wait_with_output();
        drop(finished);
        let in_time = watchdog.join().unwrap_or(false);
        let output = output.with_context(|| format!("cannot wait for `{}`", self.line))?;
        let output = Output {
            line: self.line,
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        ensure!(in_time, "was still running after {LIMIT:?}: {output}");
        Ok(output)
    }

    /// Runs it and takes a failure as an error that shows everything.
    pub(crate) fn succeed(self) -> Result<Output> {
        let output = self.run()?;
        ensure!(output.status.success(), "should have succeeded: {output}");
        Ok(output)
    }

    /// Runs it and wants it to fail, as after a denial.
    pub(crate) fn fail(self) -> Result<Output> {
        let output = self.run()?;
        ensure!(!output.status.success(), "should have failed: {output}");
        Ok(output)
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}`, {}\n--- stdout\n{}--- stderr\n{}",
            self.line, self.status, self.stdout, self.stderr
        )
    }
}
