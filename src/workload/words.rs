//! What a container's command line and environment say, as far as a manifest shows it.

use std::cell::OnceCell;
use std::sync::LazyLock;

use regex::Regex;

use super::bound::{Bound, listens_nowhere};
use crate::object::view::{Container, EnvVar};

/// What a container says, put together once for all that is asked of it.
pub(super) struct Said<'c, 'a> {
    pub(super) container: &'c Container<'a>,
    /// Command and arguments as one line.
    pub(super) line: String,
    /// Every variable as `NAME=value`; most images are not known, and nobody asks for them.
    variables: OnceCell<Vec<String>>,
}

impl<'c, 'a> Said<'c, 'a> {
    pub(super) fn by(container: &'c Container<'a>) -> Self {
        let words = container.command.iter().chain(&container.args);
        let words: Vec<_> = words.map(|word| &**word).collect();
        Self {
            container,
            line: words.join(" "),
            variables: OnceCell::new(),
        }
    }

    fn variables(&self) -> &[String] {
        let said = |variable: &EnvVar<'_>| format!("{}={}", &*variable.name, &*variable.value);
        self.variables
            .get_or_init(|| self.container.env.iter().map(said).collect())
    }

    pub(super) fn container(&self) -> &'c Container<'a> {
        self.container
    }

    /// Whether the command line has these words, whole: `master` is not in `-master=x` nor in `master-0`.
    pub(super) fn has_words(&self, words: &str) -> bool {
        let line = &*self.line;
        let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=');
        line.match_indices(words).any(|(start, found)| {
            let before = line[..start].chars().next_back();
            let after = line[start + found.len()..].chars().next();
            // `/usr/bin/dgraph alpha` has it, `/etc/store.yml` has not.
            before.is_none_or(|c| !is_inside(c)) && after.is_none_or(|c| !is_inside(c) && c != '.')
        })
    }

    /// Whether it is told one of these things: arguments, variables, or variables with their values.
    pub(super) fn is_told(&self, hints: &[String]) -> bool {
        let line = &*self.line;
        let starts = |text: &str, hint: &str| {
            text.strip_prefix(hint)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', ' ', ':', '/']))
        };
        hints.iter().any(|hint| {
            let in_line = line.match_indices(hint.as_str()).any(|(start, _)| {
                let before = line[..start].chars().next_back();
                before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-')
                    && starts(&line[start..], hint)
            });
            in_line
                || self
                    .variables()
                    .iter()
                    .any(|variable| starts(variable, hint))
        })
    }

    /// Whether anything speaks for TLS, so that a question in plain HTTP may get no answer.
    pub(super) fn may_speak_tls(&self) -> bool {
        static WORDS: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r"(?i)(^|[^a-z])(tls|ssl|https|m?tls|certs?|certificates?|cert-?file)([^a-z]|$)",
            )
            .expect("a pattern")
        });
        let mounts = self.container.volume_mounts.iter();
        let mounts = mounts.flat_map(|mount| [&*mount.name, &*mount.mount_path]);
        let off = |text: &str| {
            let text = text.to_lowercase();
            [
                "=false",
                "=0",
                "=off",
                "=no",
                "=disable",
                "=disabled",
                "=none",
                "=",
            ]
            .iter()
            .any(|off| text.ends_with(off))
        };
        let said = |text: &str| WORDS.is_match(text) && !off(text);
        let words = self.container.command.iter().chain(&self.container.args);
        let mut words = words.flat_map(|word| word.split_whitespace());
        words.any(said)
            || self.variables().iter().any(|text| said(text))
            || mounts.into_iter().any(|text| WORDS.is_match(text))
    }

    /// Whether its pages may be below a path of their own.
    pub(super) fn has_prefix(&self) -> bool {
        static WORDS: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?i)(prefix|external[-_.]?url|context[-_.]?path|web[-_.]?context|base[-_.]?(path|url)|root[-_.]?(url|path)|relative[-_.]?path|sub[-_]?path)")
                .expect("a pattern")
        });
        WORDS.is_match(&self.line)
            || self
                .variables()
                .iter()
                .any(|variable| WORDS.is_match(variable))
    }

    /// Whether command line or environment name a port of their own that is none of these.
    pub(super) fn names_other_port(&self, known: &[u16]) -> bool {
        static PORTS: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?i)(?:port|listen|listener|addr|address|bind|url)[a-z_.-]*["']?[\s=:]+\S*?\b(\d{2,5})\b|(?:^|\s)-p[\s=]?(\d{2,5})\b"#)
                .expect("a pattern")
        });
        let other = |text: &str| {
            PORTS.captures_iter(text).any(|found| {
                let number = found.get(1).or_else(|| found.get(2));
                let number = number.and_then(|number| number.as_str().parse().ok());
                number.is_some_and(|number: u16| !known.contains(&number))
            })
        };
        other(&self.line) || self.variables().iter().any(|variable| other(variable))
    }

    /// Whether this workload is told to listen on no TCP port.
    pub(super) fn listens_nowhere(&self, workload: &str) -> bool {
        listens_nowhere(&self.line, workload)
    }

    /// To which address it is told to bind.
    pub(super) fn bound(&self) -> Bound {
        let texts = [&self.line].into_iter().chain(self.variables());
        let bound = texts.map(|text| Bound::by(text));
        bound.max().unwrap_or_default()
    }

    /// Whether it reads a configuration that nobody here sees.
    pub(super) fn is_configured(&self) -> bool {
        static WORDS: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?i)(conf|config|configuration|settings|properties)([^a-z]|$)|\.(conf|cnf|ini|toml|ya?ml|json|xml|properties)$|^/etc(/|$)")
                .expect("a pattern")
        });
        let mounts = self.container.volume_mounts.iter();
        let places = mounts.flat_map(|mount| [&*mount.name, &*mount.mount_path, &*mount.sub_path]);
        let words = self.container.args.iter().map(|word| &**word);
        let files = words.filter(|word| !word.starts_with('-') && word.contains('/'));
        places.chain(files).any(|place| WORDS.is_match(place))
    }
}

