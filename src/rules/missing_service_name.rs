//! # missing-service-name
//! Finds sets without `serviceName`, the name of their governing Service.
//! ## Why
//! The governing Service gives each pod a DNS name of its own (`web-0.web`), which peers and clients of databases and
//! brokers need. Without `serviceName` there are none, and the field can never be changed again.
//! ## Fix
//! On CREATE only. The one headless Service in the namespace that selects the set's pods is named. Of several, none is guessed, and
//! `ambiguous-governing-service` speaks. If there is certainly none, a name is made, from `name` or as the chart of a known
//! workload makes it. It is injected where no Service has it, and the message holds the manifest of the Service to create; or where
//! the Service that has it selects the pods, though it is not headless; never where it serves other pods. Where the cluster's
//! Services are not known, nothing is injected. Where command, arguments or environment call the set's own pods by a Service
//! (`web-0.peers`, `$(POD_NAME).peers`), no other name is injected than that one.
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

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Service;
use serde::{Deserialize, Serialize};

use crate::object::view::{Labels, StatefulSet};
use crate::object::{Change, Path};
use crate::rule::waiver::{HEADLESS_SERVICE, INJECT};
use crate::rule::{
    Context, Declare, Finding, Judges, Known, Level, Levels, Meta, Operation, Report, Rule, Speaks,
    selects, service,
};
use crate::workload::services_named;

/// The parameters.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct MissingServiceName {
    /// What to call the Service where there is none; `{name}` is the set's name. Without it, as the chart of a known workload does
    /// (`{name}-headless`), else the set's own name.
    name: Option<Template>,
}

/// A name with `{name}` in it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String")]
struct Template(String);

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(template: String) -> Result<Self, String> {
        let template = Self(template);
        let example = template.of("web");
        if service::can_name_service(&example) {
            return Ok(template);
        }
        Err(format!(
            "a set called web would get {example:?}, which is no name of a Service; write {{name}} for the set's name, such as {{name}}-headless"
        ))
    }
}

impl Template {
    /// The name for this set.
    fn of(&self, set: &str) -> String {
        self.0.replace("{name}", set)
    }
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
        let labels = &sts.spec.template.metadata.labels;
        // Where nothing may be injected, nobody need be asked.
        let services = if sts.metadata.annotations.says(INJECT, "false") {
            Known::Unknown
        } else {
            cx.headless_services_now(labels)
        };
        let called = services_named(sts, cx.name);
        report.add(match &services {
            Known::Present(services) => match &*service::names(services) {
                [only] if called.is_empty() || called.contains(*only) => finding
                    .remedy(format!("set serviceName: {only}, the headless Service that selects these pods"))
                    .fix(format!("set to \"{only}\", the headless Service that selects these pods"), set(only)),
                [only] => finding.remedy(format!(
                    "set serviceName: the pods are called by {} in the manifest, and the headless Service that selects them is {only}",
                    few(&called)
                )),
                [] => finding.remedy(LOOK),
                // Which one is meant is another rule's question.
                _ => return,
            },
            Known::Absent => match self.made_name(sts, cx, &called) {
                Some(name) => match cx.cluster.service(cx.namespace, &name) {
                    Known::Absent | Known::Unknown => {
                        let todo = format!(
                            "No headless Service selects these pods yet; {}",
                            service::creating(sts, cx, &name)
                        );
                        finding
                            .remedy(format!("set serviceName: {name}. {todo}"))
                            .fix(format!("set to \"{name}\" for good. {todo}"), set(&name))
                    }
                    // The pods are reached by it already.
                    Known::Present(taken) if serves(&taken, labels) => {
                        let todo = format!("Service {name} selects these pods but is not headless; DNS names per pod are promised only for headless ones");
                        finding
                            .remedy(format!("set serviceName: {name}. {todo}"))
                            .fix(format!("set to \"{name}\". {todo}"), set(&name))
                    }
                    Known::Present(_) => finding.remedy(format!("{CREATE}. (Service {name} exists and does not select them)")),
                },
                None if called.len() > 1 => finding.remedy(format!(
                    "{CREATE}. (The manifest calls the pods by several: {})",
                    few(&called)
                )),
                None => finding.remedy(CREATE),
            },
            Known::Unknown => finding.remedy(LOOK),
        });
    }
}

/// Names in one line.
fn few(names: &BTreeSet<String>) -> String {
    service::few(&names.iter().collect::<Vec<_>>())
}

/// What is left to a person where no name can be made.
const CREATE: &str =
    "create a headless Service that selects the pods and set serviceName to its name";

/// What is left to a person where nobody could tell which Services there are.
const LOOK: &str = "set serviceName to the headless Service that selects these pods (which one it is could not be looked up; where that is known, it is injected)";

impl MissingServiceName {
    /// The name made for a Service that is still to be created; `None` where no Service can have it.
    fn made_name(
        &self,
        sts: &StatefulSet<'_>,
        cx: &Context<'_>,
        called: &BTreeSet<String>,
    ) -> Option<String> {
        let set = cx.name;
        // A name that the API server made is another the next time.
        if set.is_empty() || !sts.metadata.generate_name.is_empty() {
            return None;
        }
        // The manifest itself may say how the pods are called.
        let mut called = called.iter();
        let name = match (called.next(), called.next()) {
            (Some(_), Some(_)) => return None,
            (Some(only), None) => return service::can_name_service(only).then(|| only.clone()),
            (None, _) => &self.name,
        };
        let name = match name {
            Some(template) => template.of(set),
            None => format!("{set}{}", cx.headless_suffix(sts)),
        };
        service::can_name_service(&name).then_some(name)
    }
}

/// Whether a Service has these pods behind it, if not as the governing one should.
fn serves(service: &Service, labels: &Labels<'_>) -> bool {
    let kind = service.spec.as_ref().and_then(|spec| spec.type_.as_deref());
    kind != Some("ExternalName") && selects(service, labels)
}
