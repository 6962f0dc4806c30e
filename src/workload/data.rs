//! Whether a mount is one of data.

use crate::object::view::VolumeMount;

/// Folders that hold no data of a workload's own, and those below them.
const ROOTS: &[&str] = &[
    "bin",
    "boot",
    "csi",
    "dev",
    "docker-entrypoint-initdb.d",
    "etc",
    "host",
    "hugepages",
    "lib",
    "lib64",
    "proc",
    "rootfs",
    "run",
    "sbin",
    "sys",
    "temp",
    "tmp",
    "usr",
    "var/cache",
    "var/lib/kubelet",
    "var/log",
    "var/run",
    "var/tmp",
];

/// Words in a volume's name, or in where it is mounted, that speak for configuration, credentials, programs, or something that may
/// be lost.
const WORDS: &[&str] = &[
    "account",
    "agent",
    "alerts",
    "auth",
    "authorized",
    "bin",
    "bootstrap",
    "ca",
    "cache",
    "cert",
    "certificate",
    "certificates",
    "certs",
    "cfg",
    "cfgmap",
    "cgroup",
    "cgroups",
    "cm",
    "conf",
    "config",
    "configmap",
    "configs",
    "configuration",
    "crds",
    "credential",
    "credentials",
    "creds",
    "crt",
    "dashboard",
    "dashboards",
    "dshm",
    "entrypoint",
    "env",
    "envoy",
    "extensions",
    "fixtures",
    "health",
    "healthcheck",
    "heapdump",
    "hooks",
    "host",
    "hosts",
    "htpasswd",
    "hugepages",
    "init",
    "initdb",
    "ipc",
    "jars",
    "jmx",
    "jwt",
    "key",
    "keys",
    "keystore",
    "keytab",
    "krb5",
    "kube",
    "kubeconfig",
    "libs",
    "license",
    "locale",
    "lock",
    "log",
    "logs",
    "memory",
    "migrations",
    "modules",
    "motd",
    "oidc",
    "otel",
    "passwd",
    "password",
    "passwords",
    "payload",
    "pem",
    "pgpass",
    "pid",
    "pki",
    "plugin",
    "plugins",
    "podinfo",
    "policies",
    "policy",
    "probe",
    "probes",
    "proc",
    "properties",
    "provisioning",
    "proxy",
    "queries",
    "ramdisk",
    "realm",
    "realms",
    "rootfs",
    "rules",
    "run",
    "saml",
    "schema",
    "scratch",
    "script",
    "scripts",
    "secret",
    "secrets",
    "serviceaccount",
    "settings",
    "shared",
    "shm",
    "sock",
    "socket",
    "sockets",
    "spire",
    "ssh",
    "ssl",
    "startup",
    "svcacct",
    "sys",
    "temp",
    "template",
    "templates",
    "theme",
    "themes",
    "tls",
    "tmp",
    "token",
    "tokens",
    "tools",
    "truststore",
    "work",
    "workdir",
];

/// Words in a volume's name that speak for data, wherever it is mounted: `.ollama` and the like hold nothing else.
const DATA: &[&str] = &["data", "db", "model", "models", "storage", "store"];

