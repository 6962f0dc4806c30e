//! # immutable-field-change
//! Finds updates of fields that the API server lets nobody change.
//! ## Why
//! `serviceName`, `selector`, `podManagementPolicy` and `volumeClaimTemplates` hold for the life of a set. The API server
//! refuses the whole update, until 1.36 without naming the field, and every later apply of the same manifest too.
//! What an update merely leaves out is put back, and is not found here.
//! ## Fix
//! Take the change back. Or make the set anew around its pods: `kubectl delete statefulset <name> --cascade=orphan`, then
//! apply the manifest; the pods and their claims stay and are adopted. A larger claim is asked for on each claim first
//! (`kubectl patch pvc`), since a claim template is only for claims that are still to be made. Pods that a changed
//! `selector` no longer selects are not adopted.
//! ## Example
//! ```yaml old
//! metadata: {name: db}
//! spec: {volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 1Gi}}}}]}
//! ```
//! ```yaml before
//! metadata: {name: db}
//! spec: {volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 2Gi}}}}]}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec: {volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 1024Mi}}}}]}
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::quantity::Quantity;
use crate::object::view::{ClaimTemplate, Kept, Spec, StatefulSet};
use crate::object::{Named, Path};
use crate::rule::{Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ImmutableFieldChange {}

impl Declare for ImmutableFieldChange {
    const META: Meta = Meta {
        id: "immutable-field-change",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Updates,
        speaks: Speaks::AtMutate,
        per_container: false,
        source: include_str!("immutable_field_change.rs"),
    };
}

impl Rule for ImmutableFieldChange {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let Some(old) = cx.old else { return };
        let (is, was) = (&sts.spec, &old.spec);
        let anew = format!(
            "make the set anew around its pods: kubectl -n {} delete statefulset {} --cascade=orphan, then apply",
            cx.namespace, cx.name
        );
        let mut changed = |field: &'static str, difference: String, recipe: String| {
            let at = Path::of(&["spec", field]);
            report.add(
                Finding::new(at, format!("spec.{field}{difference}"))
                    .subject(field)
                    .why("the API server refuses it, now and with every later apply")
                    .remedy(recipe),
            );
        };
        if is.service_name != was.service_name {
            let difference = arrow(&was.service_name, &is.service_name);
            changed(
                "serviceName",
                difference,
                format!("take it back, or {anew}, and restart the pods for their new names"),
            );
        }
        if is.pod_management_policy != was.pod_management_policy {
            let difference = arrow(&was.pod_management_policy, &is.pod_management_policy);
            changed(
                "podManagementPolicy",
                difference,
                format!("take it back, or {anew}"),
            );
        }
        if selector(is) != selector(was) {
            let difference = arrow(&selector(was), &selector(is));
            let stay = "delete the set, whose claims stay, and apply; pods that are no longer selected are not adopted";
            changed("selector", difference, format!("take it back, or {stay}"));
        }
        if let Some(difference) = claims(&was.volume_claim_templates, &is.volume_claim_templates) {
            let recipe = if difference.contains(STORAGE) {
                format!("grow each claim (kubectl patch pvc), then {anew}")
            } else {
                format!("take it back, or {anew}; claims that are there keep what they have")
            };
            changed("volumeClaimTemplates", difference, recipe);
        }
    }
}

/// What people grow.
const STORAGE: &str = "resources.requests.storage";

fn arrow(was: &str, is: &str) -> String {
    format!(": {was:?} -> {is:?}")
}

/// A selector in words: `app=web,tier=db`, and what else must hold as JSON.
fn selector(spec: &Spec<'_>) -> String {
    let labels = spec.selector.match_labels.iter();
    let mut words: Vec<_> = labels
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    if let Value::Array(expressions) = read(spec.selector.match_expressions) {
        words.extend(expressions.iter().map(Value::to_string));
    }
    words.join(",")
}

fn read(kept: Kept<'_>) -> Value {
    serde_json::from_str(kept.text()).unwrap_or_default()
}

/// How the second list differs from the first, if it does; the order counts (kubernetes/kubernetes
/// `pkg/apis/apps/validation/validation.go`, `ValidateStatefulSetUpdate`).
fn claims(was: &[ClaimTemplate<'_>], is: &[ClaimTemplate<'_>]) -> Option<String> {
    let names = |list: &[ClaimTemplate<'_>]| -> Vec<String> {
        list.iter().map(|claim| claim.name().to_owned()).collect()
    };
    if names(was) != names(is) {
        return Some(arrow(&names(was).join(", "), &names(is).join(", ")));
    }
    was.iter().zip(is).find_map(|(was, is)| {
        let labels = (&was.metadata.labels, &was.metadata.annotations)
            == (&is.metadata.labels, &is.metadata.annotations);
        if !labels {
            return Some(format!(
                "[{}].metadata: labels or annotations differ",
                is.name()
            ));
        }
        // Nearly always the very text; only else is it read.
        if was.spec.text() == is.spec.text() {
            return None;
        }
        let (was, now) = (leaves(was.spec), leaves(is.spec));
        let places: BTreeSet<_> = was.keys().chain(now.keys()).collect();
        places.into_iter().find_map(|at| {
            let (was, now) = (was.get(at), now.get(at));
            (!same(at, was, now)).then(|| {
                let shown =
                    |text: Option<&String>| text.map_or("nothing", String::as_str).to_owned();
                format!(
                    "[{}].spec.{at}: {} -> {}",
                    is.name(),
                    shown(was),
                    shown(now)
                )
            })
        })
    })
}

/// The leaves of a claim's spec by their place, with the default that the API server fills in.
fn leaves(spec: Kept<'_>) -> BTreeMap<String, String> {
    fn walk(value: &Value, at: &str, leaves: &mut BTreeMap<String, String>) {
        let below = |key: &str| {
            if at.is_empty() {
                key.to_owned()
            } else {
                format!("{at}.{key}")
            }
        };
        match value {
            Value::Null => {}
            Value::Object(map) => map
                .iter()
                .for_each(|(key, value)| walk(value, &below(key), leaves)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(index, item)| walk(item, &below(&index.to_string()), leaves)),
            Value::String(text) => drop(leaves.insert(at.to_owned(), text.clone())),
            leaf => drop(leaves.insert(at.to_owned(), leaf.to_string())),
        }
    }
    let mut leaves = BTreeMap::from([("volumeMode".to_owned(), "Filesystem".to_owned())]);
    walk(&read(spec), "", &mut leaves);
    leaves
}

/// Amounts are compared by value, everything else by the letter.
fn same(at: &str, one: Option<&String>, other: Option<&String>) -> bool {
    let amount = |text: Option<&String>| Quantity::parse(text?).map(|quantity| quantity.amount());
    one == other
        || (at.starts_with("resources.") && amount(one).is_some() && amount(one) == amount(other))
}
