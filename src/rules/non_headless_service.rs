//! # non-headless-service
//! Finds sets whose governing Service is not headless.
//! ## Why
//! Kubernetes promises a DNS name per pod (`web-0.web`) only for headless Services (kubernetes/dns `docs/specification.md`). Some
//! DNS servers answer it for others, too, but the Service's own name then leads to one virtual address, or elsewhere, instead of
//! to the pods.
//! ## Fix
//! Create a headless Service beside it that selects the same pods, and name that one in `serviceName`. The field can never be
//! changed, so a set that is there must be made anew.
//!
//! A Service without a selector, whose endpoints somebody else makes, is not found, unless its type is `ExternalName`.
//! ## Example
//! ```yaml before
//! metadata: {name: web}
//! spec: {serviceName: web, template: {metadata: {labels: {app: web}}}}
//! ```
//! ```yaml cluster
//! apiVersion: v1
//! kind: Service
//! metadata: {name: web}
//! spec: {selector: {app: web}, ports: [{port: 80}]}
//! ---
//! apiVersion: v1
//! kind: Service
//! metadata: {name: web-headless}
//! spec: {clusterIP: None, selector: {app: web}}
//! ```
//! ```yaml after
//! metadata: {name: web}
//! spec: {serviceName: web-headless, template: {metadata: {labels: {app: web}}}}
//! ```

use k8s_openapi::api::core::v1::Service;
use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::StatefulSet;
use crate::rule::service;
use crate::rule::waiver::HEADLESS_SERVICE;
use crate::rule::{
    Context, Declare, Finding, Judges, Known, Level, Levels, Meta, Operation, Report, Rule, Speaks,
    is_headless,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct NonHeadlessService {}

impl Declare for NonHeadlessService {
    const META: Meta = Meta {
        id: "non-headless-service",
        levels: Levels {
            // CoreDNS answers for other Services, too.
            baseline: Level::Audit,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("non_headless_service.rs"),
    };
}

impl Rule for NonHeadlessService {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let name = &*sts.spec.service_name;
        // Whoever set the name a moment ago has said it.
        let unwanted = sts.metadata.annotations.says(HEADLESS_SERVICE, "none");
        if name.is_empty()
            || unwanted
            || cx.operation == Operation::Create && service::is_injected(sts)
        {
            return;
        }
        let Known::Present(found) = cx.service(name) else {
            return;
        };
        let Some(kind) = other_than_headless(&found) else {
            return;
        };
        let beside = "create a headless Service (clusterIP None) beside it";
        let remedy = match (cx.operation, service::naming(sts, cx)) {
            (Operation::Create, Some(naming)) => {
                format!("{naming}, now, for it can never be changed")
            }
            (Operation::Create, None) => format!(
                "{beside} and set serviceName to that one's name now, for it can never be changed"
            ),
            (Operation::Update, _) => format!(
                "{beside}; serviceName can be changed only by making the set anew (kubectl delete --cascade=orphan)"
            ),
        };
        report.add(
            Finding::new(
                Path::of(&["spec", "serviceName"]),
                format!("Service {name}, which spec.serviceName names, {kind}"),
            )
            .why("DNS names per pod are promised only for headless Services")
            .remedy(remedy),
        );
    }
}

/// What a Service is instead of headless. Of one without a selector somebody else makes the endpoints, as Patroni does, and
/// nobody expects the names of pods from it.
fn other_than_headless(service: &Service) -> Option<&'static str> {
    let spec = service.spec.as_ref()?;
    let has_selector = spec
        .selector
        .as_ref()
        .is_some_and(|selector| !selector.is_empty());
    match spec.type_.as_deref() {
        Some("ExternalName") => Some("is of type ExternalName, and so not headless"),
        _ if is_headless(service) || !has_selector => None,
        _ => Some("is not headless"),
    }
}
