//! # missing-service-name
//! Finds sets without `serviceName`, the name of their governing Service.
//! ## Why
//! The governing Service gives each pod a DNS name of its own (`web-0.web`), which peers and clients of databases and
//! brokers need. Without `serviceName` there are none, and the field can never be changed again.
//! ## Fix
//! On CREATE only. The one headless Service in the namespace that selects the set's pods is named. Of several, none is
//! guessed. If there is certainly none, the name is made from `name` or as the chart of a known workload does, and the message says which Service to create, unless a
//! Service of that name serves other pods. Where the cluster's Services are not known, nothing is injected.
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
//! metadata: {name: web-peers, namespace: default}
//! spec: {clusterIP: None, selector: {app: web}}
//! ```
//! ```yaml after
//! metadata: {name: web}
//! spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}, serviceName: web-peers}
//! ```
//! Without a headless Service that selects the pods, and with `--complete` or a cluster to ask:
//! ```yaml before
//! metadata: {name: web}
//! spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}
//! ```
//! ```yaml cluster
//! ```
//! ```yaml params
//! name: "{name}-headless"
//! ```
//! ```yaml after
//! metadata: {name: web}
//! spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}, serviceName: web-headless}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::view::StatefulSet;
use crate::object::{Change, Path};
use crate::rule::waiver::HEADLESS_SERVICE;
use crate::rule::{
    Context, Declare, Finding, Judges, Known, Level, Levels, Meta, Operation, Report, Rule, Speaks,
    selects,
};

/// The parameters.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct MissingServiceName {
    /// What to call the Service where there is none; `{name}` is the set's name. Without it, as the chart of a known workload does
    /// (`{name}-headless`), else the set's own name.
    name: Option<String>,
}

impl Declare for MissingServiceName {
    const META: Meta = Meta {
        id: "missing-service-name",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: true,
        source: include_str!("missing_service_name.rs"),
    };
}

impl Rule for MissingServiceName {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let unwanted = sts.metadata.annotations.says(HEADLESS_SERVICE, "none");
        if !sts.spec.service_name.is_empty() || unwanted {
            return;
        }
        let at = Path::of(&["spec", "serviceName"]);
        let set = |name: &str| [Change::set(Path::of(&["spec", "serviceName"]), name)];
        let finding = Finding::new(at, "spec.serviceName is empty")
            .why("without a governing Service the pods get no DNS names of their own, and the field can never be set later");
        if cx.operation == Operation::Update {
            report.add(finding.remedy(
                "it cannot be set on this set any more; a new set can have it (kubectl delete --cascade=orphan, then make it anew)",
            ));
            return;
        }
        report.add(match cx.headless_services(&sts.spec.template.metadata.labels) {
            Known::Present(services) => match &*names(&services) {
                [only] => finding
                    .remedy(format!("set serviceName: {only}, the headless Service that selects these pods"))
                    .fix(format!("set to \"{only}\", the headless Service that selects these pods"), set(only)),
                several => finding.remedy(format!(
                    "set serviceName to one of the headless Services that select these pods: {}",
                    several.join(", ")
                )),
            },
            Known::Absent => match self.made_name(sts, cx).map(|name| (still_to_do(sts, cx, &name), name)) {
                Some((Ok(todo), name)) => finding
                    .remedy(format!("set serviceName: {name}. {todo}"))
                    .fix(format!("set to \"{name}\". {todo}"), set(&name)),
                Some((Err(conflict), _)) => finding.remedy(format!("create a headless Service that selects the pods and set serviceName to its name. {conflict}")),
                None => finding.remedy("create a headless Service that selects the pods and set serviceName to its name"),
            },
            Known::Unknown => finding.remedy(
                "set serviceName to the headless Service that selects these pods (which one it is could not be looked up)",
            ),
        });
    }
}

impl MissingServiceName {
    /// The name made for a Service that is still to be created: a DNS-1035 label, as Services before Kubernetes 1.36 must
    /// have (`RelaxedServiceNameValidation`); `None` where there is no such name.
    fn made_name(&self, sts: &StatefulSet<'_>, cx: &Context<'_>) -> Option<String> {
        let set = cx.name;
        let name = match &self.name {
            Some(template) => template.replace("{name}", set),
            None => format!("{set}{}", cx.headless_suffix(sts)),
        };
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let starts = name.starts_with(|first: char| first.is_ascii_lowercase());
        (!set.is_empty() && plain && starts && !name.ends_with('-') && name.len() <= 63)
            .then_some(name)
    }
}

fn names(services: &[std::sync::Arc<k8s_openapi::api::core::v1::Service>]) -> Vec<&str> {
    let mut names: Vec<_> = services
        .iter()
        .filter_map(|service| service.metadata.name.as_deref())
        .collect();
    names.sort_unstable();
    names
}

/// What is left for a person to do once the set has this name: the Service to create, or what is known of the one that bears
/// it. An error where that one is another set's: the name could never be changed again.
fn still_to_do(sts: &StatefulSet<'_>, cx: &Context<'_>, name: &str) -> Result<String, String> {
    let labels = &sts.spec.template.metadata.labels;
    if let Known::Present(service) = cx.service(name) {
        return if selects(&service, labels) {
            Ok(format!(
                "Service {name} selects these pods but is not headless; DNS names per pod are promised only for headless ones"
            ))
        } else {
            Err(format!("(Service {name} exists and does not select them)"))
        };
    }
    let selector = match sts.spec.selector.match_labels.iter().next() {
        Some(_) => &sts.spec.selector.match_labels,
        None => labels,
    };
    let selector: Vec<_> = selector
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let selector = if selector.is_empty() {
        "that fits its pods".to_owned()
    } else {
        selector.join(", ")
    };
    Ok(format!(
        "No headless Service selects these pods yet; create Service {name} with clusterIP None, selector {selector}"
    ))
}
