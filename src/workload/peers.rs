//! Whether the pods of a set must find each other before they can be ready.

use crate::object::view::StatefulSet;

/// Whether a probe could keep the set from forming: its pods start one after the other, each waiting until the one before
/// is ready, and its own spec points at peers that it may need for that.
pub(super) fn must_form_first(set: &StatefulSet<'_>) -> bool {
    set.spec.replicas > 1
        && set.spec.pod_management_policy == "OrderedReady"
        && points_at_peers(set)
}

/// Whether command, args or env of any container name the governing Service, an ordinal, or speak of peers.
fn points_at_peers(set: &StatefulSet<'_>) -> bool {
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
                    || names_host(text, &set.spec.service_name)
                    || names_ordinal(text, &set.metadata.name)
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

/// Whether the text has `service` as the host or a part of a DNS name: `service.`, `.service`, `service:`.
fn names_host(text: &str, service: &str) -> bool {
    !service.is_empty()
        && text.match_indices(service).any(|(start, found)| {
            let (before, after) = (
                text[..start].chars().next_back(),
                text[start + found.len()..].chars().next(),
            );
            let outside =
                |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
            outside(before)
                && outside(after)
                && (matches!(after, Some('.' | ':')) || before == Some('.'))
        })
}

/// Whether the text has the name of one of the set's pods: `name-0`, or `name-` before a variable.
fn names_ordinal(text: &str, name: &str) -> bool {
    !name.is_empty()
        && text.match_indices(name).any(|(start, found)| {
            let mut rest = text[start + found.len()..].chars();
            rest.next() == Some('-') && rest.next().is_some_and(|c| c.is_ascii_digit() || c == '$')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(spec: &str, container: &str) -> bool {
        let text = format!(
            r#"{{"metadata":{{"name":"db"}},"spec":{{"serviceName":"db-peers",{spec}"template":{{"spec":{{"containers":[{container}]}}}}}}}}"#
        );
        must_form_first(&StatefulSet::parse(&text).expect("a set"))
    }

    #[test]
    fn a_spec_that_points_at_peers_must_form_first() {
        for container in [
            r#"{"args":["--join=a,b"]}"#,
            r#"{"command":["sh","-c","exec etcd --initial-cluster=$X"]}"#,
            r#"{"env":[{"name":"SEED_NODES","value":"x"}]}"#,
            r#"{"env":[{"name":"HOSTS","value":"db-0.db-peers,db-1.db-peers"}]}"#,
            r#"{"env":[{"name":"HOST","value":"db-peers.default.svc"}]}"#,
            r#"{"args":["--host=db-$(N)"]}"#,
        ] {
            assert!(forms(r#""replicas":3,"#, container), "{container}");
            assert!(
                !forms("", container),
                "a single pod waits for nobody: {container}"
            );
            assert!(
                !forms(
                    r#""replicas":3,"podManagementPolicy":"Parallel","#,
                    container
                ),
                "{container}"
            );
        }
    }

    #[test]
    fn everything_else_does_not() {
        for container in [
            "{}",
            r#"{"args":["--adjoin","serve"]}"#,
            r#"{"env":[{"name":"NAME","value":"db"}]}"#,
        ] {
            assert!(!forms(r#""replicas":3,"#, container), "{container}");
        }
    }
}
