//! What holds of updates that say nothing new: a second pass, the same manifest once more, other replicas, other labels.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::{prop_assert, prop_assert_eq};
use serde_json::{Value, json};
use steadfast::engine::validate;
use steadfast::rule::Judges;
use steadfast::rules::RULES;

use super::client::Delivery;
use super::life::{Held, Step, always};
use super::probes::mistakes_one_for_ours;
use super::server::{refusal, served};
use crate::common::{RECORD, findings, outcome};

#[test]
fn a_second_pass_changes_nothing() {
    always(|step| {
        for old in [step.old, step.result] {
            let patch = step.mutate(step.result, old).patch;
            prop_assert!(patch.is_empty(), "{step}the second time: {patch}");
        }
        let Some(stored) = step.stored() else {
            return Ok(());
        };
        let patch = step.mutate(&stored, &stored).patch;
        prop_assert!(patch.is_empty(), "{step}as it is stored: {patch}");
        Ok(())
    });
}

#[test]
fn the_same_manifest_once_more_changes_nothing() {
    always(|step| {
        let is_whole = refusal(&served(step.author.clone()), None).is_none();
        let says_all = step.delivery != Delivery::Edit && is_whole && !mistakes_one_for_ours(step);
        let Some(stored) = step.stored().filter(|_| says_all) else {
            return Ok(());
        };
        let request = step.delivery.request(step.author, step.author, &stored);
        let request = served(request);
        let after = served(outcome(&request, &step.mutate(&request, &stored)));
        prop_assert_eq!(&after["spec"], &stored["spec"], "{}", step);
        // A record in the manifest is the author's, and counts for nothing.
        if step.author.pointer(RECORD).is_none() {
            prop_assert_eq!(after.pointer(RECORD), stored.pointer(RECORD), "{}", step);
        }
        Ok(())
    });
}

#[test]
fn replicas_can_always_be_changed() {
    always(|step| {
        for replicas in [0, 1, 7] {
            let mut scaled = step.old.clone();
            scaled["spec"]["replicas"] = json!(replicas);
            is_allowed(step, &scaled, |_| false)?;
        }
        Ok(())
    });
}

#[test]
fn metadata_can_always_be_changed() {
    always(|step| {
        let mut edited = step.old.clone();
        if let Some(annotations) = edited["metadata"]["annotations"].as_object_mut() {
            annotations.retain(|key, _| key == "steadfast.dev/injected");
        }
        edited["metadata"]["labels"]["team"] = json!("b");
        // Annotations of our own may be judged.
        is_allowed(step, &edited, |rule| rule == "ineffective-annotation")
    });
}

#[test]
fn pods_can_be_replaced_whatever_defects_they_have() {
    always(|step| {
        let mut restarted = step.old.clone();
        restarted["spec"]["template"]["metadata"]["annotations"]["restartedAt"] = json!("then");
        // Whether this is the time for it may be judged.
        let judges_updates = |id: &str| {
            let mut rules = RULES.iter().map(|rule| &rule.meta);
            rules.any(|meta| meta.id == id && meta.judges == Judges::Updates)
        };
        is_allowed(step, &restarted, judges_updates)
    });
}

/// Holds that no policy denies this edit of the stored set, but by these rules.
fn is_allowed(step: &Step<'_>, edited: &Value, but: impl Fn(&str) -> bool) -> Held {
    for verdict in step.under_all(validate, edited, step.old) {
        let denied = verdict.denied().any(|judged| !but(judged.rule));
        prop_assert!(!denied, "{step}{edited}\n{:#?}", findings(&verdict));
    }
    Ok(())
}

/// What is said of each repair that there is.
const REPAIRS: &[&str] = &[
    "spec.serviceName was left out; kept",
    "spec.volumeClaimTemplates was left without",
    "was left over from the old strategy; removed",
    "was left out; kept the injected one. To drop it",
    "was left out; kept the injected one, which asks",
    "was left out, and the port that it asked is gone",
    "was injected for a port that is gone; it asks",
    "was injected for a port that is gone; removed",
    "takes the place of the injected",
    "was left without the mount of state",
    "was left without the env STATE",
    "was injected beside a startup probe that is gone; removed",
    "stay as injected, since nothing shows",
];

#[test]
fn the_lives_see_every_repair() {
    let seen = RefCell::new(BTreeMap::new());
    always(|step| {
        let is_said = |words: &&&str| {
            let mut done = step.verdict.restored.iter();
            done.any(|done| done.message.contains(**words))
        };
        for words in REPAIRS.iter().filter(is_said) {
            *seen.borrow_mut().entry(*words).or_insert(0) += 1;
        }
        Ok(())
    });
    let seen = seen.into_inner();
    let every = REPAIRS.iter().all(|words| seen.contains_key(words));
    assert!(every, "{seen:#?}");
}
