//! `steadfast rules` and `steadfast explain`.

use std::path::Path;
use std::process::Stdio;

use super::{command, run};

#[test]
fn the_rules_are_listed() {
    run(&["rules"]).ends(0).says("\nzero-grace-period");
    let json = run(&["rules", "-o", "json"]).ends(0).json();
    assert_eq!(json["version"], 1);
    let rules = json["rules"].as_array().expect("a list");
    let rule = rules
        .iter()
        .find(|rule| rule["rule"] == "missing-readiness-probe");
    let rule = rule.expect("it is a rule");
    assert_eq!(
        rule["levels"].to_string(),
        r#"{"baseline":"warn","strict":"deny"}"#
    );
    assert_eq!(rule["params"]["periodSeconds"], 10);
}

#[test]
fn a_rule_is_explained() {
    let done = run(&["explain", "zero-grace-period"]).ends(0);
    let done = done
        .says("zero-grace-period (baseline: deny, strict: deny)")
        .says("\nWhy\n");
    done.says("\nBefore\n")
        .says("\nAfter\n")
        .says("allow.steadfast.dev/zero-grace-period: \"<reason>\"");
    run(&["explain", "zero-grace-perod"])
        .ends(2)
        .complains("no rule is called `zero-grace-perod`; did you mean `zero-grace-period`?");
}

#[test]
fn nobody_left_to_read_is_no_error() {
    let review = [
        "review",
        "--phase",
        "mutate",
        "tests/suites/create/bare.json",
    ];
    let commands: [&[&str]; 9] = [
        &["rules"],
        &["rules", "-o", "json"],
        &["explain", "zero-grace-period"],
        &["check", "tests/lab/vault.yaml"],
        &["check", "tests/lab/vault.yaml", "-o", "json"],
        &review,
        &["test", "tests/suites"],
        &["test", "tests/suites", "-o", "json"],
        &["test", "tests/suites", "-o", "junit"],
    ];
    for arguments in commands {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = command(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .expect("it runs");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_misspelt_command_is_an_error_with_the_nearest() {
    run(&["chekc"]).ends(2).complains("'check'");
    run(&[]).ends(2).complains("Usage: steadfast");
}
