//! Ten thousand broken reviews over a real socket into the real process: each is answered in time, memory stays bounded, and
//! the log says one line a decision and nothing of what was in the objects.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::Value;

use crate::common;
use crate::common::mutants::{Dice, mutant};
use crate::server::{Server, start};

/// Nothing of an object may be in the log; this is in every object.
const MARKER: &str = "s3cr3t-0f-th3-0bj3ct";

/// How many connections there are; each carries one review at a time.
const CONNECTIONS: usize = 4;

/// The most memory, in KiB, that the process may ever have. 46 MiB were measured, of which 25 are there before the first
/// review; were 10 KiB of each review kept, it would be more than this.
const PEAK: u64 = 96 << 10;

/// The reviews to break, with something in each object that is nobody's business.
fn reviews() -> Vec<Value> {
    let mut reviews: Vec<Value> = Vec::new();
    for folder in [
        "tests/lab/reviews",
        "tests/suites/create",
        "tests/suites/update",
    ] {
        let files = common::fixtures::files(folder, "json");
        reviews.extend(
            files
                .iter()
                .map(|(_, text)| serde_json::from_str(text).expect("a review")),
        );
    }
    reviews.push(wide(reviews[0].clone()));
    for review in &mut reviews {
        for object in ["object", "oldObject"] {
            plant(&mut review["request"][object]);
        }
    }
    assert!(reviews.len() >= 20, "{} reviews", reviews.len());
    reviews
}

/// A review of more containers than anybody has, with a name as long as nobody may have it.
fn wide(mut review: Value) -> Value {
    let pod = &mut review["request"]["object"]["spec"]["template"]["spec"];
    let container = |number| serde_json::json!({"name": format!("c-{number}"), "ports": [{"containerPort": number}]});
    pod["containers"] = (1..=200).map(container).collect();
    review["request"]["object"]["metadata"]["name"] = "x".repeat(10_000).into();
    review
}

fn plant(object: &mut Value) {
    if object.is_null() {
        return;
    }
    object["metadata"]["annotations"][MARKER] = MARKER.into();
    object["spec"]["template"]["metadata"]["annotations"]["note"] = MARKER.into();
    let containers = object["spec"]["template"]["spec"]["containers"].as_array_mut();
    for container in containers.into_iter().flatten() {
        container["image"] = MARKER.into();
        container["command"] = serde_json::json!([MARKER]);
        container["env"] = serde_json::json!([{"name": "PASSWORD", "value": MARKER}]);
    }
}

/// Sends this many mutants, and counts the answers by status.
async fn flood(server: &Server, count: usize) -> BTreeMap<StatusCode, usize> {
    let (mut dice, reviews) = (Dice::default(), reviews());
    let mutants: Vec<_> = (0..count)
        .map(|number| mutant(&mut dice, &reviews[number % reviews.len()]))
        .collect();
    let lanes = mutants.chunks(count.div_ceil(CONNECTIONS)).map(|lane| {
        let (lane, client, webhook) = (lane.to_vec(), server.client(), server.webhook.clone());
        tokio::spawn(async move {
            let mut statuses = Vec::new();
            for (number, body) in lane.into_iter().enumerate() {
                let path = ["mutate", "validate"][number % 2];
                let request = client
                    .post(format!("{webhook}/{path}"))
                    .header("content-type", "application/json");
                let shown = String::from_utf8_lossy(&body).into_owned();
                let answer = request
                    .body(body)
                    .send()
                    .await
                    .unwrap_or_else(|error| panic!("{error:?}: {shown}"));
                statuses.push(answer.status());
                let answer: Value = answer
                    .json()
                    .await
                    .unwrap_or_else(|error| panic!("{error:?}: {shown}"));
                assert!(answer["response"]["uid"].is_string(), "{answer}");
            }
            statuses
        })
    });
    let mut counts = BTreeMap::new();
    for lane in lanes.collect::<Vec<_>>() {
        for status in lane.await.expect("each is answered") {
            *counts.entry(status).or_insert(0) += 1;
        }
    }
    counts
}

/// The metrics say that nothing is left and that nothing panicked.
async fn is_calm(server: &Server) {
    let metrics = server
        .client()
        .get(format!("{}/metrics", server.status))
        .send();
    let metrics = metrics
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    for line in [
        "steadfast_panics_total 0",
        r#"steadfast_requests_in_flight{phase="mutate"} 0"#,
        r#"steadfast_requests_in_flight{phase="validate"} 0"#,
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}: {metrics}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_mutants_are_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path(), &[], &[]);
    let counts = flood(&server, 10_000).await;
    is_calm(&server).await;
    let (answered, refused) = (counts[&StatusCode::OK], counts[&StatusCode::BAD_REQUEST]);
    assert_eq!(answered + refused, 10_000, "{counts:?}");
    assert!(answered > 5_000 && refused > 1_000, "{counts:?}");
    let peak = server.peak();
    assert!(peak.is_none_or(|peak| peak < PEAK), "{peak:?} KiB");
    let log = server.log();
    assert_eq!(decisions(&log), answered, "one line a decision");
    assert_eq!(log.len(), answered + 2, "and two lines when it is ready");
    quiet(&log);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_object_is_in_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path(), &["-v"], &[]);
    let counts = flood(&server, 1_000).await;
    let log = server.log();
    assert_eq!(decisions(&log), counts[&StatusCode::OK]);
    let refusals = log.iter().filter(|line| line.contains("Refused: ")).count();
    assert_eq!(refusals, counts[&StatusCode::BAD_REQUEST]);
    quiet(&log);
}

fn decisions(log: &[String]) -> usize {
    let says = |line: &&String| line.contains(" INFO Answered phase=");
    log.iter().filter(says).count()
}

/// No line is loud, long, or holds what was in an object.
fn quiet(log: &[String]) {
    for line in log {
        let loud = line.contains(" WARN ") || line.contains("ERROR");
        assert!(!loud && line.len() <= 1_000, "{line}");
        assert!(!line.contains(MARKER), "{line}");
    }
}
