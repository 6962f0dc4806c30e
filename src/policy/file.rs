//! The YAML of a policy, read strictly: an unknown key, rule, parameter or level is an error that points at it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::{Map, Value};

use super::{PolicyError, Profile};
use crate::object::yaml::{self, Document, in_words, nearest};
use crate::rule::{Entry, FixMode, Level};
use crate::rules;
use crate::workload::{Workload, faults};

/// A `StatefulSetPolicy`, as it was written.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// What messages call the text that it is in.
    pub file: String,
    /// Its name.
    pub name: String,
    /// Where it stands among the others: the higher one wins.
    pub priority: i32,
    /// The profile that it states.
    pub profile: Option<Profile>,
    /// What it states about rules, by id.
    pub rules: BTreeMap<&'static str, Statement>,
    /// The workloads that it adds to the catalogue.
    pub workloads: Vec<Workload>,
}

/// What a policy states about one rule; what it leaves out stays as it is below.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// What happens to a finding that is left.
    #[serde(default, deserialize_with = "or_off")]
    pub level: Option<Level>,
    /// What happens to its fix before.
    #[serde(default, deserialize_with = "or_off")]
    pub fix: Option<FixMode>,
    /// Parameters, each for itself.
    #[serde(default)]
    pub params: Map<String, Value>,
}

impl PolicyFile {
    /// Reads every policy of a text; `file` is what messages call it.
    pub fn read(file: &str, text: &str) -> Result<Vec<Self>, PolicyError> {
        let documents = yaml::read(file, text).map_err(|error| PolicyError(error.to_string()))?;
        if documents.is_empty() {
            return Err(PolicyError(format!("{file}: holds no StatefulSetPolicy")));
        }
        documents
            .iter()
            .map(|document| Self::from_document(file, text, document))
            .collect()
    }

    fn from_document(file: &str, text: &str, document: &Document) -> Result<Self, PolicyError> {
        let Written { metadata, spec, .. } =
            yaml::decode(file, text, document).map_err(|error| PolicyError(error.to_string()))?;
        let error_at = |pointer: &str, message: String| {
            PolicyError(yaml::excerpt(
                file,
                text,
                document.places.nearest(pointer),
                &message,
            ))
        };
        let name = name(&metadata)
            .map_err(|(below, message)| error_at(&format!("/metadata{below}"), message))?;
        let mut stated = BTreeMap::new();
        for (id, statement) in spec.rules {
            let at = |below: &str, message: String| {
                error_at(&format!("/spec/rules/{id}{below}"), message)
            };
            let entry = rules::find(&id).ok_or_else(|| at("", unknown_rule(&id)))?;
            check_params(entry, &statement.params)
                .map_err(|(below, message)| at(&below, message))?;
            stated.insert(entry.meta.id, statement);
        }
        if let Some(fault) = faults(&spec.workloads).first() {
            let pointer = format!("/spec/workloads/{}{}", fault.index, fault.pointer);
            return Err(error_at(&pointer, fault.message.clone()));
        }
        Ok(Self {
            file: file.to_owned(),
            name,
            priority: spec.priority,
            profile: spec.profile,
            rules: stated,
            workloads: spec.workloads,
        })
    }
}

/// What the metadata of any object may hold; what else stands there is a slip.
const METADATA: &[&str] = &[
    "annotations",
    "creationTimestamp",
    "finalizers",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "uid",
];

/// The policy's name; else where below its metadata, and what is wrong.
fn name(metadata: &Map<String, Value>) -> Result<String, (String, String)> {
    if let Some(key) = metadata
        .keys()
        .find(|key| !METADATA.contains(&key.as_str()))
    {
        let meant =
            nearest(key, METADATA.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
        return Err((
            format!("/{key}"),
            format!("metadata has no `{key}`{}", meant.unwrap_or_default()),
        ));
    }
    match metadata.get("name").and_then(Value::as_str) {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err((String::new(), "a policy needs a metadata.name".to_owned())),
    }
}

/// What to say of an id that no rule has.
pub(crate) fn unknown_rule(id: &str) -> String {
    match nearest(id, rules::IDS.iter().copied()) {
        Some(rule) => format!("no rule is called `{id}`; did you mean `{rule}`?"),
        None => format!("no rule is called `{id}`; `steadfast rules` lists them"),
    }
}

/// Whether the parameters fit the rule; else where below its statement, and why not.
fn check_params(entry: &Entry, params: &Map<String, Value>) -> Result<(), (String, String)> {
    let known = (entry.defaults)();
    let known: Vec<_> = known
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect();
    if let Some(name) = params.keys().find(|name| !known.contains(&name.as_str())) {
        let expected = match (nearest(name, known.iter().copied()), known.is_empty()) {
            (_, true) => "it has none".to_owned(),
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, _) => format!("it has {}", known.join(", ")),
        };
        return Err((
            format!("/params/{name}"),
            format!("{} has no parameter `{name}`; {expected}", entry.meta.id),
        ));
    }
    (entry.configure)(&Value::Object(params.clone()))
        .map(drop)
        .map_err(|error| {
            let path = error.path().to_string();
            let error = in_words(&error.into_inner().to_string());
            match &*path {
                // Parameters that do not fit each other.
                "." => ("/params".to_owned(), error),
                path => (
                    format!("/params/{}", path.replace('.', "/")),
                    format!("{path}: {error}"),
                ),
            }
        })
}

