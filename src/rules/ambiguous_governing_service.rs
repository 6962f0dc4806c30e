//! # ambiguous-governing-service
//! Finds sets without `serviceName` whose pods several headless Services select.
//! ## Why
//! One of them is meant to govern the set and to give each pod its DNS name (`web-0.web`). Which one cannot be told, so none is
//! injected: the field can never be changed again.
//! ## Fix
//! Set `serviceName` to the one that peers and clients ask, before the set is made.
//!
//! Some sets want no governing Service: annotate them `steadfast.dev/headless-service: none`.
//! ## Example
//! ```yaml before
//! metadata: {name: web}
//! spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}
//! ```
//! ```yaml cluster
//! apiVersion: v1
//! kind: Service
//! metadata: {name: web-peers}
//! spec: {clusterIP: None, selector: {app: web}}
//! ---
//! apiVersion: v1
//! kind: Service
//! metadata: {name: web-metrics}
//! spec: {clusterIP: None, selector: {app: web}}
//! ```
//! ```yaml after
//! metadata: {name: web}
//! spec: {serviceName: web-peers, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::StatefulSet;
use crate::rule::waiver::HEADLESS_SERVICE;
use crate::rule::{
    Context, Declare, Finding, Judges, Known, Level, Levels, Meta, Operation, Report, Rule, Speaks,
    service,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct AmbiguousGoverningService {}

impl Declare for AmbiguousGoverningService {
    const META: Meta = Meta {
        id: "ambiguous-governing-service",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("ambiguous_governing_service.rs"),
    };
}

impl Rule for AmbiguousGoverningService {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let unwanted = sts.metadata.annotations.says(HEADLESS_SERVICE, "none");
        // On a set that is there it cannot be set any more, and which one is meant is no longer the question.
        let can_be_set = cx.operation == Operation::Create && sts.spec.service_name.is_empty();
        if unwanted || !can_be_set {
            return;
        }
        let Known::Present(services) = cx.headless_services(&sts.spec.template.metadata.labels)
        else {
            return;
        };
        let names = service::names(&services);
        if names.len() < 2 {
            return;
        }
        report.add(
            Finding::new(
                Path::of(&["spec", "serviceName"]),
                format!(
                    "spec.serviceName is empty, and {} headless Services select these pods",
                    names.len()
                ),
            )
            .why("without a governing Service the pods get no DNS names of their own, and the field can never be set later")
            .remedy(format!("set serviceName to one of {}", service::few(&names))),
        );
    }
}
