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
use serde_json::{Value, json};

use crate::object::json;
use crate::object::quantity::Quantity;
use crate::object::record::Record;
use crate::object::view::{ClaimTemplate, Spec, StatefulSet};
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
        fixes: false,
        source: include_str!("immutable_field_change.rs"),
    };
}

impl Rule for ImmutableFieldChange {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let Some(old) = cx.old else { return };
        let (is, was) = (&sts.spec, &old.spec);
        let (namespace, name) = (cx.namespace, cx.name);
        let anew = format!(
            "make the set anew around its pods: kubectl -n {namespace} delete statefulset {name} --cascade=orphan, then apply"
        );
        let mut changed = |at: Path, difference: &str, recipe: String| {
            report.add(
                Finding::new(at.clone(), format!("{at}{difference}"))
                    .subject(&at.to_string())
                    .why("the API server refuses it, now and with every later apply")
                    .remedy(format!("take it back, or {recipe}")),
            );
        };
        let at = |field: &'static str| Path::of(&["spec", field]);
        if is.service_name != was.service_name {
            let difference = arrow(&was.service_name, &is.service_name);
            changed(
                at("serviceName"),
                &difference,
                format!("{anew}. Pods get their new DNS names when they restart"),
            );
        }
        if is.pod_management_policy != was.pod_management_policy {
            let difference = arrow(&was.pod_management_policy, &is.pod_management_policy);
            changed(at("podManagementPolicy"), &difference, anew.clone());
        }
        if selector(is) != selector(was) {
            let difference = arrow(&selector(was), &selector(is));
            let stay = "delete the set, whose claims stay, and apply. Pods that are no longer selected are not adopted";
            changed(at("selector"), &difference, stay.to_owned());
        }
        let (claims, stored) = (&is.volume_claim_templates, &was.volume_claim_templates);
        if names(claims) != names(stored) {
            let difference = arrow(&names(stored), &names(claims));
            let unstated = match unstated_claims(old, claims) {
                claims if claims.is_empty() => String::new(),
                claims => format!(
                    ". The manifest must then state {claims}, too, which steadfast injected when the set was made"
                ),
            };
            changed(at("volumeClaimTemplates"), &difference, anew + &unstated);
            return;
        }
        for (claim, stored) in sts.claim_templates().zip(stored) {
            let differences = differences(stored, claim.item());
            if differences.is_empty() {
                continue;
            }
            let shown = |d: &Difference| format!(".{}: {} -> {}", d.place, d.was, d.is);
            let all: Vec<_> = differences.iter().map(shown).collect();
            let claims = format!("{}-{name}-N", claim.item().name());
            let storage = differences.iter().find(|d| d.place == STORAGE);
            let recipe = storage.and_then(|storage| resize(storage, namespace, &claims));
            let recipe = match recipe {
                Some(Resize::Grow(patch)) => format!("grow each claim: {patch}. Then {anew}"),
                Some(Resize::No(reason)) => reason,
                None => format!("{anew}. Claims that are there keep what they have"),
            };
            changed(claim.path(), &all.join(", "), recipe);
        }
    }
}

/// What stands for a leaf that is not there.
const NOTHING: &str = "nothing";

/// What people grow.
const STORAGE: &str = "spec.resources.requests.storage";

fn arrow(was: &str, is: &str) -> String {
    format!(": {was:?} -> {is:?}")
}

/// A selector in words: `app=web,tier=db`, and what else must hold as JSON.
fn selector(spec: &Spec<'_>) -> String {
    let labels = spec.selector.match_labels.iter();
    let mut words: Vec<_> = labels
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    if let Value::Array(expressions) = read(spec.selector.match_expressions.text()) {
        words.extend(expressions.iter().map(Value::to_string));
    }
    words.join(",")
}

fn read(text: &str) -> Value {
    json::read(text).unwrap_or_default()
}

