//! # zero-grace-period
//! Finds pods with `terminationGracePeriodSeconds: 0`.
//! ## Why
//! Zero means a forced delete: the API server forgets the pod at once, and the controller starts its successor while the
//! first may still run on its node. Two pods then have one identity and write to one volume. The Kubernetes documentation
//! calls it unsafe and strongly discourages it for StatefulSets.
//! ## Fix
//! Remove the line (30 is the default), or set 1 or more: 1 already waits for the kubelet's word that the pod is gone. For
//! pods on a node that is lost, the taint `node.kubernetes.io/out-of-service` is the safe way.
//! ## Example
//! ```yaml before
//! spec: {template: {spec: {terminationGracePeriodSeconds: 0}}}
//! ```
//! ```yaml after
//! spec: {template: {spec: {terminationGracePeriodSeconds: 1}}}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::StatefulSet;
use crate::rule::{Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ZeroGracePeriod {}

impl Declare for ZeroGracePeriod {
    const META: Meta = Meta {
        id: "zero-grace-period",
        levels: Levels {
            baseline: Level::Deny,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("zero_grace_period.rs"),
    };
}

impl Rule for ZeroGracePeriod {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        if sts.spec.template.spec.termination_grace_period_seconds != 0 {
            return;
        }
        let at = Path::of(&["spec", "template", "spec", "terminationGracePeriodSeconds"]);
        let pod = if cx.name.is_empty() {
            "pod".to_owned()
        } else {
            format!("{}-0", cx.name)
        };
        report.add(
            Finding::new(at.clone(), format!("{at} is 0"))
                .why(format!("a forced delete can start a second {pod} while the first still writes to the same volume"))
                .remedy("remove the line (30 is the default), or set 1 or more"),
        );
    }
}
