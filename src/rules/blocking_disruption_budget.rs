//! # blocking-disruption-budget
//! Finds sets whose pods a PodDisruptionBudget never lets go.
//! ## Why
//! Whoever empties a node evicts its pods: `kubectl drain`, an upgrade of the cluster, an autoscaler that takes nodes away. Where a
//! budget allows no eviction even while all pods are ready, that waits for ever, until somebody deletes the pod by hand. Of a pod
//! that two budgets select the API server refuses every eviction, whatever they allow.
//! ## Fix
//! Set `maxUnavailable: 1` on the budget: it stays right however many replicas there are. With one replica, that pod is away while it
//! moves. Of several budgets, leave one.
//!
//! Where a drain is meant to wait for somebody who knows the application, say so:
//! `allow.steadfast.dev/blocking-disruption-budget: "<reason>"`. Nothing is found of a `minAvailable` other than 100% whose selector
//! does not ask for all labels that the set selects: there may be other pods that count, too.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec: {replicas: 2, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}}}
//! ```
//! ```yaml cluster
//! apiVersion: policy/v1
//! kind: PodDisruptionBudget
//! metadata: {name: db}
//! spec: {minAvailable: 2, selector: {matchLabels: {app: db}}}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec: {replicas: 3, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}}}
//! ```
//! Drains are to wait:
//! ```yaml before
//! metadata: {name: db}
//! spec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}}}
//! ```
//! ```yaml cluster
//! apiVersion: policy/v1
//! kind: PodDisruptionBudget
//! metadata: {name: db}
//! spec: {maxUnavailable: 0, selector: {matchLabels: {app: db}}}
//! ```
//! ```yaml after
//! metadata: {name: db, annotations: {allow.steadfast.dev/blocking-disruption-budget: the database team moves it by hand}}
//! spec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}}}
//! ```

use std::sync::Arc;

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::{Labels, StatefulSet};
use crate::rule::{
    Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks, selector, service,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct BlockingDisruptionBudget {}

impl Declare for BlockingDisruptionBudget {
    const META: Meta = Meta {
        id: "blocking-disruption-budget",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("blocking_disruption_budget.rs"),
    };
}

impl Rule for BlockingDisruptionBudget {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let labels = &sts.spec.template.metadata.labels;
        // Pods without labels are refused by the API server; in a kustomize base the labels are still to come.
        if sts.spec.replicas < 1 || labels.iter().next().is_none() {
            return;
        }
        let mut budgets = cx.cluster.disruption_budgets(cx.namespace).items;
        budgets.retain(|budget| selects(budget, labels));
        match &budgets[..] {
            [] => {}
            [budget] => {
                if let Some(finding) = blocking(budget, sts) {
                    report.add(finding);
                }
            }
            several => report.add(too_many(several)),
        }
    }
}

/// Whether a budget is about pods with these labels. Without a selector it is about none, with an empty one about all
/// (kubernetes/kubernetes `pkg/registry/core/pod/storage/eviction.go`, `getPodDisruptionBudgets`).
fn selects(budget: &PodDisruptionBudget, labels: &Labels<'_>) -> bool {
    let spec = budget.spec.as_ref();
    let selector = spec.and_then(|spec| spec.selector.as_ref());
    selector.is_some_and(|selector| selector::fits(selector, labels))
}

/// What is said of more than one budget (kubernetes/kubernetes `pkg/registry/core/pod/storage/eviction.go`, `Create`).
fn too_many(budgets: &[Arc<PodDisruptionBudget>]) -> Finding {
    let mut names: Vec<_> = budgets.iter().map(|budget| name(budget)).collect();
    names.sort_unstable();
    Finding::new(
        labels(),
        format!(
            "{} PodDisruptionBudgets select these pods: {}",
            names.len(),
            service::few(&names)
        ),
    )
    .why("the API server evicts no pod that more than one selects, so every drain of a node with such a pod fails")
    .remedy("leave one of them, or let their selectors select different pods")
}

