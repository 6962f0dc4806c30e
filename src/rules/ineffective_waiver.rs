//! # ineffective-waiver
//! Finds `allow.steadfast.dev/<rule>` annotations that waive nothing.
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

use crate::object::view::StatefulSet;
use crate::object::yaml::nearest;
use crate::rule::waiver::{Waiver, waivers};
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
    let stranger = waiver
        .containers
        .iter()
        .find(|name| !names.contains(name))?;
    Some((
        format!("names a container {stranger} that the set does not have"),
        format!("its containers: {}", names.join(", ")),
    ))
}