#[cfg(test)]
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method is not general enough in its lifetimes"
)]
mod tests {
    use super::*;
    use crate::object::view::StatefulSet;

    fn of<T>(container: &str, ask: impl Fn(&Said<'_, '_>) -> T) -> T {
        let text =
            format!(r#"{{"spec":{{"template":{{"spec":{{"containers":[{container}]}}}}}}}}"#);
        let set = StatefulSet::parse(&text).expect("a set");
        ask(&Said::by(&set.spec.template.spec.containers[0]))
    }

    #[test]
    fn hints_are_whole_arguments_and_variables() {
        let hints = [
            "--tls-port",
            "--port 0",
            "MINIO_SCHEME=https",
            "ETCD_CERT_FILE",
        ];
        let hints = hints.map(str::to_owned);
        for (container, tls) in [
            (r#"{"args":["--tls-port","6379"]}"#, true),
            (
                r#"{"command":["sh","-c","redis-server --port 0 --tls-port=1"]}"#,
                true,
            ),
            (r#"{"args":["--port","0"]}"#, true),
            (r#"{"args":["--port","06379"]}"#, false),
            (r#"{"args":["--no--tls-port"]}"#, false),
            (r#"{"env":[{"name":"MINIO_SCHEME","value":"https"}]}"#, true),
            (r#"{"env":[{"name":"MINIO_SCHEME","value":"http"}]}"#, false),
            (r#"{"env":[{"name":"ETCD_CERT_FILE","value":"/x"}]}"#, true),
        ] {
            assert_eq!(
                of(container, |said| said.is_told(&hints)),
                tls,
                "{container}"
            );
        }
    }

    #[test]
    fn what_speaks_for_tls_prefix_or_configuration_is_seen() {
        for (container, tls) in [
            (r#"{"args":["--web.config.file=x","--tls"]}"#, true),
            (r#"{"env":[{"name":"SSL_MODE","value":"disable"}]}"#, false),
            (r#"{"env":[{"name":"TLS_ENABLED","value":"true"}]}"#, true),
            (
                r#"{"volumeMounts":[{"name":"vault-tls","mountPath":"/x"}]}"#,
                true,
            ),
            (r#"{"args":["--title=x"]}"#, false),
        ] {
            assert_eq!(
                of(container, |said| said.may_speak_tls()),
                tls,
                "{container}"
            );
        }
        assert!(of(r#"{"args":["--web.route-prefix=/x"]}"#, |said| said
            .has_prefix()));
        assert!(of(
            r#"{"env":[{"name":"GF_SERVER_ROOT_URL","value":"x"}]}"#,
            |said| said.has_prefix()
        ));
        assert!(!of(r#"{"args":["--storage=/x"]}"#, |said| said.has_prefix()));
        assert!(of(
            r#"{"volumeMounts":[{"name":"redis-conf","mountPath":"/x"}]}"#,
            |said| said.is_configured()
        ));
        assert!(!of(
            r#"{"volumeMounts":[{"name":"data","mountPath":"/data"}]}"#,
            |said| said.is_configured()
        ));
    }

    #[test]
    fn another_port_is_seen() {
        for (container, other) in [
            (r#"{"args":["--port","7000"]}"#, true),
            (r#"{"args":["--port","6379"]}"#, false),
            (r#"{"command":["sh","-c","postgres -p 5433"]}"#, true),
            (
                r#"{"env":[{"name":"KAFKA_LISTENERS","value":"PLAINTEXT://:19092"}]}"#,
                true,
            ),
            (r#"{"env":[{"name":"HTTP_PORT","value":"6379"}]}"#, false),
            (r#"{"args":["--maxmemory","2048"]}"#, false),
        ] {
            assert_eq!(
                of(container, |said| said.names_other_port(&[6379])),
                other,
                "{container}"
            );
        }
    }

    #[test]
    fn who_only_waits_and_who_serves_are_told_apart() {
        for (container, idle) in [
            (r#"{"command":["sleep"],"args":["infinity"]}"#, true),
            (r#"{"command":["sh","-c","tail -f /dev/null"]}"#, true),
            (r#"{"args":["sh","-c","setup; sleep 1d"]}"#, true),
            (
                r#"{"command":["sh","-c","sleep 30; exec postgres"]}"#,
                false,
            ),
            (r#"{"args":["--sleep","5"]}"#, false),
            ("{}", false),
        ] {
            assert_eq!(of(container, |said| said.is_idle()), idle, "{container}");
        }
        for (container, serves) in [
            ("{}", true),
            (r#"{"args":["--appendonly","yes"]}"#, true),
            (r#"{"args":["server","/data"]}"#, true),
            (r#"{"args":["/usr/bin/mongod","--replSet"]}"#, true),
            (r#"{"args":["pg_dump","-h","db"]}"#, false),
            (r#"{"args":["agent","-config=x"]}"#, false),
        ] {
            let said = of(container, |said| said.starts_server("vault"));
            assert_eq!(said, serves, "{container}");
        }
        let agent = r#"{"args":["agent","-server"]}"#;
        assert!(of(agent, |said| said.starts_server("consul")));
    }
}
