//! What an injected claim template came with: its mounts and its environment. Together they are one unit, since a template
//! without its mount is a pod that writes to its own layer.

use super::record::{Entry, Record};
use super::view::{Container, StatefulSet};
use super::{At, Mount, Path};

/// A mount or an environment variable that was injected with a claim template.
#[derive(Clone, Copy, Debug)]
pub struct Part<'r> {
    /// What the record says of it.
    pub entry: &'r Entry,
    /// The container that it is in.
    pub container: &'r str,
    kind: Kind<'r>,
    /// The record that it stands in.
    record: &'r Record,
}

#[derive(Clone, Copy, Debug)]
enum Kind<'r> {
    Mount {
        volume: &'r str,
        at: &'r str,
        within: &'r str,
    },
    Env {
        name: &'r str,
        value: &'r str,
    },
}

/// How a part fares in a set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It is there.
    Held,
    /// It is gone, and there is room for it: the end of this list.
    Missing(Path),
    /// Something that the user wrote has its place; what.
    Displaced(String),
    /// Another container of the user's mounts the claim as it was.
    Taken,
}

/// The parts that a record names beside claim templates.
pub fn parts(record: &Record) -> impl Iterator<Item = Part<'_>> {
    record
        .injected
        .iter()
        .filter_map(|entry| Part::of(entry, record))
}

impl<'r> Part<'r> {
    fn of(entry: &'r Entry, record: &'r Record) -> Option<Self> {
        let container = entry.container.as_deref()?;
        let text = |key: &str| entry.value.get(key).and_then(serde_json::Value::as_str);
        let kind = match entry.path.rsplit_once("].")?.1.split_once('[')?.0 {
            "volumeMounts" => Kind::Mount {
                volume: text("name")?,
                at: text("mountPath")?,
                within: text("subPath").unwrap_or_default(),
            },
            "env" => Kind::Env {
                name: text("name")?,
                value: text("value").unwrap_or_default(),
            },
            _ => return None,
        };
        let mut others = record.injected.iter();
        let brought_a_claim =
            others.any(|other| other.rule == entry.rule && other.claim().is_some());
        brought_a_claim.then_some(Self {
            entry,
            container,
            kind,
            record,
        })
    }

    /// What findings call it: `mount of data`, `env PGDATA`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.kind {
            Kind::Mount { volume, .. } => format!("mount of {volume}"),
            Kind::Env { name, .. } => format!("env {name}"),
        }
    }

    /// How the part fares in this set.
    #[must_use]
    pub fn standing(&self, set: &StatefulSet<'_>) -> Standing {
        let mut containers = set.all_containers().map(|(_, container)| container);
        let container = containers.find(|container| *container.name == *self.container);
        match self.kind {
            Kind::Mount { volume, at, within } => self.mount(set, container, (volume, at, within)),
            Kind::Env { name, value } => self.env(set, container, (name, value)),
        }
    }

    fn mount(
        &self,
        set: &StatefulSet<'_>,
        container: Option<At<'_, Container<'_>>>,
        (volume, at, within): (&str, &str, &str),
    ) -> Standing {
        let place = |path: &str| path.trim_end_matches('/').to_owned();
        let mounts = container
            .iter()
            .flat_map(|container| container.item().volume_mounts.iter());
        if let Some(there) = mounts
            .into_iter()
            .find(|mount| place(&mount.mount_path) == place(at))
        {
            let same =
                there.name == volume && there.sub_path == within && there.sub_path_expr.is_empty();
            return match same {
                true => Standing::Held,
                false if there.name == volume => Standing::Displaced(format!(
                    "container {} mounts another folder of {volume} at {at}",
                    self.container
                )),
                false => Standing::Displaced(format!(
                    "container {} mounts {:?} at {at}, where {volume} was",
                    self.container, &*there.name
                )),
            };
        }
        let elsewhere = set.mounts().filter(|mount| mount.volume == volume);
        let elsewhere: Vec<_> = elsewhere.collect();
        if !elsewhere.is_empty() {
            return if elsewhere
                .iter()
                .any(|mount| is_so_mounted(mount, at, within))
            {
                Standing::Taken
            } else {
                Standing::Displaced(format!(
                    "{volume} is mounted at another place than {at}, where the data is read"
                ))
            };
        }
        match container {
            Some(container) => Standing::Missing(container.path().key("volumeMounts")),
            None => Standing::Displaced(format!(
                "container {}, which mounted {volume} at {at}, is gone, and none mounts it",
                self.container
            )),
        }
    }

    fn env(
        &self,
        set: &StatefulSet<'_>,
        container: Option<At<'_, Container<'_>>>,
        (name, value): (&str, &str),
    ) -> Standing {
        // It tells the program where the mount is; without the mount it is the user's again.
        let mut mounts = parts(self.record).filter(|part| {
            part.container == self.container
                && part.entry.rule == self.entry.rule
                && matches!(part.kind, Kind::Mount { .. })
        });
        let Some(container) = container.filter(|_| {
            mounts.any(|mount| matches!(mount.standing(set), Standing::Held | Standing::Missing(_)))
        }) else {
            return Standing::Taken;
        };
        match container.item().env.iter().find(|env| env.name == name) {
            Some(there) if there.value == value => Standing::Held,
            Some(there) => Standing::Displaced(format!(
                "container {} sets {name} to {:?}, where the data was in {value:?}",
                self.container, &*there.value
            )),
            None => Standing::Missing(container.path().key("env")),
        }
    }
}

