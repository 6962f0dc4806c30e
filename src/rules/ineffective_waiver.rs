//! # ineffective-waiver
//! Finds `allow.steadfast.dev/<rule>` annotations that waive nothing, and values of `steadfast.dev/inject` that mean nothing.
//! ## Why
//! Somebody meant to take a rule upon himself, and the rule holds all the same: its name is misspelt, the annotation gives
//! no reason, or it names a container that the set does not have.
//! ## Fix
//! Mend the annotation: `allow.steadfast.dev/<rule>: "<reason>"`, or `"[app,sidecar] <reason>"` for some containers only.
//! `steadfast rules` lists the rules.
//! ## Example
//! ```yaml before
//! metadata: {annotations: {allow.steadfast.dev/zero-grace-period: ""}}
//! ```
//! ```yaml after
//! metadata: {annotations: {allow.steadfast.dev/zero-grace-period: a cache that may start empty}}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::StatefulSet;
use crate::object::yaml::nearest;
use crate::rule::waiver::{INJECT, Waiver, waivers};
use crate::rule::{Context, Declare, Finding, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct IneffectiveWaiver {}

impl Declare for IneffectiveWaiver {
    const META: Meta = Meta {
        id: "ineffective-waiver",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        speaks: Speaks::AtValidate,
        source: include_str!("ineffective_waiver.rs"),
    };
}

impl Rule for IneffectiveWaiver {
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
        if let Some(value) = sts
            .metadata
            .annotations
            .get(INJECT)
            .filter(|value| !["true", "false"].contains(&&***value))
        {
            let at = Path::of(&["metadata", "annotations", INJECT]);
            report.add(
                Finding::new(at.clone(), format!("{at} is {:?}", &**value))
                    .subject(INJECT)
                    .why("only \"false\" declines injection")
                    .remedy("set it to \"false\", or remove it"),
            );
        }
    }
}

/// What is wrong with a waiver, and what to do.
fn defect(
    waiver: &Waiver<'_>,
    sts: &StatefulSet<'_>,
    cx: &Context<'_>,
) -> Option<(String, String)> {
    if !cx.rules.contains(&waiver.rule) {
        let remedy = match nearest(waiver.rule, cx.rules.iter().copied()) {
            Some(rule) => format!("did you mean {rule}?"),
            None => "`steadfast rules` lists the rules".to_owned(),
        };
        return Some((format!("names no rule ({})", waiver.rule), remedy));
    }
    let containers = waiver.containers.as_deref();
    if containers.is_some_and(<[_]>::is_empty) {
        let remedy =
            "write \"[app,sidecar] <reason>\", or only the reason to waive it for the whole set"
                .to_owned();
        return Some((
            "has a list of containers that names none".to_owned(),
            remedy,
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
