//! Whether the pods of a set must find each other before they can be ready.

use std::collections::BTreeSet;

use super::catalogue::Match;
use super::entry::{Confidence, Workload};
use super::words::Said;
use super::{Catalogue, is_helper};
use crate::object::view::{Container, StatefulSet};

/// What of a set's forming a probe could stand in the way of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forming {
    /// Whether a pod that needs its peers to be ready waits for ever: its pods start one after the other, each when the one
    /// before is ready, or the governing Service hides pods that are not. (A server that listens only once it has a quorum needs
    /// its peers both started and found.) One replica waits for nobody; none may become several.
    pub waits: bool,
    /// Whether its own spec points at peers.
    pub has_peers: bool,
}

impl Forming {
    /// What holds for a set. `governing` is the name of the governing Service, empty where it is not known; `publishes_unready`
    /// says whether that Service is known to publish pods that are not ready.
    #[must_use]
    pub fn of(set: &StatefulSet<'_>, governing: &str, publishes_unready: bool) -> Self {
        let in_order = set.spec.pod_management_policy == "OrderedReady";
        let waits = set.spec.replicas != 1 && (in_order || !publishes_unready);
        Self {
            waits,
            has_peers: waits && points_at_peers(set, governing),
        }
    }

    /// The containers that are not ready before they have found their peers: the catalogue says so of their workload, or, where
    /// that is not known, they name peers as one names those whom one asks. Words alone say nothing, and a helper has no peers.
    pub fn needing_peers<'v, 'a>(
        catalogue: &Catalogue,
        set: &'v StatefulSet<'a>,
        governing: &str,
    ) -> impl Iterator<Item = &'v Container<'a>> {
        let containers = &set.spec.template.spec.containers;
        containers.iter().filter(move |container| {
            let helps = containers.len() > 1 && is_helper(&container.name);
            let names = || names_peers(container, governing, &set.metadata.name);
            !helps && needs_peers(catalogue, container, names)
        })
    }
}

/// Whether a container is not ready before it has found its peers; `names` tells whether it names any.
fn needs_peers(catalogue: &Catalogue, container: &Container<'_>, names: impl Fn() -> bool) -> bool {
    let said = Said::by(container);
    match catalogue.find(&said) {
        Match::One { workload, .. } if is_relied_on(workload, &said) => workload.ready_needs_peers,
        Match::Tag { workloads, .. } => {
            workloads.iter().all(|workload| workload.ready_needs_peers) && names()
        }
        _ => names(),
    }
}

/// Whether what is known of a workload holds for a container that says this.
fn is_relied_on(workload: &Workload, said: &Said<'_, '_>) -> bool {
    workload.confidence > Confidence::Low && !said.is_told(&workload.not_if)
}

/// The Services by which a set's manifest calls the set's own pods: `db` of `web-0.db`, `$(POD_NAME).db` or `web-{0...2}.db:80`.
#[must_use]
pub fn services_named(set: &StatefulSet<'_>, name: &str) -> BTreeSet<String> {
    let containers = set.all_containers().map(|(_, container)| container.item());
    let texts = containers.flat_map(texts).filter(|text| text.contains('.'));
    let mut services = BTreeSet::new();
    for text in texts {
        let ordinals =
            places(text, name).filter_map(|(_, after)| after_ordinal(after.strip_prefix('-')?));
        let variables = text.match_indices('$').map(|(at, _)| &text[at..]);
        let own = variables.filter_map(|text| {
            let (variable, after) = variable(text)?;
            is_pod_name(variable).then_some(after)
        });
        services.extend(ordinals.chain(own).filter_map(label));
    }
    services
}

/// What stands behind an ordinal or a placeholder for one.
fn after_ordinal(text: &str) -> Option<&str> {
    match text.as_bytes().first()? {
        b'0'..=b'9' => Some(text.trim_start_matches(|c: char| c.is_ascii_digit())),
        b'%' => text.strip_prefix("%d"),
        b'{' => Some(closed(text, '}')?.1),
        b'$' => Some(variable(text)?.1),
        _ => None,
    }
}

/// The variable with which a text begins, and what stands behind: of `$X`, `${X}` and `$(X)`.
fn variable(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('$')?;
    match text.as_bytes().first()? {
        b'(' => closed(&text[1..], ')'),
        b'{' => closed(&text[1..], '}'),
        _ => {
            let is_in = |c: char| c.is_ascii_alphanumeric() || c == '_';
            Some(text.split_at(text.find(|c| !is_in(c)).unwrap_or(text.len())))
        }
    }
}

/// What stands before and behind the next such sign, if it is near: a text may begin what it never ends, many times over.
fn closed(text: &str, sign: char) -> Option<(&str, &str)> {
    let near = &text[..text.floor_char_boundary(128)];
    let at = near.find(sign)?;
    Some((&text[..at], &text[at + 1..]))
}

/// Whether a variable, or a command in its place, is the pod's own name.
fn is_pod_name(variable: &str) -> bool {
    let variable = variable.strip_prefix("MY_").unwrap_or(variable);
    matches!(
        variable,
        "POD_NAME" | "POD" | "HOSTNAME" | "hostname" | "hostname -s"
    )
}

