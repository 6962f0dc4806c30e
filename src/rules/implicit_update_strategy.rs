//! # implicit-update-strategy
//! Finds sets that leave their update strategy to a default.
//! ## Why
//! How a database's pods are replaced deserves a decision. Kubernetes' own default (`RollingUpdate` from partition 0) may
//! not be the team's.
//! ## Fix
//! State it in the manifest. Where a policy has another default than Kubernetes' own, it is injected on CREATE, as a whole.
//! The API server fills in its default before a webhook is asked, so in a cluster that happens only where the client shows
//! that the user wrote none (kubectl apply, any server-side apply); in a manifest it is simply absent.
//! ## Example
//! ```yaml before
//! spec: {replicas: 3}
//! ```
//! ```yaml after
//! spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}}}
//! ```
//! ```yaml before
//! spec: {replicas: 3}
//! ```
//! ```yaml params
//! type: OnDelete
//! ```
//! ```yaml after
//! spec: {replicas: 3, updateStrategy: {type: OnDelete}}
//! ```

use k8s_openapi::api::apps::v1::{RollingUpdateStatefulSetStrategy, StatefulSetUpdateStrategy};
use serde::{Deserialize, Serialize};

use crate::object::ownership::{Author, Ownership};
use crate::object::record::{Carried, Record};
use crate::object::view::StatefulSet;
use crate::object::{Change, Path};
use crate::rule::{
    Context, Declare, Finding, Judges, Level, Levels, Meta, Operation, Report, Rule, Speaks,
};

/// The parameters.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ImplicitUpdateStrategy {
    /// The strategy of sets that state none: `RollingUpdate` or `OnDelete`.
    r#type: Strategy,
    /// Of a rolling update: pods with a lower ordinal keep the old template.
    partition: u16,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
enum Strategy {
    #[default]
    RollingUpdate,
    OnDelete,
}

impl Declare for ImplicitUpdateStrategy {
    const META: Meta = Meta {
        id: "implicit-update-strategy",
        levels: Levels {
            baseline: Level::Audit,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: true,
        source: include_str!("implicit_update_strategy.rs"),
    };
}

impl Rule for ImplicitUpdateStrategy {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        if let Some(stated) = &sts.spec.stated_update_strategy {
            let wanted = self.name() == &*stated.type_
                && (self.r#type == Strategy::OnDelete
                    || stated.rolling_update.partition == i64::from(self.partition));
            let theirs = || {
                Ownership::of(&sts.metadata).author(&["spec", "updateStrategy"]) != Author::Server
            };
            if wanted || cx.operation == Operation::Update || theirs() || is_injected(sts) {
                return;
            }
        }
        let at = Path::of(&["spec", "updateStrategy"]);
        let finding = Finding::new(at.clone(), "spec.updateStrategy is left to a default")
            .why("how the pods of a stateful set are replaced deserves a decision")
            .remedy(format!(
                "state updateStrategy in the manifest, such as {}",
                self.spelt()
            ));
        report.add(if self.is_kubernetes_own() {
            finding
        } else {
            finding.fix(
                format!("set to {}", self.spelt()),
                [Change::set(at, self.value())],
            )
        });
    }
}

/// Whether an earlier call injected the strategy that stands there. To managedFields it is still the API server's.
fn is_injected(sts: &StatefulSet<'_>) -> bool {
    match Record::read(Record::text_on(sts)) {
        Carried::Record(record) => record
            .injected
            .iter()
            .any(|entry| entry.rule == ImplicitUpdateStrategy::META.id),
        Carried::None => false,
        // A record that cannot be read may name it.
        Carried::Foreign => true,
    }
}

impl ImplicitUpdateStrategy {
    fn name(&self) -> &'static str {
        match self.r#type {
            Strategy::RollingUpdate => "RollingUpdate",
            Strategy::OnDelete => "OnDelete",
        }
    }

    /// Whether the API server fills in the same by itself; then there is nothing to do.
    fn is_kubernetes_own(&self) -> bool {
        self.r#type == Strategy::RollingUpdate && self.partition == 0
    }

    fn spelt(&self) -> String {
        match self.r#type {
            Strategy::RollingUpdate => format!("RollingUpdate from partition {}", self.partition),
            Strategy::OnDelete => "OnDelete".to_owned(),
        }
    }

    fn value(&self) -> StatefulSetUpdateStrategy {
        let rolling_update =
            (self.r#type == Strategy::RollingUpdate).then(|| RollingUpdateStatefulSetStrategy {
                partition: Some(self.partition.into()),
                ..RollingUpdateStatefulSetStrategy::default()
            });
        StatefulSetUpdateStrategy {
            type_: Some(self.name().to_owned()),
            rolling_update,
        }
    }
}
