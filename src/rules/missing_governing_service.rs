//! # missing-governing-service
//! Finds sets whose governing Service does not exist.
//! ## Why
//! The pods get the DNS names that peers and clients ask for (`web-0.web`) from the Service that `serviceName` names. Kubernetes
//! takes the name on trust: without the Service the pods run, and nobody finds them by name.
//! ## Fix
//! Create the Service; the message holds its manifest. Many manifests create it after the set, and then all is well.
//!
//! Some sets want no governing Service: annotate them `steadfast.dev/headless-service: none`.
//! ## Example
//! ```yaml before
//! metadata: {name: web}
//! spec: {serviceName: web, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}
//! ```
//! ```yaml cluster
//! ```
//! ```yaml after
//! metadata: {name: web, annotations: {steadfast.dev/headless-service: none}}
//! spec: {serviceName: web, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}
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
pub struct MissingGoverningService {}

impl Declare for MissingGoverningService {
    const META: Meta = Meta {
        id: "missing-governing-service",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("missing_governing_service.rs"),
    };
}

impl Rule for MissingGoverningService {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let name = &*sts.spec.service_name;
        let unwanted = sts.metadata.annotations.says(HEADLESS_SERVICE, "none");
        if name.is_empty() || unwanted || cx.service(name) != Known::Absent {
            return;
        }
        // Whoever made the name a moment ago has said which Service is to be created.
        if cx.operation == Operation::Create && service::is_injected(sts) {
            return;
        }
        let message = format!("Service {name}, which spec.serviceName names, does not exist");
        let at = Path::of(&["spec", "serviceName"]);
        report.add(if service::may_name_service(name) {
            Finding::new(at, format!("{message} (it may come later)"))
                .why("until it does, the pods have no DNS names of their own")
                .remedy(match service::naming(sts, cx) {
                    Some(naming) => format!("unless it comes with other manifests, {naming}"),
                    None => format!("unless it comes with other manifests, {}", service::creating(sts, cx, name)),
                })
        } else {
            Finding::new(at, format!("{message}, and no Service can have such a name"))
                .why("the pods never get DNS names of their own, and serviceName can be changed only by making the set anew")
                .remedy("name a Service: lower-case letters, digits and hyphens, 63 at most")
        });
    }
}
