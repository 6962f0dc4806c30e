//! # partition-beyond-replicas
//! Finds rolling updates whose partition is not below the number of replicas.
//! ## Why
//! The first `partition` pods keep the old template. (With `ordinals.start` they are counted from there.) Where that is all
//! of them, no update reaches any pod: the rollout looks done and the old image runs on.
//! ## Fix
//! Remove the partition, or set it below `replicas`. A set scaled to 0 is left alone.
//! ## Example
//! ```yaml before
//! spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 3}}}
//! ```
//! ```yaml after
//! spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::StatefulSet;
use crate::rule::{Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct PartitionBeyondReplicas {}

impl Declare for PartitionBeyondReplicas {
    const META: Meta = Meta {
        id: "partition-beyond-replicas",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("partition_beyond_replicas.rs"),
    };
}

impl Rule for PartitionBeyondReplicas {
    fn check(&self, sts: &StatefulSet<'_>, _: &Context<'_>, report: &mut Report) {
        let (strategy, replicas) = (sts.spec.update_strategy(), sts.spec.replicas);
        let partition = strategy.rolling_update.partition;
        if strategy.type_ != "RollingUpdate" || replicas <= 0 || partition < replicas {
            return;
        }
        let at = Path::of(&["spec", "updateStrategy", "rollingUpdate", "partition"]);
        report.add(
            Finding::new(
                at.clone(),
                format!("{at} is {partition}, with replicas {replicas}"),
            )
            .why("updates of the template reach no pod")
            .remedy("remove the partition, or set it below replicas"),
        );
    }
}
