//! The six programs of the control plane: found in `KUBEBUILDER_ASSETS`, else in the cache, else built into it.
//!
//! They are built from the Go module in tests/controlplane, whose checksums pin every line of them; the cache's name
//! is a digest of that module and of the flags, so another branch with another pin has a cache of its own.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::supervise::{self, Lifeline};

const GO_MOD: &str = include_str!("../controlplane/go.mod");
const GO_SUM: &str = include_str!("../controlplane/go.sum");
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/controlplane");

struct Program {
    name: &'static str,
    package: &'static str,
    /// With empty Go caches on two cores.
    cold: &'static str,
}

const PROGRAMS: [Program; 6] = [
    Program {
        name: "etcd",
        package: "go.etcd.io/etcd/server/v3",
        cold: "half a minute",
    },
    Program {
        name: "kubectl",
        package: "k8s.io/kubernetes/cmd/kubectl",
        cold: "half a minute",
    },
    Program {
        name: "kube-apiserver",
        package: "k8s.io/kubernetes/cmd/kube-apiserver",
        cold: "6 minutes",
    },
    Program {
        name: "kube-controller-manager",
        package: "k8s.io/kubernetes/cmd/kube-controller-manager",
        cold: "2 minutes",
    },
    Program {
        name: "helm",
        package: "helm.sh/helm/v4/cmd/helm",
        cold: "2 minutes",
    },
    Program {
        name: "kwok",
        package: "sigs.k8s.io/kwok/cmd/kwok",
        cold: "a minute",
    },
];

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Binaries {
    assets: Option<PathBuf>,
    cache: PathBuf,
}

impl Binaries {
    /// Finds all programs and builds those that are missing.
    pub(crate) fn ready() -> Result<Self> {
        let assets = env::var_os("KUBEBUILDER_ASSETS")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from);
        if let Some(folder) = &assets {
            ensure!(
                folder.is_dir(),
                "KUBEBUILDER_ASSETS is {}, which is no folder",
                folder.display()
            );
        }
        let binaries = Self {
            assets,
            cache: cache_folder()?,
        };
        if !binaries.missing().is_empty() {
            binaries.build_missing()?;
        }
        Ok(binaries)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.from_assets(name)
            .unwrap_or_else(|| self.cache.join(name))
    }

    /// The version that this API server must report.
    pub(crate) fn kubernetes_version(&self) -> Result<String> {
        let Some(program) = self.from_assets("kube-apiserver") else {
            return pinned_version();
        };
        let output = Command::new(program)
            .arg("--version")
            .output()
            .context("kube-apiserver --version")?;
        let text =
            String::from_utf8(output.stdout).context("kube-apiserver --version is no text")?;
        text.split_whitespace()
            .last()
            .map(str::to_owned)
            .context("kube-apiserver --version says nothing")
    }

    fn from_assets(&self, name: &str) -> Option<PathBuf> {
        self.assets
            .as_ref()
            .map(|folder| folder.join(name))
            .filter(|path| path.is_file())
    }

    fn missing(&self) -> Vec<&'static Program> {
        PROGRAMS
            .iter()
            .filter(|program| !self.path(program.name).is_file())
            .collect()
    }

    fn build_missing(&self) -> Result<()> {
        fs::create_dir_all(&self.cache)
            .with_context(|| format!("cannot create {}", self.cache.display()))?;
        let lock =
            File::create(self.cache.join("lock")).context("cannot create the cache's lock")?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            eprintln!(
                "another test run is building the control plane into {}; waiting",
                self.cache.display()
            );
            lock.lock().context("cannot lock the cache")?;
        }
        // Whoever held the lock before may have built them.
        let missing = self.missing();
        if missing.is_empty() {
            return Ok(());
        }
        find_go(&missing)?;
        eprintln!(
            "the control plane is built once, into {}",
            self.cache.display()
        );
        for (index, program) in missing.iter().enumerate() {
            eprintln!(
                "building {} ({} of {}), about {} cold",
                program.name,
                index + 1,
                missing.len(),
                program.cold
            );
            self.build(program)
                .with_context(|| format!("cannot build {}", program.name))?;
        }
        Ok(())
    }

    fn build(&self, program: &Program) -> Result<()> {
        // Built beside its place: what has its final name is whole.
        let partial = self.cache.join(format!("{}.partial", program.name));
        let mut go = supervise::command("go")?;
        // Proxies matter here and only here: this child may have to download.
        go.envs(env::vars_os()).current_dir(MODULE);
        go.args(["build", "-trimpath", "-ldflags", &linker_flags()?, "-o"])
            .arg(&partial)
            .arg(program.package);
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
                    "  still building {}, {} s so far",
                    program.name,
                    start.elapsed().as_secs()
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        };
        ensure!(
            status.success(),
            "`go build {}` failed; its messages stand above",
            program.package
        );
        fs::rename(&partial, self.cache.join(program.name)).context("cannot put it in its place")
    }
}

fn find_go(missing: &[&Program]) -> Result<()> {
    let found = Command::new("go")
        .arg("version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|program| program.name).collect();
    bail!(
        "these tests run a real Kubernetes control plane, and there is no Go to build it with (missing: {}).\n\
         Either install Go 1.26 or newer (https://go.dev/dl), which builds it once into a cache,\n\
         or set KUBEBUILDER_ASSETS to a folder that holds these programs.\n\
         STEADFAST_TEST_CLUSTER=off leaves these tests out.",
        names.join(", ")
    )
}

fn cache_folder() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = base.or_else(|| env::home_dir().map(|home| home.join(".cache")));
    let base = base.context("neither XDG_CACHE_HOME nor HOME says where caches belong")?;
    Ok(base
        .join("steadfast")
        .join(format!("controlplane-{}", digest()?)))
}

/// A home folder may be shared by machines of several kinds, so the platform counts too.
fn digest() -> Result<String> {
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

/// `v1.37.2`, as go.mod pins it.
fn pinned_version() -> Result<String> {
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
