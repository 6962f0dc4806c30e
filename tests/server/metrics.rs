//! What is counted has the names and units that Prometheus wants, and few series, whatever is asked.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use serde_json::{Value, json};
use steadfast::cluster::Unseen;

use crate::{Running, bare, complete, serve};

/// Labels, and none with as many values as there are objects, users or requests.
const LABELS: [&str; 10] = [
    "kind",
    "le",
    "level",
    "operation",
    "outcome",
    "phase",
    "result",
    "rule",
    "status",
    "version",
];

async fn text(server: &Running) -> String {
    let (status, text) = server.status("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    text
}

/// Each family's word after `# <what> <name>`.
fn described<'t>(text: &'t str, what: &str) -> BTreeMap<&'t str, &'t str> {
    let prefix = format!("# {what} ");
    let lines = text.lines().filter_map(|line| line.strip_prefix(&prefix));
    lines.filter_map(|line| line.split_once(' ')).collect()
}

fn series(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.map(|line| {
        let (series, _) = line.rsplit_once(' ').expect("name and value");
        series.split_once('{').unwrap_or((series, ""))
    })
}

/// Asks for everything that is counted.
async fn busy() -> Running {
    let server = serve(Unseen, |_, _| {}).await;
    for (path, body) in [
        ("/mutate", bare()),
        ("/validate", complete()),
        ("/mutate", "{".to_owned()),
    ] {
        server.post(path, "application/json", body).await;
    }
    server
}

#[tokio::test]
async fn names_and_units_are_those_of_the_field() {
    let text = text(&busy().await).await;
    let (types, helps, units) = (
        described(&text, "TYPE"),
        described(&text, "HELP"),
        described(&text, "UNIT"),
    );
    assert!(types.len() >= 14, "{text}");
    for (name, kind) in &types {
        let known = name.starts_with("steadfast_") || name.starts_with("process_");
        let letters = name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(known && letters, "{name}");
        assert!(helps.contains_key(name), "{name} says nothing");
        assert!(!name.ends_with("_total"), "{name}: its samples say so");
        for unit in ["seconds", "bytes"] {
            let has = units.get(name) == Some(&unit);
            assert_eq!(
                has,
                name.ends_with(unit),
                "{name} {kind}: its unit is {unit}"
            );
        }
        for wrong in ["milli", "micro", "_ms", "_kb", "minutes"] {
            assert!(!name.contains(wrong), "{name}: base units only");
        }
    }
    for (name, labels) in series(&text) {
        let counts = types.iter().any(|(family, kind)| {
            *kind == "counter" && name.strip_prefix(family) == Some("_total")
        });
        assert_eq!(name.ends_with("_total"), counts, "{name}");
        for label in labels
            .split("\",")
            .filter_map(|label| label.split_once('='))
        {
            assert!(
                LABELS.contains(&label.0),
                "{name} has the label {}",
                label.0
            );
        }
    }
}

#[tokio::test]
async fn nobody_makes_new_series() {
    let server = busy().await;
    let names = async || -> BTreeSet<String> {
        let text = text(&server).await;
        let own = |(name, labels): (&str, &str)| format!("{name}{{{labels}");
        series(&text).map(own).collect()
    };
    let ask = async |number: usize| {
        let mut review: Value = serde_json::from_str(&bare()).expect("a review");
        let request = &mut review["request"];
        for key in ["uid", "name", "namespace", "operation"] {
            request[key] = json!(format!("{key}-{number}"));
        }
        server
            .post("/mutate", "application/json", review.to_string())
            .await;
        let path = format!("/other-{number}");
        server.post(&path, "application/json", "{}").await;
    };
    ask(0).await;
    let before = names().await;
    for number in 1..50 {
        ask(number).await;
    }
    assert_eq!(names().await, before);
}
