//! To which address a container is told to bind.

use std::sync::LazyLock;

use regex::Regex;

/// To which address a server is told to bind; of several sayings the last of these counts.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Bound {
    /// To every one, or nothing is said.
    #[default]
    Anywhere,
    /// To loopback alone.
    Loopback,
    /// To another one alone.
    Elsewhere,
}

impl Bound {
    /// What a command line or a variable says.
    pub(super) fn by(text: &str) -> Self {
        static BIND: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?i)(?:bind|listen|network\.host|server_http_addr|(?:^|\s)--?http[-.]addr)[a-z_.-]*["']?[\s=]+["']?(\S+)|(?:^|\s)-l\s+(\S+)"#)
                .expect("a pattern")
        });
        let said = BIND.captures_iter(text).map(|found| {
            let value = found.get(1).or_else(|| found.get(2));
            value.map_or("", |value| value.as_str()).to_lowercase()
        });
        said.map(|value| Self::to(&value)).max().unwrap_or_default()
    }

    /// What one value says: addresses or URLs, with commas between them.
    fn to(value: &str) -> Self {
        let is_loopback = |part: &str| {
            part.contains("127.0.0.1") || part.contains("localhost") || part.contains("[::1]")
        };
        let names_host = |part: &str| {
            let host = part.rsplit("//").next().unwrap_or_default();
            let host = host.split(':').next().unwrap_or_default();
            host.starts_with("$(")
                || host.starts_with("${")
                || host.split('.').count() == 4 && host != "0.0.0.0"
        };
        let parts: Vec<_> = value.split(',').filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            Self::Anywhere
        } else if parts.iter().all(|part| is_loopback(part)) {
            Self::Loopback
        } else if parts
            .iter()
            .all(|part| names_host(part) && !is_loopback(part))
        {
            Self::Elsewhere
        } else {
            Self::Anywhere
        }
    }
}

/// Whether this workload is told to listen on no TCP port, but on a socket file. A script may start it more than once.
pub(super) fn listens_nowhere(line: &str, workload: &str) -> bool {
    static TOLD: LazyLock<[(&str, Regex); 7]> = LazyLock::new(|| {
        let port = r"(^|\s)--port[\s=]0(\s|$)";
        let network = r"(^|\s)--skip[-_]networking(=(1|on|true|ON|TRUE))?(\s|$)";
        let told = [
            ("redis", port),
            ("valkey", port),
            ("keydb", port),
            ("memcached", r"(^|\s)(-s|--unix-socket)[\s=]"),
            ("mysql", network),
            ("mariadb", network),
            (
                "postgres",
                r"(^|\s)listen_addresses\s*=\s*(''|\x22\x22)?(\s|$)",
            ),
        ];
        told.map(|(workload, words)| (workload, Regex::new(words).expect("a pattern")))
    });
    let is_script = line.contains([';', '&', '|', '\n']);
    let mut told = TOLD.iter().filter(|(of, _)| workload.starts_with(of));
    !is_script && !line.contains("--tls-port") && told.any(|(_, words)| words.is_match(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_single_addresses_are_told_from_every_one() {
        for (text, bound) in [
            ("", Bound::Anywhere),
            ("--bind 0.0.0.0", Bound::Anywhere),
            ("mongod --bind_ip_all", Bound::Anywhere),
            ("--web.listen-address=:9090", Bound::Anywhere),
            ("--web.listen-address=127.0.0.1", Bound::Loopback),
            ("memcached -l 127.0.0.1", Bound::Loopback),
            ("KAFKA_LISTENERS=PLAINTEXT://localhost", Bound::Loopback),
            ("GF_SERVER_HTTP_ADDR=127.0.0.1", Bound::Loopback),
            ("VAULT_ADDR=http://127.0.0.1", Bound::Anywhere),
            (
                "--listen-client-urls=http://127.0.0.1,http://$(ip)",
                Bound::Anywhere,
            ),
            ("redis-server --bind $(POD_IP)", Bound::Elsewhere),
            ("--bind-address=10.1.1.1", Bound::Elsewhere),
        ] {
            assert_eq!(Bound::by(text), bound, "{text}");
        }
    }

    #[test]
    fn who_has_but_a_socket_file_is_told_from_the_others() {
        for (workload, line, nowhere) in [
            (
                "redis",
                "redis-server --port 0 --unixsocket /run/r.sock",
                true,
            ),
            ("redis-bitnami", "--port 0", true),
            ("redis", "redis-server --port 0 --tls-port 6379", false),
            ("redis", "redis-server --port 06379", false),
            ("grafana", "--port=0 --grpc-port=9090", false),
            ("memcached", "-s /run/m.sock -m 64", true),
            ("memcached", "memcached -m 64", false),
            ("mysql", "mysqld --skip-networking", true),
            ("mysql", "mysqld --skip_networking=1", true),
            ("mysql", "mysqld --skip-networking=0", false),
            (
                "mysql",
                "mysqld --skip-networking & sleep 1; exec mysqld",
                false,
            ),
            ("mysql", "mysqld -S /run/m.sock", false),
            ("mariadb", "--skip-name-resolve", false),
            ("postgres", "-c listen_addresses=", true),
            (
                "postgres-18",
                "postgres -c listen_addresses='' -c x=y",
                true,
            ),
            ("postgres", "postgres -c listen_addresses=*", false),
            ("uwsgi", "uwsgi -s /run/u.sock --http 0.0.0.0:8080", false),
        ] {
            assert_eq!(
                listens_nowhere(line, workload),
                nowhere,
                "{workload}: {line}"
            );
        }
    }
}
