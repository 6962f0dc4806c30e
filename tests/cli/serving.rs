//! `steadfast serve`, as far as it comes without a cluster.

use std::path::Path;

use super::{command, folder};

/// Nothing is bound and no certificate is read when this comes to light.
fn without_a_cluster(folder: &Path, lookups: &str) -> (Option<i32>, String) {
    let pair = ["--tls-cert", "none.crt", "--tls-key", "none.key"];
    let mut command = command(folder, &["serve", "--lookups", lookups]);
    command
        .args(pair)
        .env("HOME", folder)
        .env_remove("KUBECONFIG")
        .env_remove("KUBERNETES_SERVICE_HOST");
    let output = command.output().expect("it ends");
    let stderr = String::from_utf8(output.stderr).expect("it writes UTF-8");
    (output.status.code(), stderr)
}

#[test]
fn lookups_without_an_api_server_stop_the_start() {
    let folder = folder(&[]);
    let (code, stderr) = without_a_cluster(folder.path(), "controllerrevisions");
    assert_eq!(code, Some(2), "{stderr}");
    let words = "error: --lookups needs access to the API server: neither a kubeconfig nor the environment of a pod: ";
    assert!(stderr.starts_with(words), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn a_kind_that_nobody_looks_up_is_told_with_those_that_are() {
    let folder = folder(&[]);
    let (code, stderr) = without_a_cluster(folder.path(), "controllerrevisions,pods");
    assert_eq!(code, Some(2), "{stderr}");
    for words in [
        "'pods'",
        "[possible values: services, storageclasses, persistentvolumeclaims, controllerrevisions, poddisruptionbudgets]",
    ] {
        assert!(stderr.contains(words), "{stderr}");
    }
}