/// A level or mode; `off` without quotes is `false` to YAML 1.1, and means `off` all the same.
fn or_off<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = match Value::deserialize(deserializer)? {
        Value::Bool(false) => Value::from("off"),
        value => value,
    };
    Option::deserialize(value).map_err(D::Error::custom)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    #[serde(rename = "apiVersion")]
    _api_version: ApiVersion,
    #[serde(rename = "kind")]
    _kind: Kind,
    #[serde(default)]
    metadata: Map<String, Value>,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
enum ApiVersion {
    #[serde(rename = "steadfast.dev/v1alpha1")]
    V1Alpha1,
}

#[derive(Deserialize)]
enum Kind {
    StatefulSetPolicy,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    priority: i32,
    profile: Option<Profile>,
    #[serde(default)]
    rules: BTreeMap<String, Statement>,
    #[serde(default)]
    workloads: Vec<Workload>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "apiVersion: steadfast.dev/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {name: x}\n";

    fn error(spec: &str) -> String {
        PolicyFile::read("p.yaml", &format!("{HEAD}{spec}"))
            .expect_err("the policy is wrong")
            .to_string()
    }

    #[test]
    fn what_is_stated_is_read() {
        let text = format!(
            "{HEAD}spec:\n  profile: strict\n  rules:\n    zero-grace-period: {{level: warn, fix: off}}\n"
        );
        let policies = PolicyFile::read("p.yaml", &text).expect("the policy is right");
        assert_eq!(policies[0].profile, Some(Profile::Strict));
        let statement = &policies[0].rules["zero-grace-period"];
        assert_eq!(
            (statement.level, statement.fix),
            (Some(Level::Warn), Some(FixMode::Off))
        );
    }

    #[test]
    fn parameters_that_do_not_fit_each_other_are_shown() {
        let error =
            error("spec:\n  rules:\n    storage-size-bounds:\n      params: {min: 2Gi, max: 1Gi}");
        assert!(error.starts_with("p.yaml:7:"), "{error}");
        assert!(
            error.contains(": min is 2Gi and max is 1Gi: no size is within these bounds"),
            "{error}"
        );
    }

    #[test]
    fn every_unknown_name_is_shown_with_the_nearest() {
        for (spec, place, words) in [
            (
                "spec: {}\n---\napiVersion: steadfast.dev/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {nme: y}",
                "p.yaml:8:12: ",
                "metadata has no `nme`; did you mean `name`?",
            ),
            (
                "spec: {profil: strict}",
                "p.yaml:4:8: ",
                "did you mean `profile`?",
            ),
            (
                "spec: {profile: strickt}",
                "p.yaml:4:8: ",
                "did you mean `strict`?",
            ),
            (
                "spec:\n  rules:\n    zero-grace: {level: warn}",
                "p.yaml:6:5: ",
                "`steadfast rules` lists them",
            ),
            (
                "spec:\n  rules:\n    zero-grace-perod: {level: warn}",
                "p.yaml:6:5: ",
                "did you mean `zero-grace-period`?",
            ),
            (
                "spec:\n  rules:\n    zero-grace-period: {level: wran}",
                "p.yaml:6:25: ",
                "did you mean `warn`?",
            ),
            (
                "spec:\n  rules:\n    zero-grace-period:\n      params: {a: 1}",
                "p.yaml:7:16: ",
                "it has none",
            ),
            (
                "spec:\n  rules:\n    missing-readiness-probe:\n      params: {periodSecond: 1}",
                "p.yaml:7:16: ",
                "did you mean `periodSeconds`?",
            ),
            (
                "spec:\n  rules:\n    missing-liveness-probe:\n      params: {killAfterSeconds: 5}",
                "p.yaml:7:16: ",
                "5 is not between 120 and 86400",
            ),
            (
                "spec: {rules: {dangling-volume-mount: {params: {storage: 8 gigs}}}}",
                "p.yaml:4:49: ",
                "`8 gigs` is not an amount",
            ),
        ] {
            let error = error(spec);
            assert!(error.starts_with(place), "{spec}: {error}");
            assert!(error.contains(words), "{spec}: {error}");
        }
    }

    #[test]
    fn another_kind_is_no_policy() {
        let error = PolicyFile::read("p.yaml", "apiVersion: v1\nkind: ConfigMap\n")
            .expect_err("no policy")
            .to_string();
        assert!(
            error.contains("unknown variant `v1`, expected `steadfast.dev/v1alpha1`"),
            "{error}"
        );
        let error = PolicyFile::read("p.yaml", "# nothing\n")
            .expect_err("no policy")
            .to_string();
        assert_eq!(error, "p.yaml: holds no StatefulSetPolicy");
    }
}
