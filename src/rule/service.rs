//! The governing Service that is still to be made: how a person makes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Service, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::finding::first;
use super::{Context, Operation};
use crate::object::is_dns_label;
use crate::object::record::Record;
use crate::object::view::StatefulSet;

/// The longest manifest that is said: some hundred characters go into one warning, which begins with the rule's id.
const LONGEST: usize = 440;

/// The longest selector that is said in words.
const SELECTOR: usize = 500;

/// Whether a Service of every Kubernetes version can have this name: a DNS-1035 label.
#[must_use]
pub fn can_name_service(name: &str) -> bool {
    may_name_service(name) && !begins_with_digit(name)
}

/// Whether a Service of the newer Kubernetes versions can have this name: from 1.36 on a digit may come first
/// (kubernetes/kubernetes `pkg/features/kube_features.go`, `RelaxedServiceNameValidation`).
#[must_use]
pub fn may_name_service(name: &str) -> bool {
    is_dns_label(name)
}

/// Whether a name begins with a digit, as no Service's could before Kubernetes 1.36.
#[must_use]
pub fn begins_with_digit(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_digit())
}

/// Whether the set's name of a Service was injected.
#[must_use]
pub fn is_injected(sts: &StatefulSet<'_>) -> bool {
    Record::on(sts).is_some_and(|record| {
        let mut entries = record.injected.iter();
        entries
            .any(|entry| entry.path == "spec.serviceName" && entry.value == *sts.spec.service_name)
    })
}

/// The names of Services, sorted.
#[must_use]
pub fn names(services: &[Arc<Service>]) -> Vec<&str> {
    let names = services.iter();
    let mut names: Vec<_> = names
        .filter_map(|service| service.metadata.name.as_deref())
        .collect();
    names.sort_unstable();
    names
}

/// The first ten in one line, and how many more there are.
#[must_use]
pub fn few<T: AsRef<str>>(items: &[T]) -> String {
    first(items, 10)
}

/// The headless Services that could govern the set, in the imperative; none where none is at hand, or it is too late.
#[must_use]
pub fn naming(set: &StatefulSet<'_>, cx: &Context<'_>) -> Option<String> {
    let labels = &set.spec.template.metadata.labels;
    let services = cx.known_headless_services(labels).items;
    let names = names(&services);
    let at_hand = cx.operation == Operation::Create && !names.is_empty();
    at_hand.then(|| {
        format!(
            "set serviceName to {}, the headless Service that selects these pods",
            few(&names)
        )
    })
}

/// How to create the governing Service of this name, in the imperative: with its manifest as one line of JSON, or in words where
/// that would be too long for a warning.
#[must_use]
pub fn creating(set: &StatefulSet<'_>, cx: &Context<'_>, name: &str) -> String {
    let selector = selector(set);
    let publishes = cx.needing_peers(set, name).next().is_some();
    if let Some(manifest) = manifest(cx.namespace, name, &selector, publishes) {
        return format!("create it (kubectl apply -f -): {manifest}");
    }
    let selector: Vec<_> = selector
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let selector = match selector.join(", ") {
        said if (1..=SELECTOR).contains(&said.len()) => format!("selector {said}"),
        _ => "a selector that fits the pods".to_owned(),
    };
    let publishes = if publishes {
        ", publishNotReadyAddresses true"
    } else {
        ""
    };
    let since = if begins_with_digit(name) {
        " (Kubernetes takes such a name from 1.36 on)"
    } else {
        ""
    };
    format!("create Service {name}{since} with clusterIP None{publishes}, {selector}")
}

/// What the Service is to select: the labels that the set itself selects. The pods' other labels may change with the next
/// version of a chart.
fn selector<'v>(set: &'v StatefulSet<'_>) -> BTreeMap<&'v str, &'v str> {
    set.spec.selector.match_labels.iter().collect()
}

/// The manifest in one line, where it is short and plain enough to be passed on whole. It has no ports: a headless Service needs
/// none (kubernetes/kubernetes `pkg/apis/core/validation/validation.go`, `ValidateService`).
fn manifest(
    namespace: &str,
    name: &str,
    selector: &BTreeMap<&str, &str>,
    publishes: bool,
) -> Option<String> {
    let length = |(key, value): (&&str, &&str)| key.len() + value.len();
    let too_long = selector.iter().map(length).sum::<usize>() > LONGEST;
    if selector.is_empty() || too_long || !can_name_service(name) {
        return None;
    }
    let owned = |text: &&str| (*text).to_owned();
    let selector = selector.iter();
    let selector = selector.map(|(key, value)| (owned(key), owned(value)));
    let service = Service {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()).filter(|namespace| !namespace.is_empty()),
            ..ObjectMeta::default()
        },
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            publish_not_ready_addresses: publishes.then_some(true),
            selector: Some(selector.collect()),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    };
    let text = serde_json::to_string(&service).ok()?;
    // A space is where a warning may be broken, and a header knows no letters but ASCII's.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    (is_plain && text.len() <= LONGEST).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{ClusterView, Known, Listing, Operation};

    struct Empty;

    impl ClusterView for Empty {
        fn headless_services(&self, _: &str) -> Listing<Service> {
            Listing::unknown()
        }

        fn service(&self, _: &str, _: &str) -> Known<Arc<Service>> {
            Known::Absent
        }

        fn storage_classes(&self) -> Listing<k8s_openapi::api::storage::v1::StorageClass> {
            Listing::unknown()
        }
    }

    fn said(spec: &str, name: &str) -> String {
        let text = format!(r#"{{"metadata":{{"name":"db"}},"spec":{spec}}}"#);
        let set = StatefulSet::parse(&text).expect("a set");
        let cx = Context::new(Operation::Create, "shop", "db", &Empty);
        creating(&set, &cx, name)
    }

    #[test]
    fn the_manifest_is_one_line() {
        let spec = r#"{"replicas":3,"selector":{"matchLabels":{"app":"db"}},"template":{"spec":{"containers":[{"args":["db-0.hl,db-1.hl"]}]}}}"#;
        let manifest = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"hl","namespace":"shop"},"spec":{"clusterIP":"None","publishNotReadyAddresses":true,"selector":{"app":"db"}}}"#;
        assert_eq!(
            said(spec, "hl"),
            format!("create it (kubectl apply -f -): {manifest}")
        );
        let alone = spec.replace("\"replicas\":3", "\"replicas\":1");
        assert!(
            !said(&alone, "hl").contains("NotReady"),
            "one waits for nobody"
        );
    }

    #[test]
    fn what_cannot_be_passed_on_whole_is_said_in_words() {
        let labels = |value: &str| format!(r#"{{"selector":{{"matchLabels":{{"app":{value}}}}}}}"#);
        let long = "x".repeat(LONGEST);
        for (spec, name, words) in [
            (labels(&format!("\"{long}\"")), "hl", "selector app=xxx"),
            (
                labels(&format!("\"{}\"", long.repeat(9))),
                "hl",
                "a selector that fits",
            ),
            (labels(r#""é""#), "hl", "selector app=é"),
            (labels(r#""a b\n""#), "hl", "selector app=a b"),
            (
                labels(r#""db""#),
                "1hl",
                "create Service 1hl (Kubernetes takes such a name from 1.36 on) with",
            ),
            ("{}".to_owned(), "hl", "a selector that fits the pods"),
        ] {
            let said = said(&spec, name);
            assert!(said.contains(words) && !said.contains('{'), "{said}");
        }
    }
}
