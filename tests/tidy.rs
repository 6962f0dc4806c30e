//! The house rules that no compiler checks. Each names the file and line where it is broken.

// What is left out, a test says on the terminal.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Which rooms a room may use. Data goes one way, from `object` to `server`.
const ROOMS: &[(&str, &[&str])] = &[
    ("object", &[]),
    ("workload", &["object"]),
    ("rule", &["object", "workload"]),
    ("rules", &["object", "workload", "rule"]),
    ("cluster", &["object", "rule"]),
    ("policy", &["object", "workload", "rule", "rules"]),
    ("engine", &["object", "workload", "rule", "rules", "policy"]),
    ("admission", &["object", "rule", "policy", "engine"]),
    ("report", &["object", "rule", "policy", "engine"]),
    // The port that the cluster implements is rule's; no rule has a name here.
    ("server", &["rule", "policy", "cluster", "admission"]),
    (
        "cli",
        &[
            "object",
            "workload",
            "rule",
            "rules",
            "cluster",
            "policy",
            "engine",
            "admission",
            "report",
        ],
    ),
];

/// The one file that may use more than its room.
const WIRING: (&str, &str) = ("src/cli/serve.rs", "server");

/// Everything that the top of the repository shows.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "src",
    "tests",
    "benches",
    "deploy",
    "certs",
];

const LONGEST: usize = 350;

/// Who may wait for time to pass, and why.
const SLEEPERS: &[(&str, &str)] = &[
    (
        "src/cluster/live/watch.rs",
        "a watch that broke begins anew after a pause",
    ),
    (
        "tests/cluster/eventually.rs",
        "the one loop that polls the cluster",
    ),
    (
        "tests/cluster/supervise.rs",
        "a child is given its grace before it is killed",
    ),
    (
        "tests/cluster/control_plane.rs",
        "a process that starts can only be polled",
    ),
    (
        "tests/cluster/go_module.rs",
        "a file lock held by another process can only be polled",
    ),
    (
        "tests/cluster/lifecycle.rs",
        "a process that does nothing is what is supervised there",
    ),
    ("tests/tidy.rs", "says the word"),
];

/// Who may name a port, and why.
const PORTS: &[(&str, &str)] = &[
    (
        "tests/cluster/registration.rs",
        "an address where nobody listens",
    ),
    (
        "tests/cluster/lifecycle.rs",
        "a line of output that is only read",
    ),
];

/// A file of the repository.
struct File {
    path: String,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|own| own == "rs")
    }

    /// The room that the file is in.
    fn room(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        Some(
            below
                .split_once('/')
                .map_or_else(|| below.trim_end_matches(".rs"), |(room, _)| room),
        )
    }

    /// The lines that are code of the program: no comments, and no tests, which stand last in a file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.path.contains("/tests/") || self.path.ends_with("/tests.rs");
        let text = if tests { "" } else { &self.text };
        let lines = text
            .lines()
            .take_while(|line| *line != "mod tests {")
            .enumerate();
        lines
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// Every text that git knows; none, and a line that says so, where there is no git.
fn repository() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .current_dir(root)
        .output();
    let Some(listed) = listed.ok().filter(|output| output.status.success()) else {
        println!("this is no git repository: not tested");
        return Vec::new();
    };
    let names = String::from_utf8(listed.stdout).expect("names are text");
    let files = names.split_terminator('\0').filter_map(|path| {
        let text = fs::read_to_string(root.join(path)).ok()?;
        Some(File {
            path: path.to_owned(),
            text,
        })
    });
    files.collect()
}

fn rust() -> impl Iterator<Item = File> {
    repository().into_iter().filter(File::is_rust)
}

fn sources() -> impl Iterator<Item = File> {
    rust().filter(|file| file.path.starts_with("src/"))
}

/// Fails with every place where a rule of the house is broken.
#[track_caller]
fn none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

/// Every line of a file that breaks a rule.
fn broken<'f>(
    file: &'f File,
    breaks: impl Fn(&str) -> bool + 'f,
) -> impl Iterator<Item = String> + 'f {
    let lines = file
        .text
        .lines()
        .enumerate()
        .filter(move |(_, line)| breaks(line));
    lines.map(|(index, line)| format!("{}:{}: {}", file.path, index + 1, line.trim()))
}

/// The rooms that a line of code names after `crate::`, alone or in braces.
fn named(line: &str) -> Vec<&str> {
    let word = |text: &str| {
        text.find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(text.len())
    };
    let mut rooms = Vec::new();
    for (at, found) in line.match_indices("crate::") {
        let rest = &line[at + found.len()..];
        match rest.strip_prefix('{') {
            None => rooms.push(&rest[..word(rest)]),
            Some(group) => rooms.extend(group.split(", ").map(|item| &item[..word(item)])),
        }
    }
    rooms.retain(|room| room.starts_with(|first: char| first.is_lowercase()));
    rooms
}

#[test]
fn a_group_of_rooms_is_seen() {
    assert_eq!(named("use crate::object::{Path, Change};"), ["object"]);
    assert_eq!(
        named("use crate::{engine, rules::IDS};"),
        ["engine", "rules"]
    );
    assert_eq!(
        named("let a = crate::server::run(crate::cli::x);"),
        ["server", "cli"]
    );
}

