//! `steadfast fix`: manifests that say themselves what a cluster would inject.

use std::fs;
use std::path::Path;

use super::{Run, folder, run_in};

const BARE: &str = "\
# the shop's front
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: 2   # never one
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: acme/web:1
        ports:
        - {name: http, containerPort: 8080}
        volumeMounts:
        - {name: data, mountPath: /data}
---
apiVersion: v1
kind: Service
metadata: {name: web-peers}
spec: {clusterIP: None, selector: {app: web}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: disk, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}
provisioner: example.com/disk
";

/// A run on a text from stdin.
fn run(arguments: &[&str], stdin: &str) -> Run {
    run_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments, stdin)
}

fn fixed(text: &str, flags: &[&str]) -> Run {
    run(&[&["fix", "-"], flags].concat(), text)
}

#[test]
fn one_manifest_comes_out_repaired_and_says_what_was_done() {
    let run = fixed(BARE, &["--complete"]).ends(0);
    for line in BARE.lines() {
        assert!(run.stdout.contains(line), "{line:?} is not in {run:#?}");
    }
    let run = run
        .says("  replicas: 2   # never one\n  serviceName: web-peers\n  selector:")
        .says("        readinessProbe:\n          failureThreshold: 3\n")
        .says("  volumeClaimTemplates:\n  - apiVersion: v1\n    kind")
        .complains("<stdin>:12:9: injected missing-readiness-probe (default/web): container web has no readiness probe")
        .complains("<stdin>:5:1: injected missing-service-name (default/web)");
    assert!(!run.stdout.contains("steadfast.dev/injected"), "{run:#?}");
    let again = fixed(&run.stdout, &["--complete"]).ends(0);
    assert_eq!(again.stdout, run.stdout);
    assert_eq!(again.stderr, "nothing to repair; left: nothing found\n");
}

#[test]
fn what_cannot_be_known_is_left() {
    fixed(BARE.split("---").next().expect("a set"), &[])
        .ends(1)
        .says("readinessProbe")
        .complains(": denied dangling-volume-mount (default/web): ")
        .complains("left: 1 denied, 1 warned")
        .complains("give their manifests by --cluster");
}

#[test]
fn a_diff_of_each_and_exit_code_1_where_anything_would_change() {
    let files = folder(&[
        ("a.yaml", BARE),
        ("b.yaml", "kind: ConfigMap\napiVersion: v1\n"),
    ]);
    let at = |arguments: &[&str]| run_in(files.path(), arguments, "");
    let several = at(&["fix", "a.yaml", "b.yaml", "--complete"]).ends(0);
    let shown = at(&["fix", "--diff", "a.yaml", "--complete"])
        .ends(1)
        .says("--- a.yaml\n+++ a.yaml\n@@ -")
        .says("\n+  serviceName: web-peers\n");
    assert_eq!(shown.stdout, several.stdout);
    assert!(!shown.stdout.contains("\n-"), "{shown:#?}");
    assert_eq!(
        fs::read_to_string(files.path().join("a.yaml")).expect("it is there"),
        BARE
    );
    at(&["fix", "--write", "a.yaml", "--complete"]).ends(0);
    at(&["fix", "--diff", "a.yaml", "--complete"]).ends(0);
    at(&["check", "--fail-on", "fix", "a.yaml", "--complete"]).ends(0);
}

#[test]
fn what_only_a_manifest_can_repair_is_repaired() {
    let templates =
        "  volumeClaimTemplates:\n  - metadata: {name: archive}\n    spec: {resources: {}}\n---\n";
    let mounts = "        - {name: data, mountPath: /data}\n";
    let text = BARE.replacen("---\n", templates, 1);
    let idle = fixed(&text, &["--complete"]).ends(1);
    assert!(!idle.stdout.contains("name: data\n"), "{idle:#?}");
    let text = text.replace(
        mounts,
        &format!("{mounts}        - {{name: archive, mountPath: /archive}}\n"),
    );
    run(&["check", "-", "--complete"], &text)
        .ends(1)
        .says("denied claim-template-incomplete")
        .says("denied dangling-volume-mount");
    fixed(&text, &["--complete"])
        .ends(0)
        .says("    spec: {resources: {requests: {storage: 8Gi}}, accessModes: [ReadWriteOnce]}\n")
        .says("\n  - apiVersion: v1\n    kind: PersistentVolumeClaim\n    metadata:\n      name: data\n");
}

#[test]
fn a_stored_set_is_repaired_where_it_can_still_be() {
    let old = BARE
        .replace(
            "metadata: {name: web}",
            "metadata: {name: web, namespace: shop}",
        )
        .replace("  replicas: 2", "  serviceName: old\n  replicas: 2");
    let files = folder(&[("old.yaml", &*old), ("new.yaml", BARE)]);
    let run = run_in(
        files.path(),
        &["fix", "new.yaml", "--old", "old.yaml", "--complete"],
        "",
    );
    let run = run
        .says("  serviceName: old\n")
        .says("readinessProbe")
        .complains("new.yaml:5:1: restored (shop/web): spec.serviceName was left out; kept \"old\"")
        .complains("It is not repaired, since that can be said only when the set is made");
    assert!(!run.stdout.contains("volumeClaimTemplates"), "{run:#?}");
}

#[test]
fn json_stays_json_and_lists_stay_lists() {
    let json = r#"{
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"},
         "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"spec": {"containers": [{"name": "web", "ports": [{"containerPort": 80}]}]}}}}
    ]
}
"#;
    let run = fixed(json, &[]).ends(0);
    let repaired = run.json();
    let container = &repaired["items"][0]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["readinessProbe"]["tcpSocket"]["port"], 80);
    assert!(run.stdout.starts_with("{\n    \"apiVersion\""), "{run:#?}");
    let yaml = "kind: List\napiVersion: v1\nitems:\n- apiVersion: apps/v1\n  kind: StatefulSet\n  metadata:\n    name: web\n  spec:\n    \
                selector: {}\n    template:\n      spec:\n        containers:\n        - name: web\n          ports:\n          - containerPort: 80\n";
    fixed(yaml, &[])
        .ends(0)
        .says("          - containerPort: 80\n          readinessProbe:\n");
}

#[test]
fn what_is_written_with_an_alias_is_not_guessed() {
    let text = "\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
x-containers: &all
- {name: web, ports: [{containerPort: 80}]}
spec:
  selector: {matchLabels: {app: web}}
  template:
    spec:
      containers: *all
";
    let run = fixed(text, &[])
        .ends(2)
        .complains("<stdin>:10:19: StatefulSet web: is not repaired: it cannot be edited in place: it is written with an alias");
    assert_eq!(run.stdout, text);
}

#[test]
fn a_part_of_a_set_is_left_alone() {
    let patch = BARE.replace("  selector: {matchLabels: {app: web}}\n", "");
    let run = fixed(&patch, &["--complete"])
        .ends(0)
        .complains("<stdin>:5:1: StatefulSet web: spec.selector is missing");
    assert_eq!(run.stdout, patch);
    fixed("a:\n{{- if .Values.x }}\nb: 1\n{{- end }}\n", &[])
        .ends(2)
        .complains(
            "it looks like a template: render it first (helm template DIR | steadfast check -)",
        );
}

#[test]
fn what_makes_no_sense_is_refused() {
    run(&["fix", "--write", "-"], BARE)
        .ends(2)
        .complains("stdin is no file");
    run(&["fix", "--write", "--diff", "a.yaml"], "").ends(2);
    let run = run(&["fix", "-"], "a: [1\n").ends(2);
    assert_eq!(run.stdout, "");
}
