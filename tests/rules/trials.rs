//! Every fixture under several policies, in a cluster that is known and in one that is not.

use std::fmt;
use std::sync::LazyLock;

use serde_json::{Value, json};
use steadfast::cluster::Unseen;
use steadfast::engine::{Outcome, Verdict};
use steadfast::policy::PolicySet;
use steadfast::rule::ClusterView;

use crate::common::fixtures::{ALL, Fixture};
use crate::common::{admit, altered, cluster, policy, storage_classes};

/// A fixture under one policy in one cluster.
pub(crate) struct Trial<'t> {
    pub(crate) fixture: &'t Fixture,
    pub(crate) policy: &'t PolicySet,
    pub(crate) cluster: &'t dyn ClusterView,
    circumstances: String,
}

impl fmt::Display for Trial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.fixture.name, self.circumstances)
    }
}

impl Trial<'_> {
    pub(crate) fn object(&self) -> &Value {
        &self.fixture.object
    }

    pub(crate) fn admit(&self, object: &Value) -> Verdict {
        admit(object, self.policy, self.cluster)
    }
}

static POLICIES: LazyLock<[(&str, PolicySet); 3]> = LazyLock::new(|| {
    [
        ("baseline", PolicySet::built_in()),
        ("strict", policy(&json!({"profile": "strict"}))),
        ("altered", altered()),
    ]
});

/// Holds a law against every trial; `law` panics where it is broken. Enough of them must inject something.
pub(crate) fn everywhere(law: impl Fn(&Trial<'_>)) {
    let mut injected = 0;
    for fixture in ALL.iter() {
        let known = cluster(fixture.beside.iter().chain(&storage_classes()));
        let clusters: [(&str, &dyn ClusterView); 2] =
            [("cluster known", &known), ("cluster unseen", &Unseen)];
        for (policy_name, policy) in POLICIES.iter() {
            for (cluster_name, cluster) in clusters {
                let circumstances = format!("policy {policy_name}, {cluster_name}");
                let trial = Trial {
                    fixture,
                    policy,
                    cluster,
                    circumstances,
                };
                injected += usize::from(injects(&trial.admit(&fixture.object)));
                law(&trial);
            }
        }
    }
    assert!(injected > 50, "only {injected} trials inject anything");
}

/// Whether anything was injected.
pub(crate) fn injects(verdict: &Verdict) -> bool {
    verdict
        .judged
        .iter()
        .any(|judged| judged.outcome == Outcome::Injected)
}
