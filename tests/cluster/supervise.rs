//! Children that cannot outlive us, however we end.
//!
//! A process killed with SIGKILL cannot clean up after itself, so every child is started through a second copy of this
//! test binary, which holds the reading end of a pipe. The kernel closes our end when we are gone, and the supervisor
//! then ends its child. It stands in a process group of its own: Ctrl-C reaches us alone, and the order of the stops
//! stays ours.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// First argument of a supervisor: the rest is the command.
pub(crate) const SUPERVISE: &str = "__supervise";
/// First argument of a broom: the rest is the folder.
pub(crate) const SWEEP: &str = "__sweep";
/// The pipe takes the supervisor's stdin, so the child's comes from the file named here.
const STDIN_FILE: &str = "STEADFAST_TEST_STDIN";
/// From SIGTERM to SIGKILL. An API server that lost its etcd ignores SIGTERM for minutes.
const GRACE: Duration = Duration::from_secs(4);

/// How many seconds more it has who is told to take his time.
pub(crate) const MORE_GRACE: &str = "STEADFAST_TEST_MORE_GRACE";

/// A command that will run under a supervisor; arguments, environment and output are set on it as usual.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Result<Command> {
    let mut command = role(SUPERVISE, program)?;
    // A proxy of the machine is no business of a cluster on loopback.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    Ok(command)
}

/// Gives the command a standard input.
pub(crate) fn stdin_from(command: &mut Command, file: &Path) {
    command.env(STDIN_FILE, file);
}

fn role(name: &str, argument: impl AsRef<OsStr>) -> Result<Command> {
    let this = std::env::current_exe().context("cannot find the path of this test binary")?;
    let mut command = Command::new(this);
    command
        .arg(name)
        .arg(argument)
        .stdin(Stdio::piped())
        .process_group(0);
    Ok(command)
}

/// Our end of the pipe: a child lives as long as this does.
#[derive(Debug)]
pub(crate) struct Lifeline {
    _pipe: ChildStdin,
}

impl Lifeline {
    /// Must be taken before any wait: waiting closes a child's stdin.
    pub(crate) fn of(child: &mut Child) -> Self {
        Self {
            _pipe: child.stdin.take().expect("supervise::command pipes stdin"),
        }
    }
}

/// A component that runs until it is stopped or dropped, with its output in a log file.
#[derive(Debug)]
pub(crate) struct Supervised {
    name: &'static str,
    log: PathBuf,
    lifeline: Option<Lifeline>,
    supervisor: Child,
}

impl Supervised {
    pub(crate) fn spawn(name: &'static str, mut command: Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
        let copy = file
            .try_clone()
            .context("cannot duplicate the log's handle")?;
        let mut supervisor = command
            .stdout(copy)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let lifeline = Some(Lifeline::of(&mut supervisor));
        Ok(Self {
            name,
            log: log.to_owned(),
            lifeline,
            supervisor,
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Everything it has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The end of the log, for messages.
    pub(crate) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(25)..].join("\n");
        format!("the end of {}:\n{tail}", self.log.display())
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.supervisor.try_wait().ok().flatten()
    }

    /// The process itself; none where the system does not tell.
    pub(crate) fn pid(&self) -> Option<u32> {
        let supervisor = self.supervisor.id();
        let children = format!("/proc/{supervisor}/task/{supervisor}/children");
        fs::read_to_string(children).ok()?.trim().parse().ok()
    }

    /// SIGTERM, a grace, SIGKILL; returns when the process is gone.
    pub(crate) fn stop(&mut self) -> Result<ExitStatus> {
        drop(self.lifeline.take());
        self.supervisor
            .wait()
            .with_context(|| format!("cannot wait for {}", self.name))
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// The supervisor's whole life.
pub(crate) fn supervise(mut command: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(program) = command.next() else {
        eprintln!("{SUPERVISE} needs a command");
        return ExitCode::from(2);
    };
    let more = std::env::var(MORE_GRACE)
        .ok()
        .and_then(|more| more.parse().ok());
    let grace = GRACE + Duration::from_secs(more.unwrap_or_default());
    let stdin = std::env::var_os(STDIN_FILE).map_or_else(
        || Ok(Stdio::null()),
        |file| File::open(file).map(Stdio::from),
    );
    let child = stdin.and_then(|stdin| {
        Command::new(&program)
            .args(command)
            .env_remove(STDIN_FILE)
            .env_remove(MORE_GRACE)
            .stdin(stdin)
            .process_group(0)
            .spawn()
    });
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            eprintln!("cannot run {}: {error}", program.display());
            return ExitCode::from(127);
        }
    };
    // A group of its own, so that what it starts in turn ends with it.
    let group = format!("-{}", child.id());
    thread::spawn(move || {
        wait_for_parent_to_let_go();
        signal("-TERM", &group);
        thread::sleep(grace);
        signal("-KILL", &group);
    });
    match child.wait() {
        Ok(status) => {
            let code = status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// Starts a broom: should we be killed, it removes the folder that our own destructors would have removed.
pub(crate) fn broom(folder: &Path) -> Result<Child> {
    role(SWEEP, folder)?
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start the broom")
}

/// The broom's whole life. It may be told to stop by SIGKILL; that is how a regular end spares the folder.
pub(crate) fn sweep(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        return ExitCode::from(2);
    };
    wait_for_parent_to_let_go();
    // The components are ending at the same moment and may still write.
    let end = Instant::now() + GRACE + Duration::from_secs(1);
    while Instant::now() < end {
        let _ = fs::remove_dir_all(&folder);
        thread::sleep(Duration::from_millis(250));
    }
    ExitCode::SUCCESS
}

/// Nobody ever writes to the pipe, so this returns when its other end is closed.
fn wait_for_parent_to_let_go() {
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
}

/// `kill` the command: the system call would need unsafe code.
fn signal(signal: &str, group: &str) {
    let _ = Command::new("kill")
        .args([signal, "--", group])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
