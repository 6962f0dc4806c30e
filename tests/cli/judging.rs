//! `steadfast check` and `steadfast review`.

use std::fs;

use serde_json::json;

use super::{folder, run, run_in};

const REFUSED: &str = "tests/lab/refused.yaml";
const BARE: &[&str] = &[
    "check",
    "tests/lab/vault-bare.yaml",
    "tests/lab/cluster",
    "--complete",
];

#[test]
fn the_exit_code_says_what_was_found() {
    run(&[
        "check",
        "tests/lab/vault.yaml",
        "tests/lab/cluster",
        "--complete",
    ])
    .ends(0)
    .says("1 StatefulSet: nothing found\n");
    run(&["check", REFUSED])
        .ends(1)
        .says(": denied zero-grace-period (default/app-python-helm): ");
    run(BARE).ends(0).says("injected");
    run(&[BARE, &["--fail-on", "fix"]].concat()).ends(1);
    let warned = ["check", "tests/lab/app-go-helm.yaml", "--policy", "p.yaml"];
    let policy = "apiVersion: steadfast.dev/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {name: p}\n\
                  spec: {rules: {disallowed-update-strategy: {params: {allowed: [OnDelete]}}}}\n";
    let set = fs::read_to_string("tests/lab/app-go-helm.yaml").expect("it is there");
    let files = folder(&[("p.yaml", policy), ("tests/lab/app-go-helm.yaml", &set)]);
    run_in(files.path(), &warned, "")
        .ends(0)
        .says("warned disallowed-update-strategy");
    run_in(
        files.path(),
        &[&warned[..], &["--fail-on", "warn"]].concat(),
        "",
    )
    .ends(1);
}

#[test]
fn stdin_is_read_like_a_file() {
    let text = fs::read_to_string(REFUSED).expect("it is there");
    let done = run_in(folder(&[]).path(), &["check", "-"], &text).ends(1);
    done.says("<stdin>:26:7: denied zero-grace-period");
}

#[test]
fn findings_are_one_versioned_object() {
    let json = run(&["check", REFUSED, "-o", "json"]).ends(1).json();
    assert_eq!(json["version"], 1);
    assert_eq!(
        (&json["summary"]["sets"], &json["summary"]["denied"]),
        (&json!(1), &json!(1))
    );
    let findings = json["findings"].as_array().expect("a list");
    let denied = findings
        .iter()
        .find(|finding| finding["outcome"] == "denied");
    let mut denied = denied.expect("one is denied").clone();
    let text = fs::read_to_string(REFUSED).expect("it is there");
    let line = text
        .lines()
        .position(|line| line.contains("terminationGracePeriodSeconds"));
    let expected = json!({
        "file": REFUSED, "line": line.expect("it is there") + 1, "column": 7, "namespace": "default",
        "name": "app-python-helm", "rule": "zero-grace-period", "level": "deny", "outcome": "denied",
        "container": null, "path": "spec.template.spec.terminationGracePeriodSeconds",
        "pointer": "/spec/template/spec/terminationGracePeriodSeconds",
        "message": "spec.template.spec.terminationGracePeriodSeconds is 0",
        "remedy": "remove the line (30 is the default), or set 1 or more", "fixable": false,
    });
    let keys = expected.as_object().expect("an object");
    denied
        .as_object_mut()
        .expect("an object")
        .retain(|key, _| keys.contains_key(key));
    assert_eq!(denied, expected);
    let json = run(&[BARE, &["-o", "json"]].concat()).ends(0).json();
    let findings = json["findings"].as_array().expect("a list");
    let injected = findings
        .iter()
        .find(|finding| finding["rule"] == "missing-readiness-probe");
    let injected = injected.expect("it is injected");
    assert_eq!(
        (&injected["container"], &injected["fixable"]),
        (&json!("vault"), &json!(true))
    );
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let files = folder(&[
        ("broken.yaml", "a: 1\nb: [1, 2\nc: 3\n"),
        ("twice.yaml", "a: 1\na: 2\n"),
        (
            "odd.yaml",
            "# first\n---\napiVersion: apps/v1\nkind: StatefulSet\nspec: {replicas: three}\n",
        ),
        (
            "graceless.yaml",
            "apiVersion: apps/v1\nkind: StatefulSet\nspec: {serviceName: x, template: {spec: {terminationGracePeriodSeconds: 0}}}\n",
        ),
        ("none.yaml", "apiVersion: v1\nkind: ConfigMap\n"),
        (
            "policy.yaml",
            "apiVersion: steadfast.dev/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {name: p}\nspec: {profil: strict}\n",
        ),
    ]);
    let check = |arguments: &[&str]| run_in(files.path(), &[&["check"], arguments].concat(), "");
    check(&["broken.yaml"])
        .ends(2)
        .complains("error: broken.yaml:");
    check(&["twice.yaml"])
        .ends(2)
        .complains("error: twice.yaml:2:1: ");
    check(&["odd.yaml"]).ends(2).complains(
        "error: odd.yaml:5:8: StatefulSet without a name: cannot be read: spec.replicas: ",
    );
    check(&["absent.yaml"])
        .ends(2)
        .complains("error: cannot read absent.yaml");
    check(&["none.yaml"])
        .ends(0)
        .complains("warning: no StatefulSet");
    check(&["none.yaml", "--policy", "policy.yaml"])
        .ends(2)
        .complains("error: policy.yaml:4:8: ")
        .complains("did you mean `profile`?");
    check(&["none.yaml", "--policy", "absent.yaml"])
        .ends(2)
        .complains("cannot read absent.yaml");
    // One bad file hides nothing of the others.
    check(&["broken.yaml", "graceless.yaml"])
        .ends(2)
        .says("graceless.yaml:3:42: denied zero-grace-period")
        .complains("error: broken.yaml:");
}

