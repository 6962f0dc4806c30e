//! What is watched of budgets is enough to judge them.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::server::{Server, start};
use crate::stand_in::{StandIn, asked};

/// As the API server stores it.
fn budget() -> Value {
    json!({
        "metadata": {
            "name": "db", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generation": 1, "labels": {"app": "db"},
            "managedFields": [{"manager": "helm", "operation": "Apply", "apiVersion": "policy/v1", "fieldsType": "FieldsV1", "fieldsV1": {}}],
        },
        "spec": {
            "maxUnavailable": 0, "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db", "web"]}]},
        },
        "status": {"currentHealthy": 1, "desiredHealthy": 1, "disruptionsAllowed": 0, "expectedPods": 1, "observedGeneration": 1},
    })
}

/// An API server with this budget and nothing else, which it lists when it is told to; a watch stays open.
async fn answer(State(told): State<Arc<Notify>>, uri: Uri) -> Response {
    if asked(&uri, "watch") == Some("true") {
        std::future::pending::<()>().await;
    }
    let mut items = Vec::new();
    if uri.path() == "/apis/policy/v1/poddisruptionbudgets" {
        told.notified().await;
        items.push(budget());
    }
    json!({"metadata": {"resourceVersion": "9"}, "items": items})
        .to_string()
        .into_response()
}

/// What is said of a set with these labels in this namespace.
async fn warnings(server: &Server, namespace: &str, app: &str) -> String {
    let labels = json!({"app": app});
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1", "operation": "CREATE", "namespace": namespace, "name": "db",
        "resource": {"group": "apps", "version": "v1", "resource": "statefulsets"},
        "object": {"metadata": {"name": "db"}, "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "db"}]}},
        }},
    }});
    let request = server
        .client()
        .post(format!("{}/validate", server.webhook))
        .header("content-type", "application/json")
        .body(review.to_string());
    let answer = request.send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("a review");
    answer["response"]["warnings"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_watched_is_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = Arc::new(Notify::new());
    let router = Router::new().fallback(answer).with_state(Arc::clone(&told));
    let api_server = StandIn::start(folder.path(), router).await;
    let environment = [("KUBECONFIG", &*api_server.kubeconfig)];
    let mut server = start(
        folder.path(),
        &["--lookups=poddisruptionbudgets"],
        &environment,
    );
    let words =
        "PodDisruptionBudget db never lets one of these pods be evicted: maxUnavailable is 0";
    let before = warnings(&server, "shop", "db").await;
    assert!(!before.contains(words), "{before}");

    told.notify_one();
    server.says("objects=1");
    for (namespace, app, said) in [
        ("shop", "db", true),
        ("shop", "cache", false),
        ("elsewhere", "db", false),
    ] {
        let warnings = warnings(&server, namespace, app).await;
        assert_eq!(
            warnings.contains(words),
            said,
            "{namespace} {app}: {warnings}"
        );
    }
}
