//! A text is policies that can be used, or one error that points into it.

use serde_json::json;
use steadfast::admission;
use steadfast::cluster::{DEFAULT_NAMESPACE, Unseen};
use steadfast::policy::{PolicyFile, PolicySet};
use steadfast::rules;

const FILE: &str = "p.yaml";

/// Holds the law.
pub fn hold(text: &str) {
    let policies = match PolicyFile::read(FILE, text) {
        Ok(policies) => policies,
        Err(error) => {
            let error = error.to_string();
            if error != "p.yaml: holds no StatefulSetPolicy" {
                super::has_a_place(FILE, text, &error);
            }
            return;
        }
    };
    assert!(!policies.is_empty(), "no policy is an error");
    for policy in &policies {
        assert!(!policy.name.is_empty() && policy.file == FILE);
    }
    let mut names: Vec<_> = policies.iter().map(|policy| policy.name.clone()).collect();
    names.sort();
    let twins = names.windows(2).any(|pair| pair[0] == pair[1]);
    match PolicySet::new(policies) {
        Ok(set) => {
            assert!(!twins, "names must differ");
            judges(&set);
        }
        // A parameter that cannot be used has been an error with a place before, alone or with others.
        Err(error) => assert!(twins, "read one by one they were right: {error}"),
    }
}

/// Whatever the parameters are, an empty set and a bare one can be judged by them.
fn judges(policies: &PolicySet) {
    let bare = json!({"metadata": {"name": "web"}, "spec": {"replicas": 2, "template": {"spec": {"containers": [
        {"name": "web", "ports": [{"name": "http", "containerPort": 80}], "volumeMounts": [{"name": "data", "mountPath": "/data"}]},
    ]}}}});
    for object in [&json!({}), &bare] {
        let verdict = admission::admit(policies, &Unseen, DEFAULT_NAMESPACE, object, None);
        let verdict = verdict.expect("both can be read");
        let known = |rule| rules::find(rule).is_some();
        assert!(verdict.judged.iter().all(|judged| known(judged.rule)));
    }
}
