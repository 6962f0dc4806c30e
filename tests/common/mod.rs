//! What the law tests share: every `StatefulSet` there is to try, and policies and clusters to try it with.

// A vocabulary: each test target uses its part.
#![allow(dead_code)]
// What is left out, a test says on the terminal.
#![allow(clippy::print_stdout)]

pub(crate) mod fixtures;
pub(crate) mod lawful;
pub(crate) mod mutants;

use std::fmt::Write as _;

use serde_json::{Value, json};
use steadfast::cluster::{DEFAULT_NAMESPACE, Manifests};
use steadfast::engine::{self, Case, Verdict};
use steadfast::object::view::StatefulSet;
use steadfast::object::yaml;
use steadfast::policy::{PolicyFile, PolicySet, Subject};
use steadfast::rule::{ClusterView, Operation};
use steadfast::rules::RULES;

/// The pointer to the annotation that says what was injected.
pub(crate) const RECORD: &str = lawful::RECORD;

/// Every document of a YAML text; `name` is what a failure calls it.
pub(crate) fn documents(name: &str, text: &str) -> Vec<Value> {
    let documents = yaml::read(name, text).unwrap_or_else(|error| panic!("{error}"));
    documents
        .into_iter()
        .map(|document| document.value)
        .collect()
}

/// The one document of a YAML text.
pub(crate) fn document(name: &str, text: &str) -> Value {
    let mut documents = documents(name, text);
    assert_eq!(documents.len(), 1, "{name} is one document");
    documents.remove(0)
}

/// A policy of this `spec`.
pub(crate) fn policy(spec: &Value) -> PolicySet {
    let policy = json!({
        "apiVersion": "steadfast.dev/v1alpha1", "kind": "StatefulSetPolicy", "metadata": {"name": "test"}, "spec": spec,
    });
    let policies =
        PolicyFile::read("policy", &policy.to_string()).unwrap_or_else(|error| panic!("{error}"));
    PolicySet::new(policies).unwrap_or_else(|error| panic!("{error}"))
}

/// A policy in which one rule holds, at this level, and no other.
pub(crate) fn alone(rule: &str, level: &str, params: &Value) -> PolicySet {
    let rules = RULES.iter().map(|entry| entry.meta.id).map(|id| {
        let statement = if id == rule {
            json!({"level": level, "params": params})
        } else {
            json!({"level": "off"})
        };
        (id.to_owned(), statement)
    });
    policy(&json!({"rules": Value::Object(rules.collect())}))
}

/// A policy in which everything that a fix writes has another value.
pub(crate) fn altered() -> PolicySet {
    policy(&json!({"profile": "strict", "rules": {
        "missing-readiness-probe": {"params": {"periodSeconds": 7, "grpcHealth": true}},
        "missing-liveness-probe": {"params": {"killAfterSeconds": 300, "startupBudgetSeconds": 600, "grpcHealth": true}},
        "missing-service-name": {"params": {"name": "{name}-headless"}},
        "dangling-volume-mount": {"params": {"storage": "20Gi", "storageClassName": "fast"}},
        "implicit-update-strategy": {"params": {"type": "OnDelete"}},
        "disallowed-update-strategy": {"params": {"allowed": ["OnDelete", "RollingUpdate"]}},
    }}))
}

/// A cluster of which these manifests are all there is.
pub(crate) fn cluster<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Manifests {
    let mut manifests = Manifests::new(true);
    for object in objects {
        manifests
            .add(object, DEFAULT_NAMESPACE)
            .unwrap_or_else(|error| panic!("{error}: {object}"));
    }
    manifests
}

/// Two storage classes whose claims can grow, one of them the default.
pub(crate) fn storage_classes() -> [Value; 2] {
    let class = |name: &str, default: &str| {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "example.com/disk",
            "allowVolumeExpansion": true, "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default}}})
    };
    [class("standard", "true"), class("fast", "false")]
}

/// A call of the engine.
pub(crate) type Call = fn(&Case<'_>, &steadfast::policy::Policy) -> Verdict;

/// What `call` says of an object; of an UPDATE where there is an old one.
pub(crate) fn judge(
    call: Call,
    object: &Value,
    old: Option<&Value>,
    policies: &PolicySet,
    cluster: &dyn ClusterView,
) -> Verdict {
    let (text, old_text) = (object.to_string(), old.map(Value::to_string));
    let parse = |text| StatefulSet::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let (set, old) = (parse(&text), old_text.as_deref().map(parse));
    let name = &*set.metadata.name;
    let namespace = match &*set.metadata.namespace {
        "" => DEFAULT_NAMESPACE,
        namespace => namespace,
    };
    let operation = if old.is_some() {
        Operation::Update
    } else {
        Operation::Create
    };
    let read = || serde_json::from_str(&text);
    let read_old = || serde_json::from_str(old_text.as_deref().unwrap_or("null"));
    let case = Case {
        operation,
        namespace,
        name,
        object: &set,
        old: old.as_ref(),
        read: &read,
        read_old: &read_old,
        cluster,
    };
    call(&case, &policies.effective(&Subject { namespace, name }))
}

/// What a cluster would do with an object that is made.
pub(crate) fn admit(object: &Value, policies: &PolicySet, cluster: &dyn ClusterView) -> Verdict {
    judge(engine::admit, object, None, policies, cluster)
}

/// The object as it comes out of a verdict.
pub(crate) fn outcome(object: &Value, verdict: &Verdict) -> Value {
    verdict.patched.clone().unwrap_or_else(|| object.clone())
}

/// Each finding in a line: rule, container, subject, outcome and words.
pub(crate) fn findings(verdict: &Verdict) -> Vec<String> {
    let mut lines = Vec::new();
    for judged in &verdict.judged {
        let mut line = format!("{} {}", judged.outcome.as_str(), judged.paragraph());
        let _ = write!(
            line,
            " | {:?} {:?} {}",
            judged.finding.container,
            judged.finding.subject,
            judged.sentence()
        );
        lines.push(line);
    }
    lines
}

/// Puts an annotation on an object.
pub(crate) fn annotate(object: &mut Value, key: &str, value: &str) {
    let annotations = &mut object["metadata"]["annotations"];
    annotations[key] = Value::from(value);
}
