//! # storage-size-bounds
//! Finds claim templates whose size is outside of what the policy allows.
//! ## Why
//! The size of a claim template can never be changed. One that is too small fills up, and each claim has to be grown by hand;
//! one that is too large is paid for by every pod.
//! ## Fix
//! Ask for a size within the bounds. Without `min` and `max` in a policy nothing is found.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Ti}}}}]
//! ```
//! ```yaml params
//! min: 1Gi
//! max: 500Gi
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 200Gi}}}}]
//! ```
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Mi}}}}]
//! ```
//! ```yaml params
//! min: 1Gi
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}}]
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Named;
use crate::object::quantity::{Quantity, amount};
use crate::object::view::StatefulSet;
use crate::rule::{
    Context, Declare, Finding, Judges, Level, Levels, Meta, Operation, Report, Rule, Speaks,
};

/// The parameters.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(try_from = "Stated", rename_all = "camelCase")]
pub struct StorageSizeBounds {
    /// The least that a claim template may ask for.
    min: Option<Quantity>,
    /// The most that a claim template may ask for.
    max: Option<Quantity>,
}

/// The parameters as a policy states them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Stated {
    min: Option<Quantity>,
    max: Option<Quantity>,
}

impl TryFrom<Stated> for StorageSizeBounds {
    type Error = String;

    fn try_from(Stated { min, max }: Stated) -> Result<Self, String> {
        match (&min, &max) {
            (Some(least), Some(most)) if least.amount() > most.amount() => Err(format!(
                "min is {} and max is {}: no size is within these bounds",
                least.as_str(),
                most.as_str()
            )),
            _ => Ok(Self { min, max }),
        }
    }
}

impl Declare for StorageSizeBounds {
    const META: Meta = Meta {
        id: "storage-size-bounds",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Deny,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("storage_size_bounds.rs"),
    };
}

impl Rule for StorageSizeBounds {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let states_none = self.min.is_none() && self.max.is_none();
        // The list can never be changed afterwards.
        if states_none || cx.operation == Operation::Update {
            return;
        }
        for claim in sts.claim_templates() {
            let Some(size) = claim.asks().resources.storage() else {
                continue;
            };
            let Some(outside) = amount(&size).and_then(|amount| self.outside(amount)) else {
                continue;
            };
            let name = claim.item().name();
            report.add(
                Finding::new(
                    claim.path(),
                    format!("claim template {name} asks for {size}, {outside}"),
                )
                .subject(name)
                .why("a claim template's size can never be changed")
                .remedy(format!("ask for {}", self.allowed())),
            );
        }
    }
}

impl StorageSizeBounds {
    /// How an amount is outside, where it is.
    fn outside(&self, amount: f64) -> Option<String> {
        let less = self.min.as_ref().filter(|min| amount < min.amount());
        let more = self.max.as_ref().filter(|max| amount > max.amount());
        let less =
            less.map(|min| format!("less than the {} that the policy demands", min.as_str()));
        less.or_else(|| {
            more.map(|max| format!("more than the {} that the policy allows", max.as_str()))
        })
    }

    fn allowed(&self) -> String {
        let words = [("at least", &self.min), ("at most", &self.max)].map(|(word, bound)| {
            let bound = bound.as_ref()?;
            Some(format!("{word} {}", bound.as_str()))
        });
        words
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_that_allows_no_size_is_an_error_that_names_both() {
        let read = |params| serde_json::from_value::<StorageSizeBounds>(params);
        let error = read(json!({"min": "2Ti", "max": "500Gi"})).expect_err("no size is allowed");
        assert!(
            error.to_string().contains("min is 2Ti and max is 500Gi"),
            "{error}"
        );
        assert!(read(json!({"min": "1Gi", "max": "1024Mi"})).is_ok());
        assert!(read(json!({"least": "1Gi"})).is_err());
    }
}
