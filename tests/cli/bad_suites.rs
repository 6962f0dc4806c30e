//! `steadfast test` on suites that are no suites.

use super::suites::{SET, suite};
use super::{folder, run_in};

#[test]
fn a_bad_suite_is_shown_where_it_is_bad() {
    let test = |rest: &str| format!("tests:\n- name: one\n{rest}");
    for (suite, place, words) in [
        (
            suite("{alowed: true}"),
            "suite.yaml:4:12",
            "did you mean `allowed`?",
        ),
        (
            suite("{findings: [{rul: x}]}"),
            "suite.yaml:4:24",
            "did you mean `rule`?",
        ),
        (
            suite("{findings: [{rule: zero-grace-perod}]}"),
            "suite.yaml:4:24",
            "did you mean `zero-grace-period`?",
        ),
        (
            suite("{findings: []}"),
            "suite.yaml:4:12",
            "an empty list says nothing",
        ),
        (
            suite("{warnings: ['(']}"),
            "suite.yaml:4:23",
            "`(` is no regular expression: unclosed group",
        ),
        (suite("{}"), "suite.yaml:4:3", "expects nothing"),
        (
            test("  objects: set.yaml\n  expect: {allowed: true}\n"),
            "suite.yaml:3:3",
            "did you mean `object`?",
        ),
        (
            test("  expect: {allowed: true}\n"),
            "suite.yaml:2:3",
            "nothing to judge",
        ),
        (
            test("  review: r.json\n  dryRun: true\n  expect: {allowed: true}\n"),
            "suite.yaml:3:3",
            "remove `dryRun`",
        ),
        (
            test("  object: set.yaml\n  operation: DELETE\n  expect: {allowed: true}\n"),
            "suite.yaml:4:3",
            "DELETE is about `oldObject` alone",
        ),
        (
            test("  object: set.yaml\n  phase: validate\n  expect: {patch: []}\n"),
            "suite.yaml:4:3",
            "validate never patches",
        ),
        (
            suite("{allowed: true}")
                + "- name: one\n  object: set.yaml\n  expect: {allowed: true}\n",
            "suite.yaml:5:3",
            "two tests are called `one`",
        ),
        (
            "tests: []\n".to_owned(),
            "suite.yaml:1:1",
            "an empty list says nothing",
        ),
        (
            test("  object: none.yaml\n  expect: {allowed: true}\n"),
            "suite.yaml:2:3",
            "cannot read none.yaml",
        ),
        (
            suite("{patched: none.yaml}"),
            "suite.yaml:2:3",
            "--update makes it",
        ),
    ] {
        let files = folder(&[("suite.yaml", &suite), ("set.yaml", SET)]);
        let done = run_in(files.path(), &["test"], "").ends(2);
        let done = done.complains(words);
        assert!(
            done.stderr.starts_with(&format!("error: {place}: ")),
            "{suite}: {}",
            done.stderr
        );
    }
}

#[test]
fn without_a_suite_there_is_nothing_to_pass() {
    let files = folder(&[("set.yaml", SET)]);
    run_in(files.path(), &["test"], "")
        .ends(2)
        .complains("holds no suite");
    run_in(files.path(), &["test", "none"], "")
        .ends(2)
        .complains("cannot read none");
}
