//! A server in a process of its own, and what that process has used.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

use super::floor::FLOOR;

const PRODUCT: &str = env!("CARGO_BIN_EXE_steadfast");

/// A running server; it ends with this.
pub(crate) struct Server {
    child: Child,
    /// Where it serves reviews.
    pub(crate) webhook: SocketAddr,
    /// Where it says how it is.
    pub(crate) status: SocketAddr,
    clock: ClockId,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes the pair that both servers serve, and its authority.
pub(crate) fn certify(folder: &Path) {
    let made = Command::new(PRODUCT)
        .arg("certs")
        .arg(folder)
        .stderr(Stdio::null())
        .status();
    assert!(made.is_ok_and(|status| status.success()), "certificates");
}

impl Server {
    /// The product as it is installed, and as verbose. What it says is read and dropped, as a container's log is read.
    pub(crate) fn product(folder: &Path) -> Self {
        let mut command = Command::new(PRODUCT);
        command.args([
            "serve",
            "--listen=127.0.0.1:0",
            "--status-listen=127.0.0.1:0",
        ]);
        command.arg("--tls-cert").arg(folder.join("tls.crt"));
        command.arg("--tls-key").arg(folder.join("tls.key"));
        Self::start(&mut command)
    }

    /// The floor, in a process of the same kind.
    pub(crate) fn floor(folder: &Path) -> Self {
        let this = std::env::current_exe().expect("a program knows where it is");
        Self::start(Command::new(this).arg(FLOOR).arg(folder))
    }

    /// Starts it and waits until it is ready.
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let [webhook, status] = addresses(&mut stderr);
        thread::spawn(move || io::copy(&mut stderr, &mut io::sink()));
        let id = i32::try_from(child.id()).expect("a process has a number");
        let clock = clock_getcpuclockid(Pid::from_raw(id)).expect("a process has a clock");
        Self {
            child,
            webhook,
            status,
            clock,
        }
    }

    /// The processor time that it has used, in itself and in the kernel, in all its threads.
    pub(crate) fn used(&self) -> Duration {
        self.clock.now().expect("it runs").into()
    }

    /// The memory that it has now, and the most that it had, in MiB.
    pub(crate) fn resident(&self) -> (f64, f64) {
        let id = i32::try_from(self.child.id()).expect("a process has a number");
        let process = procfs::process::Process::new(id).expect("it runs");
        let status = process.status().expect("Linux says");
        let mib = |kib: Option<u64>| {
            let kib = u32::try_from(kib.expect("Linux says")).expect("less than 4 TiB");
            f64::from(kib) / 1024.0
        };
        (mib(status.vmrss), mib(status.vmhwm))
    }
}

/// The two addresses in the line that says that it is ready.
fn addresses(stderr: &mut BufReader<ChildStderr>) -> [SocketAddr; 2] {
    let mut said = String::new();
    loop {
        let start = said.len();
        let read = stderr.read_line(&mut said).expect("text");
        assert_ne!(read, 0, "it ended before it was ready: {said}");
        if let Some((_, line)) = said[start..].split_once(" serves ") {
            let after = |scheme| {
                let (_, rest) = line.split_once(scheme).expect("an address");
                let word = rest.split(' ').next().unwrap_or_default();
                word.parse().expect("an address")
            };
            return [after("https://"), after("http://")];
        }
    }
}
