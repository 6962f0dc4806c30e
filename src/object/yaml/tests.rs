//! YAML as kubectl reads it, and errors that point at their place.

use serde_json::json;

use super::*;

#[test]
fn documents_are_read_as_kubectl_reads_them() {
    let text = "a: yes\nb: 0644\n---\n# nothing\n---\nc: &x {d: 1}\ne: {<<: *x, f: ~}\n";
    let documents = read("x.yaml", text).expect("it is YAML");
    let values: Vec<_> = documents
        .into_iter()
        .map(|document| document.value)
        .collect();
    assert_eq!(
        values,
        [
            json!({"a": true, "b": 420}),
            json!({"c": {"d": 1}, "e": {"d": 1, "f": null}})
        ]
    );
}

#[test]
fn every_key_and_item_has_a_place() {
    let documents = read("x.yaml", "---\na:\n  - b: 1\n    c/d: 2\n").expect("it is YAML");
    let places = &documents[0].places;
    assert_eq!(places.nearest("/a/0/c~1d"), Place { line: 4, column: 5 });
    assert_eq!(
        places.nearest("/a/0/absent/deeper"),
        Place { line: 3, column: 5 }
    );
    assert_eq!(places.nearest("/none"), Place { line: 2, column: 1 });
}

#[test]
fn a_bad_text_is_shown_where_it_is_bad() {
    let error = read("x.yaml", "a: 1\nb: [1, 2\nc: 3\n")
        .expect_err("the list has no end")
        .to_string();
    assert!(error.starts_with("x.yaml:"), "{error}");
    assert!(error.contains(" | "), "{error}");
    let error = read("x.yaml", "a: 1\na: 2\n")
        .expect_err("a key twice")
        .to_string();
    assert!(error.starts_with("x.yaml:2:1: "), "{error}");
}

#[test]
fn an_unknown_name_comes_with_the_nearest() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    #[expect(dead_code, reason = "only read")]
    struct Shape {
        period_seconds: u32,
    }
    let text = "periodSecond: 3\n";
    let documents = read("x.yaml", text).expect("it is YAML");
    let error = decode::<Shape>("x.yaml", text, &documents[0])
        .expect_err("the name is wrong")
        .to_string();
    assert_eq!(
        error,
        "x.yaml:1:1: periodSecond: unknown field `periodSecond`, expected `periodSeconds`; did you mean `periodSeconds`?\
         \n   |\n 1 | periodSecond: 3\n   | ^^^^^^^^^^^^"
    );
}
