//! Whether the pods of a set must find each other before they can be ready.

use crate::object::view::StatefulSet;

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
}

/// Whether command, args or env of any container name the governing Service, an ordinal, or speak of peers.
fn points_at_peers(set: &StatefulSet<'_>, governing: &str) -> bool {
    let name = &*set.metadata.name;
    set.all_containers().any(|(_, container)| {
        let container = container.item();
        let env = container
            .env
            .iter()
            .flat_map(|variable| [&variable.name, &variable.value]);
        container
            .command
            .iter()
            .chain(&container.args)
            .chain(env)
            .any(|text| {
                speaks_of_peers(text)
                    || names_host(text, governing, name)
                    || names_ordinal(text, name)
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

/// Whether the text has `service` as a host. A Service that is called like the set counts only as a part of a DNS name or
/// before a port: the set's name is in many texts.
fn names_host(text: &str, service: &str, set: &str) -> bool {
    let outside = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
    may_hold(text, service)
        && text.match_indices(service).any(|(start, found)| {
            let before = text[..start].chars().next_back();
            let after = text[start + found.len()..].chars().next();
            let is_host = service != set || matches!(after, Some('.' | ':')) || before == Some('.');
            outside(before) && outside(after) && is_host
        })
}

/// Whether it is worth looking for a name: that costs as much as the name is long, and at mutating time nobody has looked at
/// its length yet.
fn may_hold(text: &str, name: &str) -> bool {
    (1..=text.len()).contains(&name.len())
}

/// Whether the text has the name of one of the set's pods: `name-0`, or `name-` before a variable or placeholder.
fn names_ordinal(text: &str, name: &str) -> bool {
    may_hold(text, name)
        && text.match_indices(name).any(|(start, found)| {
            let mut rest = text[start + found.len()..].chars();
            rest.next() == Some('-')
                && rest
                    .next()
                    .is_some_and(|c| c.is_ascii_digit() || "$%{".contains(c))
        })
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
}
