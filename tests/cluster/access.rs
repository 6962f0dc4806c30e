//! Who may speak to the API server, and with which files.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::namespace::Namespace;
use crate::pki::{Authority, Pair, service_account_key};

/// What a client needs.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) url: String,
    pub(crate) authority: Vec<u8>,
    pub(crate) admin: Pair,
    pub(crate) kubeconfig: PathBuf,
}

/// Certificates and keys of the control plane.
pub(crate) struct Files {
    pub(crate) folder: PathBuf,
    authority: Authority,
    pub(crate) authority_file: PathBuf,
    pub(crate) serving: Pair,
    admin: Pair,
    pub(crate) service_accounts: Pair,
}

impl Files {
    pub(crate) fn make(folder: &Path) -> Result<Self> {
        let authority = Authority::new("steadfast-test-control-plane")?;
        let authority_file = folder.join("ca.crt");
        std::fs::write(&authority_file, authority.pem())?;
        let names = [
            "127.0.0.1",
            "10.0.0.1",
            "localhost",
            "kubernetes.default.svc",
        ];
        Ok(Self {
            serving: authority.serving(folder, "kube-apiserver", &names)?,
            admin: authority.client(folder, "admin", "system:masters")?,
            service_accounts: service_account_key(folder)?,
            folder: folder.to_owned(),
            authority,
            authority_file,
        })
    }

    /// For an API server on this port.
    pub(crate) fn access(&self, port: u16) -> Result<Access> {
        let url = format!("https://127.0.0.1:{port}");
        let kubeconfig = self.folder.join("kubeconfig");
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": self.authority_file}}],
            "users": [{"name": "admin", "user": {
                "client-certificate": self.admin.certificate, "client-key": self.admin.key,
            }}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        });
        std::fs::write(&kubeconfig, text.to_string())?;
        Ok(Access {
            url,
            authority: self.authority.der().to_vec(),
            admin: self.admin.clone(),
            kubeconfig,
        })
    }
}

/// The administrator's kubeconfig with other content.
pub(crate) fn kubeconfig(
    cluster: &Cluster,
    file: &str,
    change: impl FnOnce(&mut Value),
) -> Result<PathBuf> {
    let mut config = serde_json::from_str(&std::fs::read_to_string(cluster.kubeconfig())?)?;
    change(&mut config);
    let path = cluster.folder().join(file);
    std::fs::write(&path, config.to_string())?;
    Ok(path)
}

/// The kubeconfig of a `ServiceAccount`.
pub(crate) fn account(namespace: &Namespace<'_>, name: &str) -> Result<PathBuf> {
    let token = namespace.kubectl(&["create", "token", name]).succeed()?;
    let user = json!({"token": token.stdout.trim()});
    let file = format!("{}-{name}.kubeconfig", namespace.name());
    kubeconfig(namespace.cluster(), &file, |config| {
        config["users"][0]["user"] = user;
    })
}