/// The label of a DNS name that stands behind a dot at the beginning of a text.
fn label(text: &str) -> Option<String> {
    let text = text.strip_prefix('.')?;
    let is_in = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label = &text[..text.find(|c| !is_in(c)).unwrap_or(text.len())];
    let label = label.trim_end_matches('-');
    (!label.is_empty() && !label.starts_with('-')).then(|| label.to_owned())
}

/// Whether a container names several of the set's pods, or the governing Service as a host that it connects to. One pod alone may
/// be the first one, which waits for nobody; and a Service's name by itself, or behind another (`$(POD_NAME).db`), is mostly a part
/// of the pod's own name.
fn names_peers(container: &Container<'_>, governing: &str, set: &str) -> bool {
    let mut ordinals = BTreeSet::new();
    texts(container).any(|text| {
        ordinals.extend(ordinals_in(text, set));
        let several = ordinals.len() > 1 || ordinals.contains("{") || ordinals.contains("%");
        several || hosts(text, governing, set).any(|(before, after)| is_asked(before, after))
    })
}

/// Whether one connects to the host that stands between these: behind a scheme, or with a port.
fn is_asked(before: &str, after: &str) -> bool {
    let is_domain = |c: char| c.is_ascii_alphanumeric() || "-._$(){}".contains(c);
    let port = after.trim_start_matches(is_domain).starts_with(':');
    !before.ends_with('.') && (port || before.ends_with("//"))
}

/// What a container's manifest says to its program.
fn texts<'c>(container: &'c Container<'_>) -> impl Iterator<Item = &'c str> {
    let env = container.env.iter();
    let env = env.flat_map(|variable| [&variable.name, &variable.value]);
    let words = container.command.iter().chain(&container.args);
    words.chain(env).map(|text| &**text)
}

/// Whether command, args or env of any container name the governing Service, an ordinal, or speak of peers.
fn points_at_peers(set: &StatefulSet<'_>, governing: &str) -> bool {
    let name = &*set.metadata.name;
    set.all_containers().any(|(_, container)| {
        texts(container.item()).any(|text| {
            speaks_of_peers(text)
                || hosts(text, governing, name).next().is_some()
                || ordinals_in(text, name).next().is_some()
        })
    })
}

/// Whether the text has one of the words under which programs take their peers.
fn speaks_of_peers(text: &str) -> bool {
    let text = text.to_lowercase();
    let words: Vec<_> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    words
        .iter()
        .any(|word| matches!(*word, "seed" | "seeds" | "peer" | "peers" | "join"))
        || words.windows(2).any(|pair| pair == ["initial", "cluster"])
        || words.windows(2).any(|pair| pair == ["cluster", "initial"])
}

/// Where the text has `service` as a host: what stands before and behind it, each time. A Service that is called like the set
/// counts only as a part of a DNS name or before a port: the set's name is in many texts.
fn hosts<'t>(text: &'t str, service: &str, set: &str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let outside = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
    let is_own = service != set;
    places(text, service).filter(move |(before, after)| {
        let (before, after) = (before.chars().next_back(), after.chars().next());
        let is_host = is_own || matches!(after, Some('.' | ':')) || before == Some('.');
        outside(before) && outside(after) && is_host
    })
}

/// The ordinals behind the set's name in the text: `0` of `name-0`, or the one sign with which a variable or placeholder begins.
fn ordinals_in<'t>(text: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    places(text, name).filter_map(|(_, after)| {
        let ordinal = after.strip_prefix('-')?;
        let digits = ordinal.find(|c: char| !c.is_ascii_digit());
        match digits.unwrap_or(ordinal.len()) {
            0 => ordinal.get(..1).filter(|sign| "$%{".contains(sign)),
            length => Some(&ordinal[..length]),
        }
    })
}

