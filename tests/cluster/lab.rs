//! The sets of tests/lab: as they are written, how they are submitted, and what is to be stored.

use anyhow::Result;
use serde_json::{Value, json};

use crate::invocation::Output;
use crate::namespace::Namespace;
use crate::objects::parse;

/// One workload, complete and bare.
pub(crate) struct Lab {
    /// The container, and what the lab's chart calls the workload.
    pub(crate) app: &'static str,
    pub(crate) set: &'static str,
    pub(crate) complete: &'static str,
    pub(crate) bare: &'static str,
    claim: &'static str,
    service_name: &'static str,
}

pub(crate) const PYTHON: Lab = Lab {
    app: "app-python",
    set: "app-python-helm",
    complete: include_str!("../lab/app-python-helm.yaml"),
    bare: include_str!("../lab/app-python-helm-bare.yaml"),
    claim: "app-python-visits",
    // Its only Service has a ClusterIP.
    service_name: "app-python-helm",
};

pub(crate) const LABS: [Lab; 3] = [
    PYTHON,
    Lab {
        app: "app-go",
        set: "app-go-helm",
        complete: include_str!("../lab/app-go-helm.yaml"),
        bare: include_str!("../lab/app-go-helm-bare.yaml"),
        claim: "app-go-visits",
        service_name: "app-go-helm",
    },
    Lab {
        app: "vault",
        set: "vault",
        complete: include_str!("../lab/vault.yaml"),
        bare: include_str!("../lab/vault-bare.yaml"),
        claim: "data",
        service_name: "vault-internal",
    },
];

/// [`PYTHON`], complete, with a grace period of 0.
pub(crate) const REFUSED: &str = include_str!("../lab/refused.yaml");

/// How a manifest reaches the API server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Apply,
    Create,
    ServerSide,
    Helm,
}

pub(crate) const WAYS: [Way; 4] = [Way::Apply, Way::Create, Way::ServerSide, Way::Helm];

impl Lab {
    pub(crate) fn submit(&self, namespace: &Namespace<'_>, way: Way, bare: bool) -> Result<Output> {
        let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/chart");
        let values = format!("app={},bare={bare}", self.app);
        let command = match way {
            Way::Apply => namespace.kubectl(&["apply", "-f", "-"]),
            Way::Create => namespace.kubectl(&["create", "-f", "-"]),
            Way::ServerSide => namespace.kubectl(&["apply", "--server-side", "-f", "-"]),
            Way::Helm => namespace.helm(&["install", self.set, chart, "--set", &values]),
        };
        let manifest = if bare { self.bare } else { self.complete };
        command.stdin(manifest).succeed()
    }

    pub(crate) fn withdraw(&self, namespace: &Namespace<'_>, way: Way) -> Result<()> {
        let command = match way {
            Way::Helm => namespace.helm(&["uninstall", self.set]),
            _ => namespace.kubectl(&["delete", "statefulset", self.set]),
        };
        command.succeed().map(drop)
    }

    /// The probes that the bare set gets, by rule and field.
    fn probes(&self) -> Vec<(&'static str, &'static str, Value)> {
        if self.app == "vault" {
            // The catalogue knows how it is asked, and that a sealed one must not be restarted.
            return vec![("missing-readiness-probe", "readinessProbe", vault_probe())];
        }
        vec![
            ("missing-liveness-probe", "livenessProbe", probe(20, 6)),
            ("missing-liveness-probe", "startupProbe", probe(10, 180)),
            ("missing-readiness-probe", "readinessProbe", probe(10, 3)),
        ]
    }

    /// What the record of the bare set says.
    pub(crate) fn record(&self) -> Value {
        let claim = json!({
            "rule": "dangling-volume-mount",
            "path": format!("spec.volumeClaimTemplates[{}]", self.claim),
            "value": self.claim_template(),
        });
        let probes = self.probes().into_iter().map(|(rule, field, value)| {
            let path = format!("spec.template.spec.containers[{}].{field}", self.app);
            let mut entry =
                json!({"rule": rule, "container": self.app, "path": path, "value": value});
            if self.app == "vault" {
                entry["workload"] = "vault".into();
            }
            entry
        });
        let service = json!({"rule": "missing-service-name", "path": "spec.serviceName", "value": self.service_name});
        let injected: Vec<_> = [claim].into_iter().chain(probes).chain([service]).collect();
        json!({"version": 1, "injected": injected})
    }

    /// The bare set with everything that is to be injected written out by hand.
    pub(crate) fn bare_by_hand(&self) -> Result<Value> {
        let mut set = parse(self.bare)?;
        let spec = &mut set["spec"];
        spec["serviceName"] = json!(self.service_name);
        spec["volumeClaimTemplates"] = json!([self.claim_template()]);
        let container = &mut spec["template"]["spec"]["containers"][0];
        for (_, field, value) in self.probes() {
            container[field] = value;
        }
        Ok(set)
    }

    /// The rules that speak about the bare set, each with a word of what it did.
    pub(crate) fn warnings(&self) -> Vec<(&'static str, String)> {
        let claim = format!("added claim template {}, 8Gi", self.claim);
        let service = format!("set to \"{}\"", self.service_name);
        let mut warnings = vec![
            ("dangling-volume-mount", claim),
            ("missing-service-name", service),
        ];
        let probes: &[_] = if self.app == "vault" {
            &[(
                "missing-readiness-probe",
                "added httpGet /v1/sys/health?standbyok=true&perfstandbyok=true on http of workload vault, every 10 s",
            )]
        } else {
            &[
                (
                    "missing-readiness-probe",
                    "added tcpSocket http, every 10 s",
                ),
                (
                    "missing-liveness-probe",
                    "added tcpSocket http, kills after 120 s",
                ),
            ]
        };
        warnings.extend(
            probes
                .iter()
                .map(|(rule, done)| (*rule, (*done).to_owned())),
        );
        warnings
    }

    /// No class is named: the cluster's default one is taken.
    fn claim_template(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": self.claim},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "8Gi"}},
                "volumeMode": "Filesystem",
            },
        })
    }
}

fn probe(period: u32, failures: u32) -> Value {
    json!({
        "tcpSocket": {"port": "http"}, "periodSeconds": period, "timeoutSeconds": 5,
        "successThreshold": 1, "failureThreshold": failures,
    })
}

fn vault_probe() -> Value {
    json!({
        "httpGet": {"path": "/v1/sys/health?standbyok=true&perfstandbyok=true", "port": "http", "scheme": "HTTP"},
        "initialDelaySeconds": 5, "periodSeconds": 10, "timeoutSeconds": 3, "successThreshold": 1, "failureThreshold": 2,
    })
}
