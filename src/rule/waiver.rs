//! Waivers: annotations by which the owner of a set takes a rule upon himself, with a reason.

use crate::object::Path;
use crate::object::view::StatefulSet;

/// What the annotation's key begins with; the rule's id follows.
pub const PREFIX: &str = "allow.steadfast.dev/";

/// The annotation by which a set declines every injection, with the value `false`.
pub const INJECT: &str = "steadfast.dev/inject";

/// The annotation by which a set says, with the value `none`, that it wants no governing Service.
pub const HEADLESS_SERVICE: &str = "steadfast.dev/headless-service";

/// One `allow.steadfast.dev/<rule>` annotation, on the set or on its pod template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiver<'v> {
    /// The rule's id, as written.
    pub rule: &'v str,
    /// The containers that it is for; without a list, all of them and what concerns none.
    pub containers: Option<Vec<&'v str>>,
    /// The reason; without one the waiver does not hold.
    pub reason: &'v str,
    /// Where it stands.
    pub at: Path,
}

/// Every waiver of a set.
pub fn waivers<'v>(set: &'v StatefulSet<'_>) -> impl Iterator<Item = Waiver<'v>> {
    let on_set = (&set.metadata, Path::of(&["metadata", "annotations"]));
    let on_template = (
        &set.spec.template.metadata,
        Path::of(&["spec", "template", "metadata", "annotations"]),
    );
    [on_set, on_template]
        .into_iter()
        .flat_map(|(metadata, at)| {
            metadata.annotations.iter().filter_map(move |(key, value)| {
                let rule = key.strip_prefix(PREFIX)?;
                let (containers, reason) = split(value);
                Some(Waiver {
                    rule,
                    containers,
                    reason,
                    at: at.clone().key(key.to_owned()),
                })
            })
        })
}

impl Waiver<'_> {
    /// Whether it holds for this rule's findings on this container.
    #[must_use]
    pub fn covers(&self, rule: &str, container: Option<&str>) -> bool {
        let named = match &self.containers {
            None => true,
            Some(containers) => container.is_some_and(|name| containers.contains(&name)),
        };
        self.rule == rule && !self.reason.is_empty() && named
    }
}

/// `"[app,sidecar] reason"` into its two parts; a list that is never closed has no containers and no reason.
fn split(value: &str) -> (Option<Vec<&str>>, &str) {
    let value = value.trim();
    let Some(list) = value.strip_prefix('[') else {
        return (None, value);
    };
    let (names, reason) = list.split_once(']').unwrap_or_default();
    let names = names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    (Some(names.collect()), reason.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_names_rule_containers_and_reason() {
        let set = StatefulSet::parse(
            r#"{"metadata":{"annotations":{"allow.steadfast.dev/a":"because","other":"x"}},
               "spec":{"template":{"metadata":{"annotations":{"allow.steadfast.dev/b":"[app, side] it is so"}}}}}"#,
        )
        .expect("a set");
        let found: Vec<_> = waivers(&set).collect();
        assert_eq!(found.len(), 2);
        assert!(
            found[0].covers("a", None)
                && found[0].covers("a", Some("app"))
                && !found[0].covers("b", None)
        );
        assert!(
            found[1].covers("b", Some("side"))
                && !found[1].covers("b", Some("db"))
                && !found[1].covers("b", None)
        );
        assert_eq!(
            found[1].at.to_string(),
            "spec.template.metadata.annotations[allow.steadfast.dev/b]"
        );
    }

    #[test]
    fn without_a_reason_it_does_not_hold() {
        for value in ["", "  ", "[app]", "[app] ", "[app why", "[] why"] {
            let (containers, reason) = split(value);
            let waiver = Waiver {
                rule: "a",
                containers,
                reason,
                at: Path::default(),
            };
            assert!(!waiver.covers("a", Some("app")), "{value:?}");
        }
    }
}
