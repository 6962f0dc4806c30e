//! Policies layered over each other, and what comes out for one subject.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::file::Statement;
use super::{Policy, PolicyError, PolicyFile, Selected};
use crate::rule::{FixMode, Level};
use crate::rules::RULES;
use crate::workload::{Catalogue, Workload, faults};

/// Every policy in force, from low to high.
#[derive(Clone, Debug)]
pub struct PolicySet {
    effective: Arc<Policy>,
}

/// Whom a policy is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The set's name; empty where the API server is still to make one.
    pub name: &'a str,
}

impl PolicySet {
    /// The built-in policy: profile `baseline` and nothing else.
    #[must_use]
    pub fn built_in() -> Self {
        Self::new(Vec::new()).expect("the rules' defaults are right")
    }

    /// Layers policies: by priority, then by name, and the last one that states something wins.
    pub fn new(mut policies: Vec<PolicyFile>) -> Result<Self, PolicyError> {
        let mut files = BTreeMap::new();
        for PolicyFile { name, file, .. } in &policies {
            if let Some(other) = files.insert(name, file) {
                return Err(PolicyError(format!(
                    "two policies are called `{name}`, in {other} and in {file}; names must differ"
                )));
            }
        }
        policies
            .sort_by(|one, other| (one.priority, &one.name).cmp(&(other.priority, &other.name)));
        Ok(Self {
            effective: Arc::new(layered(&policies)?),
        })
    }

    /// What holds for a subject.
    ///
    /// No policy can be limited to some subjects yet, so this is one policy for all; it is the one place that will decide.
    #[must_use]
    pub fn effective(&self, _: &Subject<'_>) -> Arc<Policy> {
        Arc::clone(&self.effective)
    }
}

fn layered(policies: &[PolicyFile]) -> Result<Policy, PolicyError> {
    let profile = policies
        .iter()
        .filter_map(|policy| policy.profile)
        .next_back()
        .unwrap_or_default();
    let mut stated: BTreeMap<&str, Statement> = BTreeMap::new();
    for (id, statement) in policies.iter().flat_map(|policy| &policy.rules) {
        let below = stated.entry(id).or_default();
        below.level = statement.level.or(below.level);
        below.fix = statement.fix.or(below.fix);
        below.params.extend(statement.params.clone());
    }
    let rules = RULES.iter().map(|entry| {
        let statement = stated.remove(entry.meta.id).unwrap_or_default();
        let rule = (entry.configure)(&Value::Object(statement.params.clone()))
            .map_err(|error| PolicyError(format!("{}: {error}", entry.meta.id)))?;
        let mut params = (entry.defaults)();
        if let Some(defaults) = params.as_object_mut() {
            defaults.extend(Map::clone(&statement.params));
        }
        Ok(Selected {
            meta: entry.meta,
            level: statement
                .level
                .unwrap_or_else(|| profile.level(&entry.meta)),
            fix: statement.fix.unwrap_or(FixMode::Apply),
            params,
            rule,
        })
    });
    let rules: Result<Vec<_>, PolicyError> = rules
        .filter(|rule| !matches!(rule, Ok(rule) if rule.level == Level::Off))
        .collect();
    let workloads = policies.iter().flat_map(|policy| policy.workloads.clone());
    Ok(Policy {
        rules: rules?,
        catalogue: Catalogue::new(own(workloads)?),
    })
}

/// The workloads of all policies: of one that several state, the last.
fn own(workloads: impl Iterator<Item = Workload>) -> Result<Vec<Workload>, PolicyError> {
    let mut own: Vec<Workload> = Vec::new();
    for workload in workloads {
        own.retain(|other| other.id != workload.id);
        own.push(workload);
    }
    match faults(&own).first() {
        None => Ok(own),
        Some(fault) => Err(PolicyError(format!(
            "workload `{}`: {}",
            own[fault.index].id, fault.message
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANYBODY: Subject<'static> = Subject {
        namespace: "default",
        name: "web",
    };

    fn policy(name: &str, spec: &str) -> Vec<PolicyFile> {
        let text = format!(
            "apiVersion: steadfast.dev/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {{name: {name}}}\nspec: {spec}\n"
        );
        PolicyFile::read("p.yaml", &text).expect("a policy")
    }

    fn rule(set: &PolicySet, id: &str) -> Option<(Level, FixMode, Value)> {
        let policy = set.effective(&ANYBODY);
        policy
            .rules
            .iter()
            .find(|rule| rule.meta.id == id)
            .map(|rule| (rule.level, rule.fix, rule.params.clone()))
    }

    #[test]
    fn baseline_denies_only_what_is_certain_to_break() {
        let set = PolicySet::built_in();
        let denied: Vec<_> = set
            .effective(&ANYBODY)
            .rules
            .iter()
            .filter(|rule| rule.level == Level::Deny)
            .map(|rule| rule.meta.id)
            .collect();
        assert_eq!(
            denied,
            [
                "claims-deleted",
                "displaced-data",
                "zero-grace-period",
                "dangling-volume-mount",
                "undeclared-probe-port",
                "claim-template-incomplete"
            ]
        );
    }

    #[test]
    fn the_higher_policy_wins_field_by_field() {
        let mut policies = policy(
            "b",
            "{priority: 1, rules: {missing-readiness-probe: {level: deny, params: {periodSeconds: 7}}}}",
        );
        policies.extend(policy("a", "{priority: 2, profile: strict, rules: {missing-readiness-probe: {fix: preview, params: {grpcHealth: true}}}}"));
        let set = PolicySet::new(policies).expect("a set");
        let (level, fix, params) = rule(&set, "missing-readiness-probe").expect("it holds");
        assert_eq!((level, fix), (Level::Deny, FixMode::Preview));
        assert_eq!(
            params,
            serde_json::json!({"periodSeconds": 7, "grpcHealth": true, "helpers": []})
        );
        assert_eq!(
            rule(&set, "missing-liveness-probe").map(|rule| rule.0),
            Some(Level::Warn),
            "from the profile"
        );
    }

    #[test]
    fn a_rule_that_is_off_is_gone() {
        let set = PolicySet::new(policy("a", "{rules: {zero-grace-period: {level: off}}}"))
            .expect("a set");
        assert_eq!(rule(&set, "zero-grace-period"), None);
    }

    #[test]
    fn names_must_differ() {
        let twins = [
            policy("a", "{}"),
            policy("b", "{priority: 1}"),
            policy("a", "{priority: 2}"),
        ]
        .concat();
        assert!(
            PolicySet::new(twins)
                .expect_err("twins")
                .to_string()
                .contains("`a`")
        );
    }
}
