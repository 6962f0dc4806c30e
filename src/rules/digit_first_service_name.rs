//! # digit-first-service-name
//! Finds sets that are made with a `serviceName` that starts with a digit.
//! ## Why
//! Before Kubernetes 1.36 (`RelaxedServiceNameValidation`) no Service can have such a name. The set is accepted all the same,
//! its pods never get DNS names, and `serviceName` can never be changed.
//! ## Fix
//! Choose a name that starts with a letter. Where the Service is known to exist, nothing is found.
//! ## Example
//! ```yaml before
//! metadata: {name: 2048-game}
//! spec: {serviceName: 2048-game}
//! ```
//! ```yaml after
//! metadata: {name: 2048-game}
//! spec: {serviceName: game-2048}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::StatefulSet;
use crate::rule::{
    Context, Declare, Finding, Judges, Known, Level, Levels, Meta, Operation, Report, Rule, Speaks,
    service,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct DigitFirstServiceName {}

impl Declare for DigitFirstServiceName {
    const META: Meta = Meta {
        id: "digit-first-service-name",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("digit_first_service_name.rs"),
    };
}

impl Rule for DigitFirstServiceName {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let name = &*sts.spec.service_name;
        // On a set that is there nothing can be done about it.
        if !service::begins_with_digit(name) || cx.operation == Operation::Update {
            return;
        }
        // A cluster that has the Service takes such names.
        if matches!(cx.service(name), Known::Present(_)) {
            return;
        }
        report.add(
            Finding::new(
                Path::of(&["spec", "serviceName"]),
                format!("spec.serviceName {name} starts with a digit"),
            )
            .why("before Kubernetes 1.36 no Service can have such a name, so the pods never get DNS names, and it can never be changed")
            .remedy("name a Service that starts with a letter"),
        );
    }
}
