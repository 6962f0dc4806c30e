//! Text that nobody means well with: no panic, and an error that names its place.

use super::super::StatefulSet;

const DEEP: usize = 100_000;

fn nested() -> String {
    "[".repeat(DEEP) + &"]".repeat(DEEP)
}

/// The place of the error that this text is.
fn place(text: &str) -> String {
    StatefulSet::parse(text).expect_err("it is wrong").at
}

#[test]
fn depth_is_no_matter_where_nothing_is_read() {
    for text in [
        format!(r#"{{"status":{}}}"#, nested()),
        format!(r#"{{"metadata":{{"managedFields":{}}}}}"#, nested()),
        format!(
            r#"{{"spec":{{"template":{{"spec":{{"containers":[{{"resources":{},"name":"web"}}]}}}}}}}}"#,
            nested()
        ),
        format!(
            r#"{{"spec":{{"template":{{"spec":{{"affinity":{}}}}}}}}}"#,
            nested()
        ),
    ] {
        let set = StatefulSet::parse(&text);
        assert!(set.is_ok(), "{:.60}: {}", text, set.expect_err("not ok"));
    }
}

#[test]
fn depth_is_an_error_where_something_is_read() {
    for (text, at) in [
        (nested(), ""),
        (format!(r#"{{"spec":{}}}"#, nested()), "spec"),
        (
            format!(r#"{{"metadata":{{"name":{}}}}}"#, nested()),
            "metadata.name",
        ),
        (
            format!(r#"{{"metadata":{{"labels":{{"a":{}}}}}}}"#, nested()),
            "metadata.labels.a",
        ),
        (
            format!(
                r#"{{"spec":{{"template":{{"spec":{{"containers":{}}}}}}}}}"#,
                nested()
            ),
            "spec.template.spec.containers[0]",
        ),
    ] {
        assert_eq!(place(&text), at, "{text:.60}");
    }
}

#[test]
fn numbers_that_no_field_can_hold_are_errors_with_a_place() {
    for number in [
        "1e400",
        "99999999999999999999999",
        "-99999999999999999999999",
        "1.5",
        "1e2",
        "18446744073709551615",
    ] {
        assert_eq!(
            place(&format!(r#"{{"spec":{{"replicas":{number}}}}}"#)),
            "spec.replicas",
            "{number}"
        );
        let strategy = format!(
            r#"{{"spec":{{"updateStrategy":{{"rollingUpdate":{{"partition":{number}}}}}}}}}"#
        );
        assert_eq!(
            place(&strategy),
            "spec.updateStrategy.rollingUpdate.partition",
            "{number}"
        );
        let ignored = format!(r#"{{"spec":{{"revisionHistoryLimit":{number}}}}}"#);
        assert!(
            StatefulSet::parse(&ignored).is_ok() || number == "1e400",
            "{number}"
        );
    }
}

#[test]
fn the_largest_numbers_are_read() {
    for number in [i64::MIN, -1, 0, i64::MAX] {
        let text = format!(r#"{{"spec":{{"replicas":{number}}}}}"#);
        assert_eq!(
            StatefulSet::parse(&text).expect("a number").spec.replicas,
            number
        );
    }
}

#[test]
fn what_is_no_object_is_an_error() {
    for text in [
        "",
        "[]",
        "3",
        "\"x\"",
        "true",
        "{",
        "{\"spec\":",
        "{} {}",
        "{}x",
        "{\"spec\":{}}]",
    ] {
        assert_eq!(
            place(text),
            if text == "{\"spec\":" { "spec" } else { "" },
            "{text:?}"
        );
    }
    assert_eq!(
        StatefulSet::parse("null").expect("Go reads it as empty"),
        StatefulSet::default()
    );
    assert_eq!(
        StatefulSet::parse(" {} \n").expect("empty"),
        StatefulSet::default()
    );
}

#[test]
fn strings_are_read_with_all_their_escapes() {
    let text =
        r#"{"metadata":{"name":"a\u0062\n\"\\\ud83d\ude00","l\u0061bels":{"k\u0065y":"v\t"}}}"#;
    let set = StatefulSet::parse(text).expect("a set");
    assert_eq!(&*set.metadata.name, "ab\n\"\\\u{1f600}");
    assert_eq!(
        set.metadata.labels.get("key").map(|value| &**value),
        Some("v\t")
    );
    assert_eq!(place(r#"{"metadata":{"name":"\ud800"}}"#), "metadata.name");
}

#[test]
fn a_label_of_null_is_there_and_empty() {
    let set = StatefulSet::parse(r#"{"metadata":{"labels":{"a":null},"annotations":{"b":null}}}"#)
        .expect("as Go reads it");
    assert_eq!(set.metadata.labels.get("a").map(|value| &**value), Some(""));
    assert_eq!(
        set.metadata.annotations.get("b").map(|value| &**value),
        Some("")
    );
}
