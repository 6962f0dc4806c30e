//! # service-selector-mismatch
//! Finds sets whose governing Service selects other pods than the set's.
//! ## Why
//! A Service gives DNS names only to pods that its selector fits. Where it asks for a label that the pod template does not have,
//! no pod of the set gets one (`web-0.web`), and the Service's own name leads past them.
//! ## Fix
//! Mend the Service's selector, which can always be changed, or add the label to the pod template.
//!
//! A Service without a selector is not found: somebody else makes its endpoints. Nor is one that asks for more than the template
//! has: a label that is missing there may come while the pod runs, as the role of a database does.
//! ## Example
//! ```yaml before
//! metadata: {name: web}
//! spec: {serviceName: web, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}
//! ```
//! ```yaml cluster
//! apiVersion: v1
//! kind: Service
//! metadata: {name: web}
//! spec: {clusterIP: None, selector: {app: front}}
//! ```
//! ```yaml after
//! metadata: {name: web}
//! spec: {serviceName: web, selector: {matchLabels: {app: front}}, template: {metadata: {labels: {app: front}}}}
//! ```

use k8s_openapi::api::core::v1::Service;
use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::{Labels, StatefulSet};
use crate::rule::selector::GIVEN;
use crate::rule::waiver::HEADLESS_SERVICE;
use crate::rule::{
    Context, Declare, Finding, Judges, Known, Level, Levels, Meta, Report, Rule, Speaks, service,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ServiceSelectorMismatch {}

impl Declare for ServiceSelectorMismatch {
    const META: Meta = Meta {
        id: "service-selector-mismatch",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("service_selector_mismatch.rs"),
    };
}

impl Rule for ServiceSelectorMismatch {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let name = &*sts.spec.service_name;
        let labels = &sts.spec.template.metadata.labels;
        // Pods without labels are refused by the API server; in a kustomize base the labels are still to come.
        let unwanted = sts.metadata.annotations.says(HEADLESS_SERVICE, "none");
        if name.is_empty() || unwanted || labels.iter().next().is_none() {
            return;
        }
        let Known::Present(governing) = cx.service(name) else {
            return;
        };
        let differing = differing(&governing, labels);
        if differing.is_empty() {
            return;
        }
        report.add(
            Finding::new(
                Path::of(&["spec", "template", "metadata", "labels"]),
                format!(
                    "Service {name}, which spec.serviceName names, does not select these pods: {}",
                    service::few(&differing)
                ),
            )
            .why("the pods get no DNS names from it")
            .remedy("mend the Service's selector, or the labels of spec.template"),
        );
    }
}

/// What the Service's selector asks for and the pods' labels do not have. Nothing where it has none, and where its type is
/// `ExternalName`, for which nobody reads the selector.
fn differing(service: &Service, labels: &Labels<'_>) -> Vec<String> {
    let spec = service.spec.as_ref();
    let spec = spec.filter(|spec| spec.type_.as_deref() != Some("ExternalName"));
    let selector = spec.and_then(|spec| spec.selector.as_ref());
    let selector = || {
        let asked = selector.into_iter().flatten();
        asked.filter(|(key, _)| !GIVEN.contains(&key.as_str()))
    };
    let others = selector().filter_map(|(key, value)| {
        let label = labels.get(key).filter(|label| ***label != **value)?;
        Some(format!(
            "it asks for {key}={value}, the pods have {key}={label}"
        ))
    });
    let others: Vec<_> = others.collect();
    // What is missing beside a label that fits may come while the pod runs, as the role of a database does.
    if !others.is_empty() || selector().any(|(key, _)| labels.get(key).is_some()) {
        return others;
    }
    let missing = |(key, value): (&String, &String)| {
        format!("it asks for {key}={value}, the pods have no {key}")
    };
    selector().map(missing).collect()
}
