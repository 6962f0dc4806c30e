//! The clients by which an author hands in one manifest for years.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::invocation::Output;
use crate::namespace::Namespace;
use crate::objects::write;

/// Who brings a manifest to the API server, and in which kind of request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Client {
    /// `kubectl apply`: a three-way merge with the manifest before.
    Apply,
    /// `kubectl apply --server-side`.
    ServerSide,
    /// `kubectl replace`: a PUT of the manifest.
    Replace,
    /// Helm 4, which applies server-side unless it is told otherwise.
    HelmServerSide,
    /// Helm 4: a three-way merge.
    HelmClientSide,
    /// Helm 4: a PUT of the manifest.
    HelmForceReplace,
    /// Helm 3: a three-way merge.
    Helm3,
    /// Helm 3: a PUT of the manifest.
    Helm3Force,
}

impl Client {
    /// Whether what the manifest does not mention stays in the set.
    pub(super) fn merges(self) -> bool {
        !matches!(
            self,
            Self::Replace | Self::HelmForceReplace | Self::Helm3Force
        )
    }

    /// Whether the set tells what its author wrote: by a server-side apply, or by kubectl's annotation.
    pub(super) fn leaves_a_trace(self) -> bool {
        matches!(self, Self::Apply | Self::ServerSide | Self::HelmServerSide)
    }

    /// Hands in the manifest of a set that is there.
    pub(super) fn hand_in(self, namespace: &Namespace<'_>, manifest: &Value) -> Result<Output> {
        let kubectl = |args: &[&str]| {
            write(|| {
                let command = namespace.kubectl(args).stdin(manifest.to_string());
                command.run()
            })
        };
        match self {
            Self::Apply => kubectl(&["apply", "-f", "-"]),
            // `rollout undo` takes the fields that it writes for its own.
            Self::ServerSide => {
                kubectl(&["apply", "--server-side", "--force-conflicts", "-f", "-"])
            }
            Self::Replace => kubectl(&["replace", "-f", "-"]),
            Self::HelmServerSide | Self::HelmClientSide | Self::Helm3 => {
                self.helm(namespace, "upgrade", self.how(), manifest)
            }
            Self::HelmForceReplace => self.helm(
                namespace,
                "upgrade",
                &["--server-side=false", "--force-replace"],
                manifest,
            ),
            Self::Helm3Force => self.helm(namespace, "upgrade", &["--force"], manifest),
        }
    }

    /// Hands in the manifest of a set that is not there yet.
    pub(super) fn create(self, namespace: &Namespace<'_>, manifest: &Value) -> Result<Output> {
        match self {
            Self::Replace => namespace
                .kubectl(&["create", "-f", "-"])
                .stdin(manifest.to_string())
                .succeed(),
            Self::Apply | Self::ServerSide => self.hand_in(namespace, manifest),
            _ => self.helm(namespace, "install", self.how(), manifest),
        }
    }

    /// Makes a set again that was deleted behind the client's back.
    pub(super) fn make_again(self, namespace: &Namespace<'_>, manifest: &Value) -> Result<Output> {
        match self {
            Self::Replace => self.create(namespace, manifest),
            // A PUT cannot make what is not there; Helm's merges look first.
            Self::HelmForceReplace | Self::Helm3Force => {
                self.helm(namespace, "upgrade", self.how(), manifest)
            }
            _ => self.hand_in(namespace, manifest),
        }
    }

    /// The flags that a first install takes, too.
    fn how(self) -> &'static [&'static str] {
        match self {
            Self::HelmServerSide => &["--server-side=true", "--force-conflicts"],
            Self::HelmClientSide | Self::HelmForceReplace => &["--server-side=false"],
            _ => &[],
        }
    }

    fn helm(
        self,
        namespace: &Namespace<'_>,
        verb: &str,
        flags: &[&str],
        manifest: &Value,
    ) -> Result<Output> {
        let chart = namespace.cluster().folder().join(namespace.name());
        write_chart(&chart).context("cannot write the chart")?;
        let chart = chart.display().to_string();
        // As text, so that nothing of it is interpreted.
        let values = json!({"manifest": manifest.to_string()}).to_string();
        let args = [verb, "life", &chart, "--values", "-"];
        write(|| {
            let helm = match self {
                Self::Helm3 | Self::Helm3Force => namespace.helm3(&args),
                _ => namespace.helm(&args),
            };
            helm.args(flags).stdin(&values).run()
        })
    }
}

/// A chart that renders the manifest in its values.
fn write_chart(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("templates"))?;
    let about = "apiVersion: v2\nname: life\nversion: 1.0.0\n";
    fs::write(folder.join("Chart.yaml"), about)?;
    fs::write(
        folder.join("templates/set.yaml"),
        "{{ .Values.manifest }}\n",
    )?;
    Ok(())
}
