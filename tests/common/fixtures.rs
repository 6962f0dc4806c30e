//! Every `StatefulSet` there is to try: examples of the rules, the lab, and what lies beside the repository.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::Value;
use steadfast::rule::doc::{Doc, Example};
use steadfast::rules::RULES;

use super::{document, documents};

/// A `StatefulSet` with what lay beside it.
pub(crate) struct Fixture {
    /// Its file, or rule and example.
    pub(crate) name: String,
    /// The set.
    pub(crate) object: Value,
    /// Other manifests of the same file.
    pub(crate) beside: Vec<Value>,
}

/// An example of a rule.
pub(crate) struct Shown {
    /// The rule.
    pub(crate) rule: &'static str,
    /// The rule's file and the example's number.
    pub(crate) name: String,
    /// The example.
    pub(crate) example: Example,
}

/// Every fixture.
pub(crate) static ALL: LazyLock<Vec<Fixture>> = LazyLock::new(|| {
    let mut all = in_examples();
    all.extend(in_lab());
    all.extend(in_manifests("tests/common"));
    assert!(all.len() > 20, "examples and lab are always there");
    all.extend(in_manifests("../shared/corpus"));
    all.extend(in_reviews());
    // A few manifests are templates still, and no API server would read them.
    all.retain(|fixture| {
        match steadfast::object::view::StatefulSet::parse(&fixture.object.to_string()) {
            Ok(_) => true,
            Err(error) => {
                println!("{}: {error}: not tested", fixture.name);
                false
            }
        }
    });
    all
});

/// Every example of every rule.
pub(crate) fn examples() -> impl Iterator<Item = Shown> {
    RULES.iter().flat_map(|entry| {
        let rule = entry.meta.id;
        let examples = Doc::read(entry.meta.source)
            .examples
            .into_iter()
            .enumerate();
        let file = format!("src/rules/{}.rs", rule.replace('-', "_"));
        examples.map(move |(number, example)| Shown {
            rule,
            name: format!("{file} example {}", number + 1),
            example,
        })
    })
}

/// Every file of a folder with this ending, by name; none, and a line that says so, where there is no such folder.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        println!("{folder} is not there: not tested");
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a folder that can be read").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|own| own == ending));
    paths.sort();
    let name = |path: &PathBuf| {
        format!(
            "{folder}/{}",
            path.file_name().unwrap_or_default().display()
        )
    };
    let read = |path: &PathBuf| {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    paths.iter().map(|path| (name(path), read(path))).collect()
}

/// Every real `AdmissionReview`.
pub(crate) fn reviews() -> Vec<(String, Value)> {
    let parse = |text: &str| serde_json::from_str(text).expect("a review is JSON");
    files("../shared/reviews", "json")
        .into_iter()
        .map(|(name, text)| (name, parse(&text)))
        .collect()
}

fn in_examples() -> Vec<Fixture> {
    let sides = examples().flat_map(|Shown { name, example, .. }| {
        let Example {
            before,
            after,
            cluster,
            ..
        } = example;
        let beside = cluster.map_or_else(Vec::new, |text| documents(&name, &text));
        [("before", before), ("after", after)].map(|(side, text)| {
            let name = format!("{name} {side}");
            Fixture {
                object: document(&name, &text),
                name,
                beside: beside.clone(),
            }
        })
    });
    sides.collect()
}

/// The sets of the lab, in the lab's cluster.
fn in_lab() -> Vec<Fixture> {
    let cluster = files("tests/lab/cluster", "yaml");
    let cluster: Vec<_> = cluster
        .iter()
        .flat_map(|(name, text)| documents(name, text))
        .collect();
    let mut fixtures = in_manifests("tests/lab");
    for fixture in &mut fixtures {
        fixture.beside.extend_from_slice(&cluster);
    }
    fixtures
}

/// Every set in the manifests of a folder, with what stands beside it.
pub(crate) fn in_manifests(folder: &str) -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    for (name, text) in files(folder, "yaml") {
        let (sets, beside): (Vec<_>, Vec<_>) =
            documents(&name, &text).into_iter().partition(is_set);
        for (number, object) in sets.into_iter().enumerate() {
            fixtures.push(Fixture {
                name: format!("{name} #{}", number + 1),
                object,
                beside: beside.clone(),
            });
        }
    }
    fixtures
}

fn in_reviews() -> Vec<Fixture> {
    let creates = reviews()
        .into_iter()
        .filter(|(_, review)| review["request"]["operation"] == "CREATE");
    creates
        .map(|(name, review)| Fixture {
            name,
            object: review["request"]["object"].clone(),
            beside: Vec::new(),
        })
        .collect()
}

fn is_set(object: &Value) -> bool {
    object["apiVersion"] == "apps/v1" && object["kind"] == "StatefulSet"
}