/// Where a name is in the text: what stands before and behind it. To look for it costs as much as it is long, and at mutating time
/// nobody has looked at its length yet.
fn places<'t>(text: &'t str, name: &str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let may_hold = (1..=text.len()).contains(&name.len());
    let found = may_hold.then(|| text.match_indices(name));
    let found = found.into_iter().flatten();
    found.map(|(start, found)| (&text[..start], &text[start + found.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(spec: &str, container: &str, publishes_unready: bool) -> bool {
        let text = format!(
            r#"{{"metadata":{{"name":"db"}},"spec":{{{spec}"template":{{"spec":{{"containers":[{container}]}}}}}}}}"#
        );
        let set = StatefulSet::parse(&text).expect("a set");
        Forming::of(&set, "db-hl", publishes_unready).has_peers
    }

    const PARALLEL: &str = r#""replicas":3,"podManagementPolicy":"Parallel","#;

    #[test]
    fn a_spec_that_points_at_peers_must_form_first() {
        for container in [
            r#"{"args":["--join=a,b"]}"#,
            r#"{"command":["sh","-c","exec etcd --initial-cluster=$X"]}"#,
            r#"{"env":[{"name":"SEED_NODES","value":"x"}]}"#,
            r#"{"env":[{"name":"HOSTS","value":"db-0.db-hl,db-1.db-hl"}]}"#,
            r#"{"env":[{"name":"HOST","value":"db-hl.default.svc"}]}"#,
            r#"{"args":["gcomm://db-hl"]}"#,
            r#"{"args":["dns_query=db-hl"]}"#,
            r#"{"args":["http://db-{0...3}.db/data"]}"#,
            r#"{"args":["--host=db-$(N)"]}"#,
            r#"{"args":["printf db-%d"]}"#,
        ] {
            for publishes in [true, false] {
                assert!(
                    forms(r#""replicas":3,"#, container, publishes),
                    "{container}"
                );
                assert!(
                    forms(r#""replicas":0,"#, container, publishes),
                    "it may become several: {container}"
                );
                assert!(
                    !forms("", container, publishes),
                    "a single pod waits for nobody: {container}"
                );
            }
            assert!(
                forms(PARALLEL, container, false),
                "no DNS name before it is ready: {container}"
            );
            assert!(!forms(PARALLEL, container, true), "{container}");
        }
    }

    #[test]
    fn the_service_of_the_set_s_own_pods_is_the_one_that_they_are_called_by() {
        for (text, service) in [
            (
                "db-0.db-internal.shop.svc.cluster.local:7000",
                Some("db-internal"),
            ),
            (
                "--initial-cluster=db-0=http://db-0.db-peer:2380,db-1=http://db-1.db-peer:2380",
                Some("db-peer"),
            ),
            ("$(POD_NAME).db-hs.shop.svc", Some("db-hs")),
            ("${HOSTNAME}.nodes", Some("nodes")),
            ("exec x --advertise $(hostname -s).nodes", Some("nodes")),
            ("http://db-{0...3}.db-hl/data", Some("db-hl")),
            ("db-$(N).db-hl", Some("db-hl")),
            ("http://db.shop.svc", None),
            ("mydb-0,x", None),
            ("db-0", None),
        ] {
            let text = format!(
                r#"{{"metadata":{{"name":"db"}},"spec":{{"template":{{"spec":{{"containers":[{{"args":["{text}"]}}]}}}}}}}}"#
            );
            let set = StatefulSet::parse(&text).expect("a set");
            let named: Vec<_> = services_named(&set, "db").into_iter().collect();
            assert_eq!(named, Vec::from_iter(service), "{text}");
        }
    }

    #[test]
    fn everything_else_does_not() {
        for container in [
            "{}",
            r#"{"args":["--adjoin","serve"]}"#,
            r#"{"env":[{"name":"NAME","value":"db"}]}"#,
            r#"{"args":["my-db-hl-2"]}"#,
        ] {
            assert!(!forms(r#""replicas":3,"#, container, false), "{container}");
        }
    }

    #[test]
    fn only_peers_that_are_named_are_needed() {
        let needs = |container: &str| {
            let text = format!(
                r#"{{"metadata":{{"name":"db"}},"spec":{{"template":{{"spec":{{"containers":[{container}]}}}}}}}}"#
            );
            let set = StatefulSet::parse(&text).expect("a set");
            let needing = Forming::needing_peers(&super::super::COMMON, &set, "db-hl");
            needing.count() == 1
        };
        for container in [
            r#"{"image":"quay.io/coreos/etcd:v3.6.1"}"#,
            r#"{"args":["--join=db-0.db-hl,db-1.db-hl"]}"#,
            r#"{"env":[{"name":"A","value":"db-0.db-hl"},{"name":"B","value":"db-1.db-hl"}]}"#,
            r#"{"args":["http://db-{0...3}.db/data"]}"#,
            r#"{"args":["--join=db-hl:7946"]}"#,
            r#"{"args":["gcomm://db-hl"]}"#,
            r#"{"env":[{"name":"JOIN","value":"db-hl.$(NAMESPACE).svc:7946"}]}"#,
            r#"{"image":"etcd","args":["--initial-cluster=db-0=http://db-0.db,db-1=http://db-1.db"]}"#,
        ] {
            assert!(needs(container), "{container}");
        }
        for container in [
            "{}",
            r#"{"args":["--join=a,b","--seeds","--peers=c"]}"#,
            r#"{"args":["--primary=db-0.db-hl"]}"#,
            r#"{"env":[{"name":"ADVERTISED","value":"$(POD_NAME).db-hl:9092"}]}"#,
            r#"{"env":[{"name":"SERVICE_NAME","value":"db-hl"}]}"#,
            r#"{"image":"prom/alertmanager","args":["--cluster.peer=db-0.db-hl:9094","--cluster.peer=db-1.db-hl:9094"]}"#,
            r#"{"args":["--me=db-${HOSTNAME##*-}"]}"#,
            r#"{"image":"redis:7","args":["--replicaof","db-0.db-hl","db-1.db-hl"]}"#,
        ] {
            assert!(!needs(container), "{container}");
        }
    }
}