/// Whether another container mounts it as it was: the one that had it was renamed.
fn is_so_mounted(mount: &Mount<'_, '_>, at: &str, within: &str) -> bool {
    mount.mount.is_some_and(|mount| {
        let place = mount.mount_path.trim_end_matches('/') == at.trim_end_matches('/');
        place && mount.sub_path == *within && mount.sub_path_expr.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::record::Carried;
    use super::*;

    fn record() -> Record {
        let entry = |path: &str, value: Value| json!({"rule": "r", "container": "db", "path": path, "value": value});
        let text = json!({"version": 1, "injected": [
            {"rule": "r", "path": "spec.volumeClaimTemplates[data]", "value": {"metadata": {"name": "data"}}},
            entry("spec.template.spec.containers[db].volumeMounts[data]", json!({"name": "data", "mountPath": "/d", "subPath": "s"})),
            entry("spec.template.spec.containers[db].env[PGDATA]", json!({"name": "PGDATA", "value": "/d/x"})),
            entry("spec.template.spec.containers[db].readinessProbe", json!({"name": "x"})),
        ]});
        match Record::read(Some(&text.to_string())) {
            Carried::Record(record) => record,
            other => panic!("{other:?}"),
        }
    }

    fn standings(containers: &Value) -> Vec<Standing> {
        let text = json!({"spec": {"template": {"spec": {"containers": containers}}}}).to_string();
        let set = StatefulSet::parse(&text).expect("a set");
        parts(&record()).map(|part| part.standing(&set)).collect()
    }

    #[test]
    fn what_is_there_is_held() {
        let held = standings(
            &json!([{"name": "db", "env": [{"name": "PGDATA", "value": "/d/x"}],
            "volumeMounts": [{"name": "data", "mountPath": "/d/", "subPath": "s"}]}]),
        );
        assert_eq!(held, [Standing::Held, Standing::Held]);
    }

    #[test]
    fn what_is_gone_has_a_list_to_go_to() {
        let place = |list: &'static str| {
            let containers = Path::of(&["spec", "template", "spec", "containers"]);
            Standing::Missing(containers.item(0, Some("db".into())).key(list))
        };
        assert_eq!(
            standings(&json!([{"name": "db"}])),
            [place("volumeMounts"), place("env")]
        );
    }

    #[test]
    fn another_thing_in_its_place_displaces_it() {
        for containers in [
            json!([{"name": "db", "volumeMounts": [{"name": "other", "mountPath": "/d"}]}]),
            json!([{"name": "db", "volumeMounts": [{"name": "data", "mountPath": "/d"}]}]),
            json!([{"name": "renamed"}]),
        ] {
            let standings = standings(&containers);
            assert!(
                matches!(standings[0], Standing::Displaced(_)),
                "{containers}: {standings:?}"
            );
            assert_eq!(standings[1], Standing::Taken, "{containers}");
        }
        let moved = standings(&json!([{"name": "db", "env": [{"name": "PGDATA", "value": "/e"}]}]));
        assert!(matches!(moved[1], Standing::Displaced(_)), "{moved:?}");
    }

    #[test]
    fn a_renamed_container_may_mount_the_claim_as_it_was_and_in_no_other_way() {
        let mounts =
            |mount: Value| standings(&json!([{"name": "renamed", "volumeMounts": [mount]}]));
        let same = mounts(json!({"name": "data", "mountPath": "/d", "subPath": "s"}));
        assert_eq!(same, [Standing::Taken, Standing::Taken]);
        for other in [
            json!({"name": "data", "mountPath": "/e", "subPath": "s"}),
            json!({"name": "data", "mountPath": "/d"}),
        ] {
            let standings = mounts(other);
            assert!(
                matches!(standings[0], Standing::Displaced(_)),
                "{standings:?}"
            );
        }
        let moved = standings(
            &json!([{"name": "db", "volumeMounts": [{"name": "data", "mountPath": "/"}]}]),
        );
        assert!(matches!(moved[0], Standing::Displaced(_)), "{moved:?}");
    }
}
