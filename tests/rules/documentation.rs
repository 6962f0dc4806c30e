//! A rule's file is its documentation.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use steadfast::rule::Entry;
use steadfast::rule::doc::Doc;
use steadfast::rules::RULES;

fn file(entry: &Entry) -> String {
    format!("src/rules/{}.rs", entry.meta.id.replace('-', "_"))
}

#[test]
fn every_file_is_a_rule_and_every_rule_a_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let entries = fs::read_dir(folder).expect("the rules");
    let names = entries.map(|entry| {
        entry
            .expect("readable")
            .file_name()
            .into_string()
            .expect("text")
    });
    let rust = names.filter(|name| {
        Path::new(name).extension().is_some_and(|own| own == "rs") && name != "mod.rs"
    });
    let files: BTreeSet<_> = rust.map(|name| format!("src/rules/{name}")).collect();
    let rules: BTreeSet<_> = RULES.iter().map(file).collect();
    assert_eq!(
        files, rules,
        "left: the files, right: RULES in src/rules/mod.rs"
    );
    assert_eq!(rules.len(), RULES.len(), "an id is given twice");
}

#[test]
fn an_id_is_kebab_case_and_the_source_is_the_rule_s_own_file() {
    for entry in RULES {
        let (id, file) = (entry.meta.id, file(entry));
        let words = id.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        assert!(words && id.contains('-'), "{id} is not kebab-case");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file));
        assert_eq!(
            text.expect(&file),
            entry.meta.source,
            "{id}: its Meta names another source than {file}"
        );
        assert_eq!(
            entry.meta.source.lines().next(),
            Some(&*format!("//! # {id}")),
            "{file}: the first line"
        );
    }
}

#[test]
fn the_head_says_what_why_and_what_to_do() {
    for entry in RULES {
        let (file, doc) = (file(entry), Doc::read(entry.meta.source));
        assert!(
            doc.summary.starts_with("Finds ") && doc.summary.ends_with('.'),
            "{file}: the summary is a sentence: {:?}",
            doc.summary
        );
        assert_eq!(
            doc.summary.matches(". ").count(),
            0,
            "{file}: the summary is one sentence: {:?}",
            doc.summary
        );
        for section in ["Why", "Fix"] {
            let text = doc.section(section).unwrap_or_default();
            assert!(
                text.ends_with(['.', ':']),
                "{file}: ## {section} is {text:?}"
            );
        }
        let sections: Vec<_> = doc.sections.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(sections, ["Why", "Fix", "Example"], "{file}: the sections");
        assert!(!doc.examples.is_empty(), "{file}: no example");
        for (number, example) in doc.examples.iter().enumerate() {
            let number = number + 1;
            assert!(
                !example.before.is_empty() && !example.after.is_empty(),
                "{file} example {number}: before and after"
            );
        }
    }
}

#[test]
fn every_parameter_is_documented_under_the_name_that_a_policy_uses() {
    for entry in RULES {
        let (file, doc) = (file(entry), Doc::read(entry.meta.source));
        let documented: BTreeSet<_> = doc.params.iter().map(|(name, _)| name.clone()).collect();
        let defaults = (entry.defaults)();
        let known: BTreeSet<_> = defaults.as_object().expect(&file).keys().cloned().collect();
        assert_eq!(documented, known, "{file}: left: documented, right: known");
        for (name, text) in &doc.params {
            assert!(
                text.ends_with('.'),
                "{file}: {name} is documented as {text:?}"
            );
        }
    }
}

#[test]
fn the_defaults_are_parameters() {
    for entry in RULES {
        let defaults = (entry.defaults)();
        assert!(
            (entry.configure)(&defaults).is_ok(),
            "{}: its defaults {defaults} do not fit it",
            file(entry)
        );
    }
}
