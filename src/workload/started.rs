//! What a container starts: its workload's own server, something else of the same image, or nothing.

use std::sync::LazyLock;

use regex::Regex;

use super::words::Said;

impl Said<'_, '_> {
    /// Whether it only waits, as for a repair by hand.
    pub(super) fn is_idle(&self) -> bool {
        static IDLE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r"(^|[\s;/&])(sleep\s+(infinity|inf|\d+[smhd]?)|tail\s+-f\s+/dev/null)[\s;]*$",
            )
            .expect("a pattern")
        });
        let line = &*self.line;
        let first = line.split_whitespace().next().unwrap_or_default();
        let is_shell = matches!(
            first.rsplit('/').next(),
            Some("sh" | "bash" | "sleep" | "tail")
        );
        is_shell && IDLE.is_match(line)
    }

    /// Whether the arguments are those of its server: options, or a word that servers are started with.
    pub(super) fn starts_server(&self, workload: &str) -> bool {
        self.container
            .args
            .first()
            .is_none_or(|first| first.starts_with('-') || Self::is_server(first, workload))
    }

    /// The same where a command of its own takes the place of the image's.
    pub(super) fn runs_server(&self, workload: &str) -> bool {
        match self.container.command.first() {
            None => self.starts_server(workload),
            Some(command) => Self::is_server(command, workload),
        }
    }

    fn is_server(word: &str, workload: &str) -> bool {
        let name = word.rsplit('/').next().unwrap_or_default();
        WORDS.contains(&name) || name == "agent" && workload.starts_with("consul")
    }
}

/// With what servers are started.
const WORDS: &[&str] = &[
    "server",
    "serve",
    "start",
    "start-dev",
    "start-single-node",
    "run",
    "standalone",
    "mysqld",
    "mariadbd",
    "mongod",
    "mongos",
    "redis-server",
    "valkey-server",
    "keydb-server",
    "postgres",
    "influxd",
    "memcached",
    "nats-server",
    "etcd",
    "rabbitmq-server",
    "master",
    "volume",
    "filer",
    "store",
    "receive",
    "compact",
    "rule",
    "alpha",
    "zero",
];