/// The folder of the system that a path is at or under; none where it may hold data.
#[must_use]
pub fn system_folder(path: &str) -> Option<String> {
    let path = canonical(path);
    let under = |root: &&&str| {
        path.strip_prefix(**root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match ROOTS.iter().find(under) {
        _ if path.is_empty() => Some("the root".to_owned()),
        root => root.map(|root| format!("/{root}")),
    }
}

/// What speaks against a mount being one of data that must be kept.
#[must_use]
pub fn doubt(mount: &VolumeMount<'_>) -> Option<String> {
    let path = canonical(&mount.mount_path);
    let under = system_folder(&mount.mount_path);
    let words = || words(&mount.name);
    let is_data = words().any(|word| DATA.contains(&word));
    let hidden = path.split('/').find(|part| part.starts_with('.'));
    let hidden = hidden.filter(|_| !is_data);
    let below = path.split('/').flat_map(self::words);
    let word = words()
        .chain(below.filter(|_| !is_data))
        .find(|word| speaks_against(word));
    match (under, hidden, word) {
        _ if !mount.mount_path.starts_with('/') => Some("its path is no absolute one".to_owned()),
        _ if path.is_empty() => Some("it is mounted at the root".to_owned()),
        _ if is_home(&path) => Some("it is mounted over a home directory".to_owned()),
        (Some(root), _, _) => Some(format!("it is mounted under {root}")),
        (_, Some(part), _) => Some(format!("it is mounted under a hidden folder, {part}")),
        _ if [&path, &*mount.sub_path, &*mount.sub_path_expr]
            .into_iter()
            .any(is_file_like) =>
        {
            Some("it looks like a single file".to_owned())
        }
        (_, _, Some(word)) => Some(format!("{word:?} in its name or path speaks against data")),
        (None, None, None) => None,
    }
}

/// Whether a volume of this name is hardly one of data.
#[must_use]
pub fn is_named_otherwise(name: &str) -> bool {
    words(name).any(speaks_against)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(['-', '_', '.'])
}

fn speaks_against(word: &str) -> bool {
    WORDS.contains(&&*word.to_ascii_lowercase())
}

/// Whether it is the home directory of root or somebody else, which holds more than data.
fn is_home(path: &str) -> bool {
    let parts: Vec<_> = path.split('/').collect();
    matches!(parts[..], ["root" | "home"] | ["home", _])
}

/// The path without empty, `.` and `..` parts, and without the slash in front: a relative one starts at the root, too.
fn canonical(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether the last part has an extension with a letter in it, as `init.sql` and `my.p12` have and `15.2` has not, or is called as
/// only files are.
fn is_file_like(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    let extended = last.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (2..=10).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && extension.starts_with(|first: char| first.is_ascii_alphabetic())
    });
    let is_named_so = last == "passwd"
        || last.ends_with("file") && last.starts_with(|c: char| c.is_ascii_uppercase());
    extended || is_named_so
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_data(name: &str, path: &str, sub_path: &str) -> bool {
        let text = format!(r#"{{"name":"{name}","mountPath":"{path}","subPath":"{sub_path}"}}"#);
        doubt(&serde_json::from_str(&text).expect("a mount")).is_none()
    }

    #[test]
    fn data_is_told_from_everything_else() {
        for path in [
            "/var/lib/postgresql/data",
            "/data",
            "/var/lib/postgresql/15.2",
            "/opt/app-1.2/db",
            "/bitnami/x",
            "/data.d",
        ] {
            assert!(is_data("data", path, ""), "{path}");
        }
        assert!(is_data("www", "/data", "pgdata"));
        for path in [
            "/",
            "",
            "//etc/foo",
            "/./etc",
            "/var/../etc",
            "etc/foo",
            "/proc",
            "/dev/shm",
            "/app/Caddyfile",
            "/app/my.p12",
            "C:\\\\Windows\\\\Temp",
            "/tmp",
            "/x/app.conf",
        ] {
            assert!(!is_data("data", path, ""), "{path}");
        }
        for name in [
            "app-config",
            "db-credentials",
            "tls",
            "ca",
            "logs",
            "cache-0",
            "init-scripts",
        ] {
            assert!(!is_data(name, "/data", ""), "{name}");
        }
        assert!(!is_data("data", "/data", "settings.yaml"));
        for path in ["/app/conf", "/prometheus/rules"] {
            assert!(!is_data("app", path, ""), "{path}");
        }
        assert!(is_data("models", "/home/me/.ollama", ""));
        for name in ["id", "data-keys", "home"] {
            assert!(!is_data(name, "/home/me/.ssh", ""), "{name}");
        }
    }
}
