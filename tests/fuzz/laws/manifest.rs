//! What `check` does with a text: read with places, put into a cluster, judged, reported.

use std::sync::LazyLock;

use serde_json::Value;
use steadfast::admission::{self, Judge};
use steadfast::cluster::{DEFAULT_NAMESPACE, Manifests};
use steadfast::engine;
use steadfast::object::yaml::{self, Document, Edit};
use steadfast::policy::PolicySet;
use steadfast::report::{self, Done, Located, Report};

const FILE: &str = "m.yaml";

static STRICT: LazyLock<PolicySet> = LazyLock::new(super::strict);

/// Holds the law.
pub fn hold(text: &str) {
    let documents = match yaml::read(FILE, text) {
        Ok(documents) => documents,
        Err(error) => return super::has_a_place(FILE, text, &error.to_string()),
    };
    let mut cluster = Manifests::new(true);
    for document in &documents {
        is_read_again(&document.value);
        // What cannot be read of it is an error of the command.
        let _ = cluster.add(&document.value, DEFAULT_NAMESPACE);
    }
    let mut report = Report::default();
    let all = documents.iter().enumerate();
    let sets = all.filter(|(_, document)| document.value["kind"] == "StatefulSet");
    let (places, sets): (Vec<_>, Vec<_>) = sets.unzip();
    for (number, set) in sets.iter().enumerate() {
        repair(text, places[number], set, &cluster);
        judge(text, set, None, &cluster, &mut report);
        // The set before it in the text is what was stored of it.
        if let Some(old) = number.checked_sub(1) {
            judge(text, set, Some(sets[old]), &cluster, &mut report);
        }
    }
    let (mut human, mut json) = (Vec::new(), Vec::new());
    report::human::write(&mut human, &report).expect("a vector takes it");
    report::json::write(&mut json, &report).expect("a vector takes it");
    serde_json::from_slice::<Value>(&json).expect("the report is JSON");
    String::from_utf8(human).expect("the report is text");
}

/// Written as YAML or as JSON, a value reads as itself. To YAML a key on one line has at most 1024 characters.
fn is_read_again(value: &Value) {
    let mut texts = vec![yaml::write(value)];
    texts.extend(keys_are_short(value).then(|| value.to_string()));
    for text in texts {
        let again = yaml::read("again.yaml", &text);
        let again = again.unwrap_or_else(|error| panic!("{value}\nis written as\n{text}\n{error}"));
        let values: Vec<_> = again.into_iter().map(|document| document.value).collect();
        assert!(values.iter().eq([value]), "{value}\nis written as\n{text}");
    }
}

fn keys_are_short(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().all(|(key, below)| {
            Value::from(&**key).to_string().len() <= 1000 && keys_are_short(below)
        }),
        Value::Array(items) => items.iter().all(keys_are_short),
        _ => true,
    }
}

/// What `fix` does with it: the text then says what the repair says, which `edit` itself makes sure of, or it is not written.
fn repair(text: &str, number: usize, document: &Document, cluster: &Manifests) {
    let (judge, value): (Judge, _) = (engine::repair, &document.value);
    let Ok(verdict) = admission::at_hand(judge, &STRICT, cluster, DEFAULT_NAMESPACE, value, None)
    else {
        return;
    };
    let edit = Edit {
        document: number,
        pointer: String::new(),
        patch: verdict.patch,
    };
    if let Err(error) = yaml::edit(FILE, text, &[edit]) {
        assert!(!error.to_string().is_empty());
    }
}

fn judge(
    text: &str,
    document: &Document,
    old: Option<&Document>,
    cluster: &Manifests,
    report: &mut Report,
) {
    let lines = text.split(['\n', '\r']).count() as u64;
    let place = |pointer: &str| {
        let place = document.places.nearest(pointer);
        assert!(
            (1..=lines).contains(&place.line) && place.column >= 1,
            "{pointer} is at {place:?}"
        );
        place
    };
    let old = old.map(|old| &old.value);
    let verdict = admission::admit(&STRICT, cluster, DEFAULT_NAMESPACE, &document.value, old);
    let verdict = match verdict {
        Ok(verdict) => verdict,
        Err(error) => {
            place(&error.pointer());
            return assert!(!error.to_string().is_empty());
        }
    };
    let (file, namespace) = (FILE.to_owned(), DEFAULT_NAMESPACE.to_owned());
    report.sets += 1;
    for judged in verdict.judged {
        report.findings.push(Located {
            file: file.clone(),
            place: place(judged.finding.at.pointer().as_str()),
            namespace: namespace.clone(),
            name: String::new(),
            judged,
        });
    }
    for restored in verdict.restored {
        report.restored.push(Done {
            file: file.clone(),
            place: place(restored.at.pointer().as_str()),
            namespace: namespace.clone(),
            name: String::new(),
            restored,
        });
    }
}
