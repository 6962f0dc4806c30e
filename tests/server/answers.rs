//! What is answered over HTTP, whatever is asked.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::storage::v1::StorageClass;
use reqwest::StatusCode;
use serde_json::json;
use steadfast::cluster::Unseen;
use steadfast::rule::{ClusterView, Known, Listing};

use crate::{bare, complete, serve};

#[tokio::test]
async fn what_is_no_review_gets_one_clear_answer_and_the_next_is_served() {
    let server = serve(Unseen, |_, _| {}).await;
    let json = "application/json";
    let large = "x".repeat(8 << 20);
    for (path, content_type, body, status, words) in [
        (
            "/mutate",
            json,
            "{".to_owned(),
            400,
            "the body is no AdmissionReview",
        ),
        (
            "/validate",
            json,
            String::new(),
            400,
            "the body is no AdmissionReview",
        ),
        (
            "/mutate",
            json,
            r#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}"#.to_owned(),
            400,
            "v1beta1",
        ),
        (
            "/mutate",
            "text/plain",
            bare(),
            415,
            "the content type is not application/json",
        ),
        ("/mutate", json, large, 413, "the body is larger than 7 MiB"),
        (
            "/elsewhere",
            json,
            bare(),
            404,
            "only POST /mutate and POST /validate",
        ),
    ] {
        let (found, answer) = server.post(path, content_type, body).await;
        assert_eq!(found, status, "{words}");
        let message = answer["response"]["status"]["message"]
            .as_str()
            .unwrap_or_default();
        assert!(message.contains(words), "{message}");
        assert_eq!(answer["response"]["allowed"], false, "{words}");
        assert_eq!(
            server.post("/mutate", json, bare()).await.0,
            StatusCode::OK,
            "the next request is served"
        );
    }
    let get = server
        .client(|client| client)
        .get(format!("https://{}/mutate", server.webhook))
        .send()
        .await;
    assert_eq!(
        get.expect("an answer").status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}

/// A view with a bug.
struct Broken;

impl ClusterView for Broken {
    fn headless_services(&self, _: &str) -> Listing<Service> {
        panic!("this view is broken")
    }

    fn service(&self, _: &str, _: &str) -> Known<Arc<Service>> {
        Known::Unknown
    }

    fn storage_classes(&self) -> Listing<StorageClass> {
        Listing::unknown()
    }
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let server = serve(Broken, |_, _| {}).await;
    let (status, answer) = server.post("/mutate", "application/json", bare()).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        answer["response"]["status"]["message"],
        "steadfast failed on this request"
    );
    let (status, answer) = server.post("/mutate", "application/json", complete()).await;
    assert_eq!(
        (status, &answer["response"]["allowed"]),
        (StatusCode::OK, &json!(true))
    );
    let (_, metrics) = server.status("/metrics").await;
    assert!(metrics.contains("steadfast_panics_total 1\n"), "{metrics}");
}

#[tokio::test]
async fn the_plain_port_tells_the_state() {
    let server = serve(Unseen, |_, _| {}).await;
    server.post("/mutate", "application/json", bare()).await;
    server
        .post("/mutate", "application/json", "{".to_owned())
        .await;
    assert_eq!(
        server.status("/livez").await,
        (StatusCode::OK, "ok\n".to_owned())
    );
    assert_eq!(
        server.status("/readyz").await,
        (StatusCode::OK, "ok\n".to_owned())
    );
    let (status, metrics) = server.status("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        r#"steadfast_reviews_total{phase="mutate",operation="CREATE",result="patched"} 1"#,
        r#"steadfast_refusals_total{status="400"} 1"#,
        r#"steadfast_requests_in_flight{phase="mutate"} 0"#,
        "steadfast_body_bytes_count 2",
        r#"steadfast_decisions_total{rule="missing-readiness-probe",level="warn",outcome="injected",operation="CREATE"} 1"#,
        r#"steadfast_handling_seconds_count{phase="mutate"} 2"#,
        "# EOF",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} is not in\n{metrics}"
        );
    }
    assert_eq!(
        server.status("/mutate").await.0,
        StatusCode::NOT_FOUND,
        "reviews are answered over TLS only"
    );
}
