//! PostgreSQL: alone, during its first start, and while it recovers from a crash.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::injected::{Injected, free_ports};
use super::life;
use super::prober::Container;
use super::server::{Server, find, folders};
use super::worker::Kind;

const IMAGE: &str = "postgres:17";

/// A user who owns nothing: the server refuses to run as root.
const NOBODY: u32 = 65534;

/// A data folder, and whose programs use it.
struct Postgres {
    programs: PathBuf,
    as_nobody: bool,
    folder: tempfile::TempDir,
    port: u16,
    probes: Injected,
}

impl Postgres {
    /// A container that asks one thing in another way than ours.
    fn asked_naively(&self, kind: Kind, command: &str) -> Container {
        let probes = self.probes.with_command(kind, command);
        Container::start(probes.finding(&self.programs).probes())
    }

    fn find() -> Option<Self> {
        let debian = folders(Path::new("/usr/lib/postgresql"), |version| {
            Some(Path::new(version).join("bin"))
        });
        // What is on `PATH` may be a link or a wrapper, without the others beside it.
        let beside = |program: PathBuf| Some(fs::canonicalize(program).ok()?.parent()?.to_owned());
        let programs = find("postgres", &debian).and_then(beside)?;
        find("initdb", std::slice::from_ref(&programs))?;
        let folder = tempfile::tempdir().expect("a folder");
        let as_nobody = folder.path().metadata().expect("a folder").uid() == 0;
        if as_nobody {
            find("setpriv", &[])?;
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may");
        }
        let [port] = free_ports();
        let probes = Injected::of(IMAGE, &[(5432, port)]).finding(&programs);
        let postgres = Self {
            programs,
            as_nobody,
            folder,
            port,
            probes,
        };
        let init = postgres
            .command("initdb")
            .args(["-A", "trust", "-U", "postgres", "-N", "-D"])
            .arg(postgres.data())
            .output()
            .expect("initdb");
        assert!(
            init.status.success(),
            "{}",
            String::from_utf8_lossy(&init.stderr)
        );
        Some(postgres)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if self.as_nobody {
            let mut command = Command::new("setpriv");
            let nobody = NOBODY.to_string();
            command.args([
                "--reuid",
                &nobody,
                "--regid",
                &nobody,
                "--clear-groups",
                "--",
            ]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }

    fn start(&self, more: &[&str]) -> Server {
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path());
        command.args([
            "-p",
            &self.port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
        ]);
        Server::start(command.args(more), &self.folder.path().join("log"))
    }
}

pub(crate) fn postgres_lives() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    // Fast, as the image's stop signal is.
    life::whole(&postgres.probes, "INT", || postgres.start(&[]));
}

/// The image's entrypoint runs its scripts against a server that listens on no port, and starts another one after them.
pub(crate) fn postgres_runs_its_first_scripts() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let first = postgres.start(&["-c", "listen_addresses="]);
    let container = Container::start(postgres.probes.probes());
    let socket = postgres.folder.path().display();
    let ask = format!("pg_isready -q -h {socket} -p {}", postgres.port);
    let naive = postgres.asked_naively(Kind::Startup, &ask);
    naive.until(100, "taken for started", |state| state.started);
    container.stays(60, "starting", |state| life::waits(state) && !state.started);
    first.end("INT");
    let _server = postgres.start(&[]);
    container.until(200, "serving", life::serves);
}

pub(crate) fn postgres_recovers_from_a_crash() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let first = postgres.start(&[]);
    Container::start(postgres.probes.probes()).until(200, "serving", life::serves);
    // At once, as in a crash.
    first.end("QUIT");

    // It replays its log until it is told that there is no more of it.
    fs::write(postgres.data().join("standby.signal"), "").expect("a file");
    let server = postgres.start(&["-c", "hot_standby=off"]);
    let container = Container::start(postgres.probes.probes());
    // What charts ask: it takes recovery for death.
    let ask = format!("pg_isready -q -h 127.0.0.1 -p {}", postgres.port);
    let naive = postgres.asked_naively(Kind::Liveness, &ask);
    life::recovering(&container, || {
        assert_eq!(naive.state().killed, Some(Kind::Liveness));
        let promoted = postgres
            .command("pg_ctl")
            .arg("promote")
            .arg("-D")
            .arg(postgres.data())
            .output();
        let promoted = promoted.expect("pg_ctl");
        assert!(promoted.status.success(), "{promoted:?}");
    });
    assert!(
        server.log().contains("was not properly shut down"),
        "{}",
        server.log()
    );
}
