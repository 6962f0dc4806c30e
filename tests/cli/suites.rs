//! `steadfast test`.

use std::fs;

use super::{folder, run, run_in};

pub(super) const SET: &str = "\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  template:
    spec:
      containers:
      - {name: web, ports: [{name: http, containerPort: 80}]}
";

/// A suite of one test about [`SET`], with this as what is expected.
pub(super) fn suite(expect: &str) -> String {
    format!("tests:\n- name: one\n  object: set.yaml\n  expect: {expect}\n")
}

#[test]
fn our_own_suites_pass() {
    let done = run(&["test", "tests/suites"]).ends(0);
    let last = done.stdout.lines().last().expect("a summary");
    let (passed, rest) = last.split_once(" passed, ").expect("it counts");
    assert!(passed.parse::<usize>().expect("a number") > 40, "{last}");
    assert_eq!(rest, "0 failed, 0 skipped");
    assert_eq!(done.stderr, "");
}

#[test]
fn a_wrong_expectation_fails_with_what_was_expected_and_found() {
    for (expect, place, words) in [
        (
            "{allowed: false}",
            "4:12",
            "expected  denied\n    found     allowed",
        ),
        (
            "{findings: [{rule: missing-readiness-probe, count: 0}]}",
            "4:23",
            "injected missing-readiness-probe (warn) container web at \
             spec.template.spec.containers[web].readinessProbe: container web has no readiness probe",
        ),
        (
            "{findings: [{container: other}]}",
            "4:23",
            "at least 1 with container other",
        ),
        (
            "{findings: [{level: deny}]}",
            "4:23",
            "at least 1 with level deny",
        ),
        (
            "{findings: [{subject: x}]}",
            "4:23",
            "at least 1 with subject x",
        ),
        (
            "{findings: [{path: spec}]}",
            "4:23",
            "at least 1 with path spec",
        ),
        (
            "{findings: [{message: ^x}]}",
            "4:23",
            "at least 1 with message /^x/",
        ),
        ("{warnings: [no such thing]}", "4:23", "/no such thing/"),
        ("{noWarnings: true}", "4:12", "expected  no warning"),
        (
            "{denial: x}",
            "4:12",
            "expected  /x/\n    found     allowed",
        ),
        (
            "{auditAnnotations: {zero-grace-period: x}}",
            "4:31",
            "no annotation like it",
        ),
        ("{unchanged: true}", "4:12", "expected  no change"),
        ("{patched: set.yaml}", "4:12", "+        readinessProbe:\n"),
        ("{patch: []}", "4:12", "+++ found\n"),
    ] {
        let suite = suite(expect);
        let files = folder(&[("suite.yaml", &suite), ("set.yaml", SET)]);
        let done = run_in(files.path(), &["test"], "").ends(1);
        let done = done.says("suite.yaml/one ... FAILED\n").says(words);
        done.says(&format!("  suite.yaml:{place}: "))
            .says("\n0 passed, 1 failed, 0 skipped\n");
    }
}

#[test]
fn a_diff_has_colours_only_where_they_are_wanted() {
    let suite = suite("{patched: set.yaml}");
    let files = folder(&[("suite.yaml", &suite), ("set.yaml", SET)]);
    let plain = run_in(files.path(), &["test"], "").ends(1);
    assert!(!plain.stdout.contains('\u{1b}'), "{plain:#?}");
    run_in(files.path(), &["test", "--color", "always"], "")
        .ends(1)
        .says("\u{1b}[32m+        readinessProbe:");
}

