//! # ineffective-annotation
//! Finds steadfast's annotations that do nothing.
//! ## Why
//! Somebody meant to take a rule upon himself, or to decline injection, and it holds all the same: the name is misspelt, an
//! `allow.steadfast.dev/<rule>` gives no reason or names a container that the set does not have, or the value means nothing.
//! ## Fix
//! Mend the annotation: `allow.steadfast.dev/<rule>: "<reason>"`, or `"[app,sidecar] <reason>"` for some containers only, where
//! the rule is about containers; `steadfast.dev/inject: "false"`. `steadfast rules` lists the rules.
//! ## Example
//! ```yaml before
//! metadata: {annotations: {allow.steadfast.dev/zero-grace-period: ""}}
//! ```
//! ```yaml after
//! metadata: {annotations: {allow.steadfast.dev/zero-grace-period: a cache that may start empty}}
//! ```
//! ```yaml before
//! metadata: {annotations: {steadfast.dev/inject: "no"}}
//! ```
//! ```yaml after
//! metadata: {annotations: {steadfast.dev/inject: "false"}}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::record::ANNOTATION;
use crate::object::view::StatefulSet;
use crate::object::yaml::nearest;
use crate::rule::waiver::{HEADLESS_SERVICE, INJECT, Waiver, waivers};
use crate::rule::{
    Context, Declare, Entry, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct IneffectiveAnnotation {}

impl Declare for IneffectiveAnnotation {
    const META: Meta = Meta {
        id: "ineffective-annotation",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("ineffective_annotation.rs"),
    };
}

impl Rule for IneffectiveAnnotation {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        for waiver in waivers(sts) {
            let Some((message, remedy)) = defect(&waiver, sts, cx) else {
                continue;
            };
            report.add(
                Finding::new(waiver.at.clone(), format!("{} {message}", waiver.at))
                    .subject(waiver.rule)
                    .why("it waives nothing, and the rule holds")
                    .remedy(remedy),
            );
        }
        for (key, value) in sts
            .metadata
            .annotations
            .iter()
            .filter(|(key, _)| key.starts_with(OURS))
        {
            let (message, remedy) = match key {
                INJECT if value != "false" && value != "true" => (
                    format!("is {value:?}, and only \"false\" declines injection"),
                    "set it to \"false\", or remove it".to_owned(),
                ),
                HEADLESS_SERVICE if value != "none" => (
                    format!(
                        "is {value:?}, and only \"none\" says that no governing Service is wanted"
                    ),
                    "set it to \"none\", or remove it".to_owned(),
                ),
                key if KNOWN.contains(&key) => continue,
                key => {
                    let known = nearest(key, KNOWN.iter().copied())
                        .map(|known| format!("; did you mean {known}?"));
                    (
                        "is none that steadfast knows".to_owned(),
                        format!("remove it{}", known.unwrap_or_default()),
                    )
                }
            };
            let at = Path::of(&["metadata", "annotations"]).key(key.to_owned());
            report.add(
                Finding::new(at.clone(), format!("{at} {message}"))
                    .subject(key)
                    .why("it does nothing")
                    .remedy(remedy),
            );
        }
        on_the_template(sts).for_each(|finding| report.add(finding));
    }
}

/// Our annotations on the pod template, where none but waivers mean anything.
fn on_the_template(sts: &StatefulSet<'_>) -> impl Iterator<Item = Finding> {
    let annotations = sts.spec.template.metadata.annotations.iter();
    let ours = annotations.filter(|(key, _)| key.starts_with(OURS));
    ours.map(|(key, _)| {
        let at = Path::of(&["spec", "template", "metadata", "annotations"]).key(key.to_owned());
        Finding::new(at.clone(), format!("{at} stands on the pod template"))
            .subject(key)
            .why("it does nothing there")
            .remedy("move it to the set's own annotations")
    })
}

/// What our annotations begin with, but for waivers.
const OURS: &str = "steadfast.dev/";

/// Those that a set may have.
const KNOWN: &[&str] = &[INJECT, ANNOTATION, HEADLESS_SERVICE];

/// What is wrong with a waiver, and what to do.
fn defect(
    waiver: &Waiver<'_>,
    sts: &StatefulSet<'_>,
    cx: &Context<'_>,
) -> Option<(String, String)> {
    let ids = || cx.rules.iter().map(|entry| entry.meta.id);
    let Some(Entry { meta, .. }) = cx.rules.iter().find(|entry| entry.meta.id == waiver.rule)
    else {
        let remedy = match nearest(waiver.rule, ids()) {
            Some(rule) => format!("did you mean {rule}?"),
            None => "`steadfast rules` lists the rules".to_owned(),
        };
        return Some((format!("names no rule ({})", waiver.rule), remedy));
    };
    let containers = waiver.containers.as_deref();
    if containers.is_some_and(|names| names.is_empty() || !meta.per_container) {
        let message = if meta.per_container {
            "has a list of containers that names none"
        } else {
            "names containers, and the rule is about the whole set"
        };
        return Some((
            message.to_owned(),
            "write only the reason, to waive it for the whole set".to_owned(),
        ));
    }
    if waiver.reason.is_empty() {
        return Some((
            "gives no reason".to_owned(),
            "say why the rule does not fit this set".to_owned(),
        ));
    }
    let names: Vec<_> = sts
        .all_containers()
        .map(|(_, container)| &*container.item().name)
        .collect();
    let stranger = containers?.iter().find(|name| !names.contains(name))?;
    Some((
        format!("names a container {stranger} that the set does not have"),
        format!("its containers: {}", names.join(", ")),
    ))
}
