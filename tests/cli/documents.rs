//! What the documents show is what the program takes.

use std::fs;
use std::path::Path;

use steadfast::object::yaml;
use steadfast::policy::PolicyFile;

/// The YAML blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page))
        .expect("the page is there");
    let blocks = text.split("```yaml\n").skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn every_policy_in_the_documents_is_right() {
    let mut policies = 0;
    for page in ["README.md", "deploy/chart/README.md"] {
        for block in blocks(page) {
            // The chart takes policies as values, by file name.
            let values = yaml::read(page, &block)
                .expect("it is YAML")
                .remove(0)
                .value;
            let inner = values["policies"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(_, policy)| policy.to_string());
            let texts: Vec<_> = if values["policies"].is_object() {
                inner.collect()
            } else {
                vec![block]
            };
            for text in texts
                .iter()
                .filter(|text| text.contains("StatefulSetPolicy"))
            {
                PolicyFile::read(page, text).unwrap_or_else(|error| panic!("{error}"));
                policies += 1;
            }
        }
    }
    assert!(policies >= 2, "{policies} policies in the documents");
}
