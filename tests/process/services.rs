//! A cluster of 20,000 Services is watched in bounded memory.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::server::start;
use crate::stand_in::{StandIn, asked};

const SERVICES: usize = 20_000;

/// The most memory, in KiB, that the process may ever have; 85 MiB were measured.
const PEAK: u64 = 128 << 10;

/// A Service as charts make them and the API server stores them: some 2 KB.
fn service(number: usize) -> Value {
    let name = format!("payments-postgresql-{number}-headless");
    let labels = json!({
        "app.kubernetes.io/name": "postgresql", "app.kubernetes.io/instance": format!("payments-{number}"),
        "app.kubernetes.io/component": "primary", "app.kubernetes.io/managed-by": "Helm",
        "helm.sh/chart": "postgresql-16.4.1", "app.kubernetes.io/version": "17.2.0",
    });
    let selector = json!({
        "app.kubernetes.io/name": "postgresql", "app.kubernetes.io/instance": format!("payments-{number}"),
        "app.kubernetes.io/component": "primary",
    });
    let owned: Value = labels
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| (format!("f:{key}"), json!({})))
        .collect();
    json!({
        "metadata": {
            "name": name, "namespace": format!("team-{}", number % 400), "labels": labels, "resourceVersion": "7",
            "uid": format!("00000000-0000-4000-8000-{number:012}"), "creationTimestamp": "2026-01-02T03:04:05Z",
            "annotations": {"meta.helm.sh/release-name": format!("payments-{number}"), "meta.helm.sh/release-namespace": "team"},
            "managedFields": [{
                "manager": "helm", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-02T03:04:05Z", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:metadata": {"f:labels": owned}, "f:spec": {"f:clusterIP": {}, "f:ports": {}, "f:selector": owned}},
            }],
        },
        "spec": {
            "clusterIP": "None", "clusterIPs": ["None"], "type": "ClusterIP", "sessionAffinity": "None", "selector": selector,
            "publishNotReadyAddresses": true, "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster",
            "ports": [{"name": "tcp-postgresql", "port": 5432, "protocol": "TCP", "targetPort": "tcp-postgresql"}],
        },
        "status": {"loadBalancer": {}},
    })
}

/// An API server with these Services and nothing else, in pages as a real one answers; a watch stays open.
async fn answer(State(services): State<Arc<Vec<Value>>>, uri: Uri) -> Response {
    let number = |name| asked(&uri, name).and_then(|value| value.parse::<usize>().ok());
    if asked(&uri, "watch") == Some("true") {
        std::future::pending::<()>().await;
    }
    let all = if uri.path().ends_with("/services") {
        &services[..]
    } else {
        &[]
    };
    let from = number("continue").unwrap_or_default();
    let to = all.len().min(from + number("limit").unwrap_or(all.len()));
    let next = (to < all.len()).then(|| to.to_string());
    let metadata = json!({"resourceVersion": "9", "continue": next.unwrap_or_default()});
    json!({"metadata": metadata, "items": all[from..to]})
        .to_string()
        .into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_services_fit_into_128_mib() {
    let folder = tempfile::tempdir().expect("a folder");
    let services: Arc<Vec<Value>> = Arc::new((0..SERVICES).map(service).collect());
    let router = Router::new().fallback(answer).with_state(services);
    let api_server = StandIn::start(folder.path(), router).await;
    let environment = [("KUBECONFIG", &*api_server.kubeconfig)];
    let mut server = start(
        folder.path(),
        &["--lookups=services,storageclasses"],
        &environment,
    );
    server.says(&format!("objects={SERVICES}"));
    let peak = server.peak();
    assert!(peak.is_none_or(|peak| peak < PEAK), "{peak:?} KiB");
}