/// The names of claim templates; their order counts (kubernetes/kubernetes `pkg/apis/apps/validation/validation.go`,
/// `ValidateStatefulSetUpdate`).
fn names(claims: &[ClaimTemplate<'_>]) -> String {
    claims
        .iter()
        .map(Named::name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The claim templates that were injected and that this list does not have.
fn unstated_claims(old: &StatefulSet<'_>, claims: &[ClaimTemplate<'_>]) -> String {
    let Some(record) = Record::on(old) else {
        return String::new();
    };
    let stated = |name: &&str| claims.iter().any(|claim| claim.name() == *name);
    let unstated = record.claims().filter(|name| !stated(name));
    unstated.collect::<Vec<_>>().join(", ")
}

/// How claims get to another size.
enum Resize {
    /// By this command for each.
    Grow(String),
    /// They do not; what to do instead.
    No(String),
}

fn resize(storage: &Difference, namespace: &str, claims: &str) -> Option<Resize> {
    let amount = |text: &str| Quantity::parse(text).map(|quantity| quantity.amount());
    if storage.is == NOTHING {
        return None;
    }
    let Some(is) = amount(&storage.is) else {
        return Some(Resize::No(format!(
            "write an amount such as 20Gi: {:?} is none",
            storage.is
        )));
    };
    if is < amount(&storage.was)? {
        return Some(Resize::No(
            "copy the data into a set with smaller claims: a claim never shrinks".to_owned(),
        ));
    }
    let patch = json!({"spec": {"resources": {"requests": {"storage": storage.is}}}});
    Some(Resize::Grow(format!(
        "kubectl -n {namespace} patch pvc {claims} -p '{patch}'"
    )))
}

/// A leaf in which two claim templates differ.
struct Difference {
    place: String,
    was: String,
    is: String,
}

fn differences(was: &ClaimTemplate<'_>, is: &ClaimTemplate<'_>) -> Vec<Difference> {
    // Nearly always the very text; only else is it read.
    if was.spec.text() == is.spec.text() && was.metadata == is.metadata {
        return Vec::new();
    }
    let (was, is) = (leaves(was), leaves(is));
    let places: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    let shown = |leaves: &BTreeMap<_, String>, place| {
        let leaf = leaves.get(place).map_or(NOTHING, String::as_str);
        leaf.to_owned()
    };
    places
        .into_iter()
        .filter(|place| !same(place, was.get(*place), is.get(*place)))
        .map(|place| Difference {
            place: place.clone(),
            was: shown(&was, place),
            is: shown(&is, place),
        })
        .collect()
}

/// The leaves of a claim template by their place, with the default that the API server fills in.
fn leaves(claim: &ClaimTemplate<'_>) -> BTreeMap<String, String> {
    fn walk(value: &Value, at: &str, leaves: &mut BTreeMap<String, String>) {
        match value {
            Value::Null => {}
            Value::Object(map) => map
                .iter()
                .for_each(|(key, value)| walk(value, &format!("{at}.{key}"), leaves)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(index, item)| walk(item, &format!("{at}[{index}]"), leaves)),
            Value::String(text) => drop(leaves.insert(at.to_owned(), text.clone())),
            leaf => drop(leaves.insert(at.to_owned(), leaf.to_string())),
        }
    }
    let mut leaves = BTreeMap::from([("spec.volumeMode".to_owned(), "Filesystem".to_owned())]);
    walk(&read(claim.spec.text()), "spec", &mut leaves);
    let texts = [
        ("labels", claim.metadata.labels.iter().collect::<Vec<_>>()),
        ("annotations", claim.metadata.annotations.iter().collect()),
    ];
    for (map, texts) in texts {
        leaves.extend(
            texts
                .iter()
                .map(|(key, text)| (format!("metadata.{map}[{key}]"), (*text).to_owned())),
        );
    }
    leaves
}

/// Amounts are compared by value, everything else by the letter.
fn same(place: &str, one: Option<&String>, other: Option<&String>) -> bool {
    let amount = |text: Option<&String>| Quantity::parse(text?).map(|quantity| quantity.amount());
    let is_amount = place.starts_with("spec.resources.") && amount(one).is_some();
    one == other || (is_amount && amount(one) == amount(other))
}