#[test]
fn rooms_use_only_what_lies_before_them() {
    let mut wrong = Vec::new();
    for file in sources() {
        let room = file.room().expect("a source");
        let Some((_, allowed)) = ROOMS.iter().find(|(known, _)| *known == room) else {
            continue;
        };
        for (number, line) in file.code() {
            let may = |used: &str| {
                used == room || allowed.contains(&used) || (&*file.path, used) == WIRING
            };
            wrong.extend(
                named(line)
                    .into_iter()
                    .filter(|used| !may(used))
                    .map(|used| format!("{}:{number}: {room} uses {used}", file.path)),
            );
            // A group that goes on in the next line hides what it names.
            wrong.extend(
                line.ends_with("crate::{")
                    .then(|| format!("{}:{number}: name one room in each use", file.path)),
            );
        }
    }
    none("a room uses one that it must not know", &wrong);
}

#[test]
fn there_are_no_other_rooms() {
    let known = |room: &str| {
        matches!(room, "lib" | "main") || ROOMS.iter().any(|(known, _)| *known == room)
    };
    let wrong: Vec<_> = sources()
        .filter(|file| !file.room().is_some_and(known))
        .map(|file| file.path)
        .collect();
    none("files in a room that is not in the table", &wrong);
}

#[test]
fn rules_never_use_each_other() {
    let mut wrong = Vec::new();
    for file in sources()
        .filter(|file| file.path.starts_with("src/rules/") && file.path != "src/rules/mod.rs")
    {
        let uses = file
            .code()
            .filter(|(_, line)| line.contains("crate::rules") || line.contains("super::"));
        wrong.extend(uses.map(|(number, line)| format!("{}:{number}: {line}", file.path)));
    }
    none("a rule uses another", &wrong);
}

#[test]
fn every_file_says_what_it_is() {
    let wrong: Vec<_> = rust()
        // The crate's front page is the README.
        .filter(|file| !file.text.starts_with("//! ") && file.path != "src/lib.rs")
        .map(|file| format!("{}:1", file.path))
        .collect();
    none("files that do not begin with //!", &wrong);
}

#[test]
fn no_source_is_too_long() {
    let long = sources().filter(|file| file.text.lines().count() > LONGEST);
    let wrong: Vec<_> = long
        .map(|file| format!("{}:{}", file.path, file.text.lines().count()))
        .collect();
    none("files of src that are too long", &wrong);
}

#[test]
fn nothing_is_unwrapped() {
    let mut wrong = Vec::new();
    for file in sources() {
        let unwraps = file.code().filter(|(_, line)| line.contains(".unwrap()"));
        wrong.extend(
            unwraps.map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim())),
        );
    }
    none("unwrap() without a reason; expect() gives one", &wrong);
}

#[test]
fn nothing_names_the_machine_that_it_was_made_on() {
    // Written in two parts, so that this file may stay.
    let words = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/tmp", "/wt"),
        concat!("fa", "rm-"),
    ];
    let files = repository();
    let wrong: Vec<_> = files
        .iter()
        .flat_map(|file| broken(file, |line| words.iter().any(|word| line.contains(word))))
        .collect();
    none("a place or tool that others do not have", &wrong);
}

#[test]
fn the_top_shows_what_it_should() {
    let shown = |file: &File| {
        !file.path.starts_with('.')
            && !TOP.contains(&file.path.split('/').next().unwrap_or_default())
    };
    let wrong: Vec<_> = repository()
        .into_iter()
        .filter(shown)
        .map(|file| file.path)
        .collect();
    none(
        "names that the top of the repository should not have",
        &wrong,
    );
}

#[test]
fn nobody_waits_for_time_to_pass() {
    let files: Vec<_> = rust()
        .filter(|file| !SLEEPERS.iter().any(|(known, _)| *known == file.path))
        .collect();
    let wrong: Vec<_> = files
        .iter()
        .flat_map(|file| broken(file, |line| line.contains("sleep(")))
        .collect();
    none("sleep(: wait for what should happen", &wrong);
}

#[test]
fn no_port_is_taken_for_granted() {
    let fixed = |line: &str| {
        let mut ports = line
            .match_indices("127.0.0.1:")
            .map(|(at, found)| &line[at + found.len()..]);
        ports.any(|port| port.starts_with(|first: char| first.is_ascii_digit() && first != '0'))
    };
    let files: Vec<_> = rust()
        .filter(|file| !PORTS.iter().any(|(known, _)| *known == file.path))
        .collect();
    let wrong: Vec<_> = files.iter().flat_map(|file| broken(file, fixed)).collect();
    none("a fixed port: bind port 0 and ask which it is", &wrong);
}

#[test]
fn every_exemption_is_still_needed() {
    let files = rust().collect::<Vec<_>>();
    for (path, why) in SLEEPERS.iter().chain(PORTS) {
        let known = files.is_empty() || files.iter().any(|file| file.path == *path);
        assert!(known, "{path} is exempt ({why}), and is not there");
    }
}
