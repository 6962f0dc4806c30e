//! The server as the API server and its operators see it.

use anyhow::{Result, ensure};
use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::judged::{Judged, with_lab};
use crate::lab::{PYTHON, REFUSED};
use crate::objects::{ensure_equal, record_of, stored};
use crate::registration::Registration;
use crate::tests;
use crate::webhook::Webhook;

tests![
    a_stopped_server_blocks_only_where_the_policy_is_fail,
    counts_every_review_and_decision,
];

fn a_stopped_server_blocks_only_where_the_policy_is_fail(cluster: &Cluster) -> Result<()> {
    for (failure_policy, blocks) in [("Ignore", false), ("Fail", true)] {
        let namespace = cluster.namespace("stopped")?;
        let server = with_lab(Webhook::new(), &namespace)?.start(cluster)?;
        let fields = json!({"failurePolicy": failure_policy});
        let _registration =
            Registration::with(&namespace, server.port(), &server.ca_pem(), &fields)?;
        let create = || {
            namespace
                .kubectl(&["create", "-f", "-"])
                .stdin(PYTHON.complete)
        };
        // It is asked while it runs.
        let refused = namespace.kubectl(&["create", "-f", "-"]).stdin(REFUSED);
        ensure!(refused.fail()?.stderr.contains("denied the request"));

        let (status, log) = server.stop()?;
        ensure!(status.success(), "it ended with {status}: {log}");
        if blocks {
            let failed = create().fail()?;
            let wanted = "failed calling webhook \"mutate.steadfast.dev\"";
            ensure!(failed.stderr.contains(wanted), "{failed}");
        } else {
            create().succeed()?;
            let set = stored(&namespace, PYTHON.set)?;
            ensure_equal("record", &record_of(&set)?, &Value::Null)?;
        }
    }
    Ok(())
}

/// One bare set is made, scaled and labelled, one set is refused.
fn counts_every_review_and_decision(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "metrics")?;
    let namespace = &judged.namespace;
    let set = PYTHON.bare.replace("replicas: 2", "replicas: 0");
    namespace
        .kubectl(&["create", "-f", "-"])
        .stdin(set)
        .succeed()?;
    // An update that meets the controller's is judged twice.
    namespace.wait(
        PYTHON.set,
        "is known to its controller",
        |set: &StatefulSet| {
            set.status
                .as_ref()
                .is_some_and(|status| status.observed_generation == Some(1))
        },
    )?;
    let refused = REFUSED.replace("name: app-python-helm\n  labels", "name: other\n  labels");
    namespace
        .kubectl(&["create", "-f", "-"])
        .stdin(refused)
        .fail()?;
    let set = "statefulset/app-python-helm";
    namespace.kubectl(&["label", set, "team=web"]).succeed()?;
    // A subresource: nobody asks us.
    namespace
        .kubectl(&["scale", set, "--replicas=1"])
        .succeed()?;

    let metrics = judged.server.status(cluster, "/metrics")?;
    let counted = |prefix: &str| {
        let mut lines: Vec<_> = metrics
            .lines()
            .filter(|line| line.starts_with(prefix))
            .collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    for (prefix, wanted) in [
        ("steadfast_reviews_total", REVIEWS),
        ("steadfast_decisions_total", DECISIONS),
        ("steadfast_handling_seconds_count", HANDLED),
        ("steadfast_panics_total", "steadfast_panics_total 0"),
    ] {
        let counted = counted(prefix);
        ensure!(counted == wanted, "counted\n{counted}\nand not\n{wanted}");
    }
    Ok(())
}

const REVIEWS: &str = r#"steadfast_reviews_total{phase="mutate",operation="CREATE",result="allowed"} 1
steadfast_reviews_total{phase="mutate",operation="CREATE",result="patched"} 1
steadfast_reviews_total{phase="mutate",operation="UPDATE",result="allowed"} 1
steadfast_reviews_total{phase="validate",operation="CREATE",result="allowed"} 1
steadfast_reviews_total{phase="validate",operation="CREATE",result="denied"} 1
steadfast_reviews_total{phase="validate",operation="UPDATE",result="allowed"} 1"#;

const DECISIONS: &str = r#"steadfast_decisions_total{rule="dangling-volume-mount",level="deny",outcome="injected",operation="CREATE"} 1
steadfast_decisions_total{rule="missing-liveness-probe",level="audit",outcome="injected",operation="CREATE"} 1
steadfast_decisions_total{rule="missing-readiness-probe",level="warn",outcome="injected",operation="CREATE"} 1
steadfast_decisions_total{rule="missing-service-name",level="warn",outcome="injected",operation="CREATE"} 1
steadfast_decisions_total{rule="non-headless-service",level="audit",outcome="audited",operation="CREATE"} 1
steadfast_decisions_total{rule="non-headless-service",level="audit",outcome="audited",operation="UPDATE"} 1
steadfast_decisions_total{rule="zero-grace-period",level="deny",outcome="denied",operation="CREATE"} 1"#;

const HANDLED: &str = r#"steadfast_handling_seconds_count{phase="mutate"} 3
steadfast_handling_seconds_count{phase="validate"} 3"#;
