//! Fields that can never change: what the old set has and the request left out is put back.

use serde_json::Value;

use super::Restoration;
use crate::object::record::contains;
use crate::object::{ApplyError, Change, Path};

impl Restoration<'_, '_> {
    pub(super) fn put_back_immutable_fields(&mut self) -> Result<(), ApplyError> {
        let (new, old) = (&self.case.object.spec, &self.old.spec);
        if new.service_name.is_empty() && !old.service_name.is_empty() {
            let name = &*old.service_name;
            let at = Path::of(&["spec", "serviceName"]);
            let message = format!("{at} was left out; kept {name:?}, since it can never change");
            self.say(&at, message);
            self.apply(&Change::set(at, name))?;
        }
        if let Some(dropped) = dropped_claims(self.draft.object()?, &self.raw_old) {
            let claims = Path::of(&["spec", "volumeClaimTemplates"]);
            let message =
                format!("{claims} was left without {dropped}; kept it, since it can never change");
            self.say(&claims, message);
            let whole = &self.raw_old["spec"]["volumeClaimTemplates"];
            self.draft.apply(&Change::set(claims, whole))?;
        }
        Ok(())
    }
}

/// The names of the claim templates that were dropped, where nothing else was done to the list: what is left has the old
/// order and says nothing new. Any other difference is for the API server to refuse.
fn dropped_claims(new: &Value, old: &Value) -> Option<String> {
    let list = |set: &Value| {
        set["spec"]["volumeClaimTemplates"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let name = |claim: &Value| {
        claim["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut left = list(new).into_iter().peekable();
    let mut dropped = Vec::new();
    for claim in list(old) {
        if left
            .next_if(|left| name(left) == name(&claim) && contains(&claim, left))
            .is_none()
        {
            dropped.push(name(&claim));
        }
    }
    (left.peek().is_none() && !dropped.is_empty()).then(|| dropped.join(", "))
}