#[test]
fn tests_are_chosen_by_name_and_skipped_with_a_reason() {
    let text = "policy: none\ntests:\n- {name: a, object: set.yaml, expect: {allowed: true}}\n\
                - {name: b, skip: not yet, object: set.yaml, expect: {allowed: false}}\n";
    let files = folder(&[("deep/er/x.suite.yaml", text), ("deep/er/set.yaml", SET)]);
    let done = run_in(files.path(), &["test"], "").ends(0);
    let done = done.says("deep/er/x.suite.yaml/a ... ok\n");
    done.says("deep/er/x.suite.yaml/b ... skipped: not yet\n")
        .says("\n1 passed, 0 failed, 1 skipped\n");
    run_in(files.path(), &["test", "--run", "suite.yaml/b$"], "")
        .ends(0)
        .says("\n0 passed, 0 failed, 1 skipped\n");
    run_in(files.path(), &["test", "--run", "c$"], "")
        .ends(2)
        .complains("no test is called like /c$/");
}

#[test]
fn update_writes_what_then_passes() {
    let text = "tests:\n- {name: yaml, object: set.yaml, expect: {patched: after.yaml, patch: patch.json}}\n\
                - {name: another, object: {metadata: {name: x}, spec: {serviceName: x}}, expect: {patched: after.yaml}}\n";
    let files = folder(&[("suite.yaml", text), ("set.yaml", SET)]);
    let call = |arguments: &[&str]| run_in(files.path(), &[&["test"], arguments].concat(), "");
    call(&["--update", "--run", "yaml$"])
        .ends(0)
        .complains("updated after.yaml\n")
        .complains("updated patch.json\n");
    let done = call(&["--run", "yaml$"]).ends(0);
    assert_eq!(done.stderr, "");
    let again = call(&["--update", "--run", "yaml$"]).ends(0);
    assert_eq!(again.stderr, "", "what is right is not rewritten");
    let after = fs::read_to_string(files.path().join("after.yaml")).expect("it was written");
    assert!(after.contains("        readinessProbe:\n"), "{after}");
    // Two tests that want different things of one file: the second does not undo the first.
    fs::remove_file(files.path().join("after.yaml")).expect("it is there");
    call(&["--update"]).ends(1).says("another ... FAILED");
}

#[test]
fn machines_can_read_the_results() {
    let text = "tests:\n- {name: 'a < \"b\"', object: set.yaml, expect: {allowed: false, patched: set.yaml}}\n\
                - {name: c, skip: no & no, object: set.yaml, expect: {allowed: false}}\n\
                - {name: d, object: set.yaml, expect: {allowed: true}}\n";
    let files = folder(&[("suite.yaml", text), ("set.yaml", SET)]);
    let json = run_in(files.path(), &["test", "-o", "json"], "")
        .ends(1)
        .json();
    assert_eq!(json["version"], 1);
    assert_eq!(
        json["summary"].to_string(),
        r#"{"passed":1,"failed":1,"skipped":1}"#
    );
    let first = &json["tests"][0];
    assert_eq!(
        (&first["result"], &first["line"]),
        (&"failed".into(), &2.into())
    );
    assert_eq!(first["failures"][0]["found"], "allowed");
    assert!(
        first["failures"][1]["diff"]
            .as_str()
            .expect("a diff")
            .contains("+        readinessProbe:")
    );
    assert_eq!(json["tests"][1]["reason"], "no & no");
    let junit = run_in(files.path(), &["test", "-o", "junit"], "").ends(1);
    let junit = junit.says(
        r#"<testsuites name="steadfast test" tests="3" failures="1" errors="0" skipped="1">"#,
    );
    let junit = junit
        .says(r#"name="a &lt; &quot;b&quot;""#)
        .says(r#"<skipped message="no &amp; no"/>"#);
    well_formed(&junit.stdout);
}

/// Whether every tag of an XML text is closed, in order, and nothing stands around that must not.
#[track_caller]
fn well_formed(xml: &str) {
    let mut open = Vec::new();
    let body = xml
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .expect("a head");
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "{part}");
        let name = tag
            .split([' ', '/'])
            .find(|name| !name.is_empty())
            .expect("a name");
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (false, true) => {}
            (false, false) => open.push(name),
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert!(open.is_empty(), "{open:?}");
}
