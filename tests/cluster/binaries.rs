//! The programs of the control plane: found in `KUBEBUILDER_ASSETS`, else in the cache, else built into it.
//!
//! They are built from the Go module in tests/controlplane, whose checksums pin every line of them; the cache's name
//! is a digest of that module and of the flags, so another branch with another pin has a cache of its own.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::go_module;

struct Program {
    name: &'static str,
    package: &'static str,
    /// With empty Go caches on two cores.
    cold: &'static str,
}

const PROGRAMS: [Program; 7] = [
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
    // Many releases in the field are still made by it.
    Program {
        name: "helm3",
        package: "helm.sh/helm/v3/cmd/helm",
        cold: "a minute",
    },
    Program {
        name: "kwok",
        package: "sigs.k8s.io/kwok/cmd/kwok",
        cold: "a minute",
    },
];

/// Where the programs are.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    assets: Option<PathBuf>,
    cache: PathBuf,
}

impl Binaries {
    /// Finds all programs and builds those that are missing.
    pub(crate) fn ready() -> Result<Self> {
        let assets = env::var_os("KUBEBUILDER_ASSETS")
            .filter(|folder| !folder.is_empty())
            // Some of them run in another folder than we do.
            .map(fs::canonicalize)
            .transpose()
            .context("KUBEBUILDER_ASSETS names no folder")?;
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
        self.asset(name).unwrap_or_else(|| self.cache.join(name))
    }

    /// The version that this API server must report.
    pub(crate) fn kubernetes_version(&self) -> Result<String> {
        let Some(program) = self.asset("kube-apiserver") else {
            return go_module::pinned_version();
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

    fn asset(&self, name: &str) -> Option<PathBuf> {
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
        let names: Vec<&str> = missing.iter().map(|program| program.name).collect();
        go_module::find_go(&names)?;
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
            go_module::build(program.package, &self.cache.join(program.name))
                .with_context(|| format!("cannot build {}", program.name))?;
        }
        Ok(())
    }
}

fn cache_folder() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = base.or_else(|| env::home_dir().map(|home| home.join(".cache")));
    let base = base.context("neither XDG_CACHE_HOME nor HOME says where caches belong")?;
    Ok(base
        .join("steadfast")
        .join(format!("controlplane-{}", go_module::digest()?)))
}
