//! The Go module in tests/controlplane: its version, its digest, and building its programs.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::supervise::{self, Lifeline};

const GO_MOD: &str = include_str!("../controlplane/go.mod");
const GO_SUM: &str = include_str!("../controlplane/go.sum");
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/controlplane");

/// `v1.37.2`, as go.mod pins it.
pub(crate) fn pinned_version() -> Result<String> {
    let line = GO_MOD
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v"));
    let version = line.and_then(|rest| rest.split_whitespace().next());
    version
        .map(|version| format!("v{version}"))
        .context("go.mod does not pin k8s.io/kubernetes")
}

/// Built from a module, Kubernetes does not know its own version; clients and Helm ask for it.
fn linker_flags() -> Result<String> {
    let version = pinned_version()?;
    let mut numbers = version.trim_start_matches('v').split('.');
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else {
        bail!("{version} is no version")
    };
    let set = "-X k8s.io/component-base/version";
    Ok(format!(
        "-s -w {set}.gitVersion={version} {set}.gitMajor={major} {set}.gitMinor={minor} {set}.gitTreeState=clean"
    ))
}

/// Stands for everything that goes into the programs.
///
/// A home folder may be shared by machines of several kinds, so the platform counts too.
pub(crate) fn digest() -> Result<String> {
    let mut sha = Sha256::new();
    for part in [
        GO_MOD,
        GO_SUM,
        &linker_flags()?,
        env::consts::OS,
        env::consts::ARCH,
    ] {
        sha.update(part.as_bytes());
        sha.update([0]);
    }
    Ok(sha.finalize()[..6]
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
}

/// An error that names the ways out, if there is no Go; `missing` are the programs wanted of it.
pub(crate) fn find_go(missing: &[&str]) -> Result<()> {
    let found = Command::new("go")
        .arg("version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    bail!(
        "these tests run a real Kubernetes control plane, and there is no Go to build it with (missing: {}).\n\
         Either install Go 1.26 or newer (https://go.dev/dl), which builds it once into a cache,\n\
         or set KUBEBUILDER_ASSETS to a folder that holds these programs.\n\
         STEADFAST_TEST_CLUSTER=off leaves these tests out.",
        missing.join(", ")
    )
}

/// Builds one package into `target`, and says every now and then that it still does.
pub(crate) fn build(package: &str, target: &Path) -> Result<()> {
    // Built beside its place: what has its final name is whole.
    let partial = target.with_extension("partial");
    let mut go = supervise::command("go")?;
    // Proxies matter here and only here: this child may have to download.
    go.envs(env::vars_os()).current_dir(MODULE);
    go.args(["build", "-trimpath", "-ldflags", &linker_flags()?, "-o"])
        .arg(&partial)
        .arg(package);
    // GOFLAGS of the machine could bring tags, a vendor folder or another mode.
    go.env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=readonly -buildvcs=false")
        .env("GOWORK", "off");
    go.env_remove("GOOS").env_remove("GOARCH");

    let start = Instant::now();
    let mut said = start;
    let mut child = go.spawn().context("cannot start go")?;
    let _lifeline = Lifeline::of(&mut child);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if said.elapsed() >= Duration::from_secs(15) {
            said = Instant::now();
            eprintln!(
                "  still building {package}, {} s so far",
                start.elapsed().as_secs()
            );
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    ensure!(
        status.success(),
        "`go build {package}` failed; its messages stand above"
    );
    fs::rename(&partial, target).context("cannot put it in its place")
}
