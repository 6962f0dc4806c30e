//! # disallowed-update-strategy
//! Finds update strategies that are not on the policy's list.
//! ## Why
//! With `OnDelete` a new template reaches a pod only when somebody deletes that pod. That is right where an operator or a
//! runbook does so (Vault, some brokers), and a trap elsewhere: the rollout is reported as done and nothing has changed.
//! Other names than `RollingUpdate` and `OnDelete` are refused by the API server, `Recreate` by all but a cluster of 1.37
//! or later with the alpha gate `StatefulSetRecreateStrategy`.
//! ## Fix
//! Use `RollingUpdate`, or say why not: annotate the set
//! `allow.steadfast.dev/disallowed-update-strategy: "<reason>"`.
//! ## Example
//! ```yaml before
//! spec: {updateStrategy: {type: OnDelete}}
//! ```
//! ```yaml after
//! metadata: {annotations: {allow.steadfast.dev/disallowed-update-strategy: unsealed by hand, one pod at a time}}
//! spec: {updateStrategy: {type: OnDelete}}
//! ```
//! ```yaml before
//! spec: {updateStrategy: {type: Recreate}}
//! ```
//! ```yaml after
//! spec: {updateStrategy: {type: RollingUpdate}}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::StatefulSet;
use crate::object::yaml::nearest;
use crate::rule::{Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct DisallowedUpdateStrategy {
    /// The strategies that need no reason: `RollingUpdate`, `OnDelete`, `Recreate`.
    allowed: Vec<Strategy>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
enum Strategy {
    RollingUpdate,
    OnDelete,
    Recreate,
}

impl Strategy {
    fn name(self) -> &'static str {
        match self {
            Self::RollingUpdate => "RollingUpdate",
            Self::OnDelete => "OnDelete",
            Self::Recreate => "Recreate",
        }
    }
}

impl Default for DisallowedUpdateStrategy {
    fn default() -> Self {
        Self {
            allowed: vec![Strategy::RollingUpdate],
        }
    }
}

impl Declare for DisallowedUpdateStrategy {
    const META: Meta = Meta {
        id: "disallowed-update-strategy",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtMutate,
        per_container: false,
        fixes: false,
        source: include_str!("disallowed_update_strategy.rs"),
    };
}

impl Rule for DisallowedUpdateStrategy {
    fn check(&self, sts: &StatefulSet<'_>, _: &Context<'_>, report: &mut Report) {
        let strategy = sts.spec.update_strategy();
        let name = &*strategy.type_;
        if self.allowed.iter().any(|allowed| allowed.name() == name) {
            return;
        }
        let at = Path::of(&["spec", "updateStrategy", "type"]);
        let finding = Finding::new(at.clone(), format!("{at} is {name}"));
        report.add(match name {
            "OnDelete" => finding
                .why("a new template reaches a pod only when somebody deletes that pod")
                .remedy("use RollingUpdate, or state the reason for OnDelete in the annotation"),
            "RollingUpdate" => finding
                .why("the policy does not list it")
                .remedy("use a strategy that the policy lists, or state the reason in the annotation"),
            "Recreate" => finding
                .why("only Kubernetes 1.37 and later know it, behind the alpha gate StatefulSetRecreateStrategy; others refuse the set")
                .remedy("use RollingUpdate; a rollout that is stuck is freed by deleting the broken pod"),
            unknown => {
                let meant = nearest(unknown, ["RollingUpdate", "OnDelete"]).unwrap_or("RollingUpdate");
                finding
                    .why("this is no strategy that Kubernetes has, and the API server refuses the set")
                    .remedy(format!("use RollingUpdate or OnDelete; did you mean {meant}?"))
            }
        });
    }
}
