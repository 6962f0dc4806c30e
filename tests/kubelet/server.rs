//! A server as a process of ours, which cannot outlive us.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Kills it when the pipe closes that we hold: we may be killed ourselves.
    watchdog: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it, with its output added to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log");
        let copy = file.try_clone().expect("a handle");
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(copy)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let watchdog = Command::new("sh")
            .args([
                "-c",
                "read -r _; kill -KILL \"$0\"",
                &child.id().to_string(),
            ])
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        Self {
            child,
            watchdog,
            log: log.to_owned(),
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "it is gone; its log:\n{}",
            self.log()
        );
    }

    /// Sends it a signal, and waits until it has ended.
    pub(crate) fn end(mut self, name: &str) {
        self.signal(name);
        self.child.wait().expect("it is ours");
    }

    pub(crate) fn log(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // First of all: its number may be another's once it is gone.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("the log of {}:\n{}", self.log.display(), self.log());
        }
    }
}

/// A program on `PATH` or in one of these folders; says so where it is not there.
pub(crate) fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut all = env::split_paths(&path).chain(folders.iter().cloned());
    let found = all.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file()));
    if found.is_none() {
        println!("{name} is not here: not tested");
    }
    found
}

/// Every folder of this pattern, where one part is `*`: the last by name first.
pub(crate) fn folders(above: &Path, below: impl Fn(&OsStr) -> Option<PathBuf>) -> Vec<PathBuf> {
    let entries = fs::read_dir(above).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(above.join(below(&entry.file_name())?)))
        .filter(|folder| folder.is_dir())
        .collect();
    found.sort();
    found.reverse();
    found
}