#[test]
fn a_policy_that_denies_what_it_injects_is_refused() {
    let policy = |allowed: &str| {
        format!(
            "apiVersion: steadfast.dev/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {{name: p}}\nspec:\n  profile: strict\n  rules:\n\
             \x20   implicit-update-strategy: {{params: {{type: OnDelete}}}}\n\
             \x20   disallowed-update-strategy: {{params: {{allowed: [{allowed}]}}}}\n"
        )
    };
    let (wrong, right) = (policy("RollingUpdate"), policy("RollingUpdate, OnDelete"));
    let files = folder(&[
        ("wrong.yaml", &wrong),
        ("right.yaml", &right),
        ("set.yaml", "{}"),
    ]);
    run_in(
        files.path(),
        &["check", "set.yaml", "--policy", "wrong.yaml"],
        "",
    )
    .ends(2)
    .complains("the policy denies what it injects");
    run_in(
        files.path(),
        &["check", "set.yaml", "--policy", "right.yaml"],
        "",
    )
    .ends(0);
}

#[test]
fn a_review_is_answered_as_the_server_would() {
    let ask = |phase, file| {
        run(&[
            "review",
            "--phase",
            phase,
            "--cluster",
            "tests/suites/create/cluster",
            file,
        ])
    };
    let bare = "tests/suites/create/bare.json";
    let answer = ask("mutate", bare).ends(0).json();
    let question = fs::read_to_string(bare).expect("it is there");
    let question: serde_json::Value = serde_json::from_str(&question).expect("it is JSON");
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["response"]["uid"], question["request"]["uid"]);
    assert_eq!(
        (
            &answer["response"]["allowed"],
            &answer["response"]["patchType"]
        ),
        (&json!(true), &json!("JSONPatch"))
    );
    let answer = ask("validate", bare).ends(1).json();
    let status = &answer["response"]["status"];
    assert_eq!(
        (&status["code"], &status["reason"]),
        (&json!(403), &json!("Forbidden"))
    );
    assert_eq!(answer["response"]["patch"], json!(null));
    ask("mutate", "tests/lab/vault.yaml")
        .ends(2)
        .complains("tests/lab/vault.yaml");
    ask("mutate", "absent.json")
        .ends(2)
        .complains("cannot read absent.json");
    run(&["review", bare]).ends(2).complains("--phase");
    let done = run_in(folder(&[]).path(), &["review", "--phase", "mutate"], "{}").ends(2);
    done.complains("<stdin>");
}

#[test]
fn what_is_meant_to_be_a_set_and_is_none_is_told() {
    let text = "apiVersion: apps/v1\nkind: Statefulset\n---\napiVersion: apps/v1beta1\nkind: StatefulSet\n";
    run_in(folder(&[]).path(), &["check", "-"], text)
        .ends(0)
        .complains("<stdin>:2:1: kind Statefulset of apiVersion \"apps/v1\" is not judged; expected kind StatefulSet of apps/v1")
        .complains("<stdin>:4:1: kind StatefulSet of apiVersion \"apps/v1beta1\" is not judged");
}