/// What is said of the only budget, if it never lets a pod go.
///
/// `maxUnavailable` comes before `minAvailable`, and a budget with neither allows nothing (kubernetes/kubernetes
/// `pkg/controller/disruption/disruption.go`, `getExpectedPodCount` and `updatePdbStatus`).
fn blocking(budget: &PodDisruptionBudget, sts: &StatefulSet<'_>) -> Option<Finding> {
    let spec = budget.spec.as_ref()?;
    let (at, reason) = match (&spec.max_unavailable, &spec.min_available) {
        (Some(most), _) => (labels(), lets_none_go(most, sts)?),
        (None, Some(least)) => (replicas(), keeps_all(least, spec, sts)?),
        (None, None) => {
            let reason = "it states neither maxUnavailable nor minAvailable";
            (labels(), reason.to_owned())
        }
    };
    let name = name(budget);
    let message =
        format!("PodDisruptionBudget {name} never lets one of these pods be evicted: {reason}");
    let finding = Finding::new(at, message).subject(name);
    let why = "a drain of a node with such a pod waits for ever";
    Some(finding.why(why).remedy(remedy(spec)))
}

fn lets_none_go(most: &IntOrString, sts: &StatefulSet<'_>) -> Option<String> {
    let none = pods(most, sts.spec.replicas) == Some(0);
    none.then(|| format!("maxUnavailable is {}", said(most)))
}

/// Why all pods must stay, if they must: where the budget counts no pods but the set's, or wants 100% of whatever it counts.
fn keeps_all(
    least: &IntOrString,
    spec: &PodDisruptionBudgetSpec,
    sts: &StatefulSet<'_>,
) -> Option<String> {
    let said = said(least);
    if said == ALL {
        return Some(format!("minAvailable is {said}"));
    }
    let replicas = sts.spec.replicas;
    let stay = pods(least, replicas).filter(|stay| *stay >= replicas)?;
    let rounded = match least {
        IntOrString::Int(_) => String::new(),
        IntOrString::String(_) => format!(", rounded up {stay}"),
    };
    let selector = spec.selector.as_ref()?;
    selector::is_within(selector, &sts.spec.selector).then(|| {
        format!(
            "minAvailable is {said}{rounded}, with replicas {replicas} (if no other pods count)"
        )
    })
}

fn remedy(spec: &PodDisruptionBudgetSpec) -> String {
    let instead = match (&spec.max_unavailable, &spec.min_available) {
        (None, Some(least)) if said(least) == ALL => " in place of minAvailable",
        (None, Some(_)) => " in place of minAvailable, or have more replicas",
        _ => "",
    };
    format!(
        "set maxUnavailable: 1 on it{instead}; waive this rule where a drain is to wait for somebody"
    )
}

/// How many of so many pods; a percentage is rounded up (kubernetes/kubernetes `pkg/controller/disruption/disruption.go`,
/// `getExpectedPodCount`). None where it is neither number nor percentage.
fn pods(amount: &IntOrString, of: i64) -> Option<i64> {
    match amount {
        IntOrString::Int(number) => Some(i64::from(*number)),
        IntOrString::String(text) => {
            let percent: i64 = text.strip_suffix('%')?.parse().ok()?;
            Some(percent.saturating_mul(of).saturating_add(99) / 100)
        }
    }
}

/// However many there are.
const ALL: &str = "100%";

fn said(amount: &IntOrString) -> String {
    match amount {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(text) => text.clone(),
    }
}

fn name(budget: &PodDisruptionBudget) -> &str {
    budget.metadata.name.as_deref().unwrap_or_default()
}

fn labels() -> Path {
    Path::of(&["spec", "template", "metadata", "labels"])
}

fn replicas() -> Path {
    Path::of(&["spec", "replicas"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_rounded_up() {
        let percent = |text: &str, of| pods(&IntOrString::String(text.to_owned()), of);
        for (text, of, wanted) in [
            ("0%", 3, Some(0)),
            ("1%", 1, Some(1)),
            ("50%", 2, Some(1)),
            ("51%", 2, Some(2)),
            ("66%", 3, Some(2)),
            ("67%", 3, Some(3)),
            ("100%", 7, Some(7)),
            ("100%", i64::MAX, Some(i64::MAX / 100)),
            ("50", 2, None),
            ("half%", 2, None),
            ("", 2, None),
        ] {
            assert_eq!(percent(text, of), wanted, "{text} of {of}");
        }
        assert_eq!(pods(&IntOrString::Int(2), 9), Some(2));
    }
}
