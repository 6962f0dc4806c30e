//! Claim templates against what authors wrote: theirs are taken out of every manifest that lies beside the repository, the mounts
//! stay, and what is injected in their stead is compared with them. `claims.tsv` lists what is not as the author had it, each
//! judged by reading; size and class are the author's own affair.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use steadfast::admission;
use steadfast::cluster::Manifests;
use steadfast::policy::PolicySet;

use crate::common::fixtures::{self, Fixture};
use crate::judged::Judged;

const TEMPLATES: &str = "/spec/volumeClaimTemplates";

/// What the list says above itself.
const HEAD: &str = "# manifest\tset\ttemplate\tauthor\tinjected\tjudged\n";

/// The claim templates of a set by name: access modes and volume mode.
fn templates(set: &Value) -> BTreeMap<String, String> {
    let templates = set.pointer(TEMPLATES).and_then(Value::as_array);
    let template = |claim: &Value| {
        let name = claim["metadata"]["name"].as_str().unwrap_or_default();
        let mode = claim["spec"]["volumeMode"].as_str().unwrap_or("Filesystem");
        (
            name.to_owned(),
            format!("{} {mode}", claim["spec"]["accessModes"]),
        )
    };
    templates.into_iter().flatten().map(template).collect()
}

/// The set as the cluster would store it without the author's claim templates, in a cluster of the file's other objects and a
/// default class.
fn repaired(fixture: &Fixture) -> Option<Value> {
    let mut cluster = Manifests::new(true);
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "example.com/disk",
        "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    });
    for object in fixture.beside.iter().chain([&class]) {
        // What is no object of ours to read says nothing.
        let _ = cluster.add(object, "default");
    }
    let mut bare = fixture.object.clone();
    bare["spec"].as_object_mut()?.remove("volumeClaimTemplates");
    let verdict = admission::admit(&PolicySet::built_in(), &cluster, "default", &bare, None);
    Some(verdict.ok()?.patched.unwrap_or(bare))
}

#[test]
fn injected_claim_templates_are_those_of_the_author() {
    let mut judged = Judged::read("tests/catalogue/claims.tsv", HEAD);
    let mut equal = 0;
    let corpus = fixtures::in_manifests("../shared/corpus");
    if corpus.is_empty() {
        return;
    }
    for fixture in &corpus {
        let theirs = templates(&fixture.object);
        let Some(repaired) = repaired(fixture).filter(|_| !theirs.is_empty()) else {
            continue;
        };
        let ours = templates(&repaired);
        let set = fixture.object["metadata"]["name"]
            .as_str()
            .unwrap_or_default();
        let manifest = fixture.name.rsplit('/').next().unwrap_or_default();
        let names = theirs
            .keys()
            .chain(ours.keys().filter(|name| !theirs.contains_key(*name)));
        for name in names {
            let of = |templates: &BTreeMap<String, String>| {
                templates
                    .get(name)
                    .map_or_else(|| "none".to_owned(), Clone::clone)
            };
            if of(&theirs) == of(&ours) {
                equal += 1;
                continue;
            }
            let line = format!("{manifest}\t{set}\t{name}\t{}\t{}", of(&theirs), of(&ours));
            judged.add(&line);
        }
    }
    let _ = writeln!(judged.found, "# as the author had it: {equal}");
    judged.settle();
}
