//! Which pods a label selector selects.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use serde::de::IgnoredAny;

use crate::object::view::{self, Labels};

/// The labels that the controller gives each pod (kubernetes/kubernetes `pkg/controller/statefulset/stateful_set_utils.go`).
pub const GIVEN: [&str; 3] = [
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "controller-revision-hash",
];

/// Whether all of these labels are there, with these values.
#[must_use]
pub fn has_all(labels: &Labels<'_>, wanted: &BTreeMap<String, String>) -> bool {
    let has = |(key, value): (&String, &String)| labels.get(key).is_some_and(|own| *own == **value);
    wanted.iter().all(has)
}

/// Whether a selector fits pods with these labels. An empty one fits all; one that cannot be, none
/// (kubernetes/kubernetes `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go`, `LabelSelectorAsSelector`).
#[must_use]
pub fn fits(selector: &LabelSelector, labels: &Labels<'_>) -> bool {
    let wanted = selector.match_labels.as_ref();
    let mut expressions = selector.match_expressions.iter().flatten();
    wanted.is_none_or(|wanted| has_all(labels, wanted))
        && expressions.all(|expression| holds(expression, labels))
}

/// Whether an expression holds (kubernetes/kubernetes `staging/src/k8s.io/apimachinery/pkg/labels/selector.go`,
/// `NewRequirement` and `Matches`). Of one about a label that each pod is still to get, that is not known.
fn holds(expression: &LabelSelectorRequirement, labels: &Labels<'_>) -> bool {
    let label = labels.get(&expression.key);
    let values = expression.values.as_deref().unwrap_or_default();
    let is_among = || label.is_some_and(|label| values.iter().any(|value| *label == **value));
    let holds = match &*expression.operator {
        "In" => is_among(),
        "NotIn" => !values.is_empty() && !is_among(),
        "Exists" => values.is_empty() && label.is_some(),
        "DoesNotExist" => values.is_empty() && label.is_none(),
        _ => false,
    };
    holds && !GIVEN.contains(&&*expression.key)
}

/// Whether a selector certainly selects only pods that a set selects, too: it asks for all labels that the set asks for.
#[must_use]
pub fn is_within(selector: &LabelSelector, set: &view::LabelSelector<'_>) -> bool {
    let labels = selector.match_labels.as_ref();
    let in_labels = |key: &str, value: &str| {
        labels.is_some_and(|labels| labels.get(key).is_some_and(|asked| asked == value))
    };
    // What must be among one value has that value.
    let in_expressions = |key: &str, value: &str| {
        let mut expressions = selector.match_expressions.iter().flatten();
        expressions.any(|one| {
            let values = one.values.as_deref().unwrap_or_default();
            one.key == key && one.operator == "In" && values == [value]
        })
    };
    let asks = |(key, value): (&str, &str)| in_labels(key, value) || in_expressions(key, value);
    let expressions = set.match_expressions.text();
    let has_none =
        expressions.is_empty() || serde_json::from_str::<[IgnoredAny; 0]>(expressions).is_ok();
    has_none && set.match_labels.iter().next().is_some() && set.match_labels.iter().all(asks)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const LABELS: &str = r#"{"app":"db","tier":"back"}"#;

    fn selector(value: Value) -> LabelSelector {
        serde_json::from_value(value).expect("a selector")
    }

    fn fits_them(value: Value) -> bool {
        let labels: Labels<'_> = serde_json::from_str(LABELS).expect("labels");
        fits(&selector(value), &labels)
    }

    #[test]
    fn labels_must_all_be_there() {
        for (wanted, fits) in [
            (json!({}), true),
            (json!({"app": "db"}), true),
            (json!({"app": "db", "tier": "front"}), false),
            (json!({"app": "db", "zone": "a"}), false),
        ] {
            assert_eq!(fits_them(json!({"matchLabels": wanted})), fits, "{wanted}");
        }
        assert!(fits_them(json!({})));
    }

    #[test]
    fn expressions_must_all_hold() {
        for (key, operator, values, fits) in [
            ("tier", "In", &["front", "back"][..], true),
            ("tier", "In", &["front"], false),
            ("zone", "In", &["a"], false),
            ("tier", "In", &[], false),
            ("tier", "NotIn", &["front"], true),
            ("tier", "NotIn", &["front", "back"], false),
            ("zone", "NotIn", &["a"], true),
            ("zone", "NotIn", &[], false),
            ("tier", "Exists", &[], true),
            ("zone", "Exists", &[], false),
            ("tier", "Exists", &["back"], false),
            ("zone", "DoesNotExist", &[], true),
            ("tier", "DoesNotExist", &[], false),
            ("zone", "DoesNotExist", &["a"], false),
            ("tier", "Like", &["back"], false),
            (GIVEN[0], "DoesNotExist", &[], false),
            (GIVEN[1], "NotIn", &["0"], false),
        ] {
            let expression = json!({"key": key, "operator": operator, "values": values});
            let found = fits_them(json!({"matchExpressions": [expression]}));
            assert_eq!(found, fits, "{expression}");
            let other = json!({"key": "app", "operator": "In", "values": ["web"]});
            assert!(!fits_them(json!({"matchExpressions": [expression, other]})));
        }
        let expression = json!({"key": "tier", "operator": "Exists"});
        let both = json!({"matchLabels": {"app": "web"}, "matchExpressions": [expression]});
        assert!(!fits_them(both));
    }

    #[test]
    fn a_selector_that_asks_for_more_selects_no_others() {
        let expressions = r#"{"matchLabels":{"app":"db"},"matchExpressions":[{"key":"tier","operator":"Exists"}]}"#;
        for (set, asked, within) in [
            (
                r#"{"matchLabels":{"app":"db"}}"#,
                json!({"app": "db"}),
                true,
            ),
            (
                r#"{"matchLabels":{"app":"db"},"matchExpressions":[ ]}"#,
                json!({"app": "db", "tier": "back"}),
                true,
            ),
            (
                r#"{"matchLabels":{"app":"db"},"matchExpressions":null}"#,
                json!({"app": "db"}),
                true,
            ),
            (
                r#"{"matchLabels":{"app":"db"}}"#,
                json!({"app": "web"}),
                false,
            ),
            (
                r#"{"matchLabels":{"app":"db"}}"#,
                json!({"tier": "back"}),
                false,
            ),
            (r#"{"matchLabels":{"app":"db"}}"#, json!({}), false),
            ("{}", json!({"app": "db"}), false),
            (expressions, json!({"app": "db"}), false),
        ] {
            let own: view::LabelSelector<'_> = serde_json::from_str(set).expect("a selector");
            let found = is_within(&selector(json!({"matchLabels": asked})), &own);
            assert_eq!(found, within, "{set} {asked}");
        }
    }
}
