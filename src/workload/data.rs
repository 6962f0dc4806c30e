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
    "lib",
    "lib64",
    "proc",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr",
    "var/cache",
    "var/lib/kubelet",
    "var/log",
    "var/run",
    "var/tmp",
];

/// Words in a volume's name that speak for configuration, credentials, or something that may be lost.
const WORDS: &[&str] = &[
    "ca",
    "cache",
    "cert",
    "certificate",
    "certificates",
    "certs",
    "conf",
    "config",
    "configmap",
    "configs",
    "configuration",
    "credential",
    "credentials",
    "dashboards",
    "dshm",
    "env",
    "init",
    "initdb",
    "key",
    "keys",
    "keystore",
    "kube",
    "license",
    "log",
    "logs",
    "password",
    "passwords",
    "plugins",
    "script",
    "scripts",
    "secret",
    "secrets",
    "shared",
    "shm",
    "socket",
    "ssh",
    "ssl",
    "tls",
    "tmp",
    "token",
    "tokens",
    "truststore",
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
    let words = || mount.name.split(['-', '_', '.']);
    let hidden = path.split('/').find(|part| part.starts_with('.'));
    let hidden = hidden.filter(|_| !words().any(|word| DATA.contains(&word)));
    let word = words().find(|word| WORDS.contains(word));
    match (under, hidden, word) {
        _ if path.is_empty() => Some("it is mounted at the root".to_owned()),
        (Some(root), _, _) => Some(format!("it is mounted under {root}")),
        (_, Some(part), _) => Some(format!("it is mounted under a hidden folder, {part}")),
        _ if [&path, &*mount.sub_path, &*mount.sub_path_expr]
            .into_iter()
            .any(is_file_like) =>
        {
            Some("it looks like a single file".to_owned())
        }
        (_, _, Some(word)) => Some(format!("{word:?} in its name speaks against data")),
        (None, None, None) => None,
    }
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

/// Whether the last part has an extension of letters, as `init.sql` has and `15.2` has not.
fn is_file_like(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (2..=10).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
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
        assert!(is_data("models", "/home/me/.ollama", ""));
        for name in ["id", "data-keys", "home"] {
            assert!(!is_data(name, "/home/me/.ssh", ""), "{name}");
        }
    }
}
