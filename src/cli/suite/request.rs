//! The question of a test: the body that the API server would send.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use super::format::{Operation, Source, Test};
use crate::cli::input;
use crate::cluster::DEFAULT_NAMESPACE;
use crate::object::yaml;

/// The number of every question that is made here; answers repeat it.
const UID: &str = "00000000-0000-4000-8000-000000000000";

/// A question.
pub(super) struct Request {
    /// The whole review.
    pub(super) review: Value,
    /// It as text: of a file that is JSON, the very text.
    pub(super) text: String,
}

impl Request {
    pub(super) fn of(test: &Test, folder: &Path) -> Result<Self> {
        match &test.review {
            Some(file) => Self::read(&folder.join(file)),
            None => Ok(Self::new(review(test, folder)?)),
        }
    }

    pub(super) fn new(review: Value) -> Self {
        let text = review.to_string();
        Self { review, text }
    }

    fn read(file: &Path) -> Result<Self> {
        let text = input::text(file)?;
        if let Ok(review) = serde_json::from_str(&text) {
            return Ok(Self { review, text });
        }
        let documents = yaml::read(&file.display().to_string(), &text)?;
        match <[_; 1]>::try_from(documents) {
            Ok([document]) => Ok(Self::new(document.value)),
            Err(documents) => bail!(
                "{} holds {} documents; a review is one",
                file.display(),
                documents.len()
            ),
        }
    }

    /// The set that is to be stored; null on DELETE.
    pub(super) fn object(&self) -> &Value {
        &self.review["request"]["object"]
    }

    /// The set that is stored; null on CREATE.
    pub(super) fn old_object(&self) -> &Value {
        &self.review["request"]["oldObject"]
    }

    pub(super) fn namespace(&self) -> &str {
        let namespace = self.review["request"]["namespace"].as_str();
        namespace.unwrap_or_default()
    }

    pub(super) fn is_update(&self) -> bool {
        self.review["request"]["operation"] == "UPDATE"
    }

    /// The same question about another set.
    pub(super) fn about(&self, object: Value) -> Self {
        let mut review = self.review.clone();
        review["request"]["object"] = object;
        Self::new(review)
    }

    /// The question that the validating webhook gets about what the mutating one left: the API server has made the name
    /// by then.
    pub(super) fn validating(&self, object: &Value) -> Self {
        let mut object = object.clone();
        let named = object["metadata"]["name"]
            .as_str()
            .is_some_and(|name| !name.is_empty());
        if let (false, Some(stem)) = (named, object["metadata"]["generateName"].as_str()) {
            object["metadata"]["name"] = format!("{stem}00000").into();
        }
        self.about(object)
    }
}

/// A review made around manifests.
fn review(test: &Test, folder: &Path) -> Result<Value> {
    let object = test.object.as_ref();
    let object = object.map(|source| set(source, folder)).transpose()?;
    let old = test.old_object.as_ref();
    let old = old.map(|source| set(source, folder)).transpose()?;
    let any = object.as_ref().or(old.as_ref()).unwrap_or(&Value::Null);
    let metadata = &any["metadata"];
    let operation = test.operation.unwrap_or(match (&object, &old) {
        (Some(_), Some(_)) => Operation::Update,
        (None, Some(_)) => Operation::Delete,
        (_, None) => Operation::Create,
    });
    let options = match operation {
        Operation::Create => "CreateOptions",
        Operation::Update => "UpdateOptions",
        Operation::Delete => "DeleteOptions",
    };
    let namespace = test.namespace.as_deref();
    let namespace = namespace.or_else(|| metadata["namespace"].as_str());
    let user = test.user_info.clone().unwrap_or_else(|| {
        let groups = json!(["system:masters", "system:authenticated"]);
        Map::from_iter([
            ("username".to_owned(), "admin".into()),
            ("groups".to_owned(), groups),
        ])
    });
    let kind = json!({"group": "apps", "version": "v1", "kind": "StatefulSet"});
    let resource = json!({"group": "apps", "version": "v1", "resource": "statefulsets"});
    let mut request = json!({
        "uid": UID,
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": metadata["name"],
        "namespace": namespace.unwrap_or(DEFAULT_NAMESPACE),
        "operation": operation.as_str(),
        "userInfo": user,
        "object": object,
        "oldObject": old,
        "dryRun": test.dry_run.unwrap_or_default(),
        "options": {"kind": options, "apiVersion": "meta.k8s.io/v1"},
    });
    if let Some(request) = request
        .as_object_mut()
        .filter(|_| metadata["name"].is_null())
    {
        // The API server has no name yet, and sends none.
        request.shift_remove("name");
    }
    Ok(json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}))
}

/// Why a test's manifests do not fit what is done to them.
pub(super) fn misfit(test: &Test, operation: Operation) -> Option<String> {
    let given = (test.object.is_some(), test.old_object.is_some());
    let needs = match operation {
        Operation::Create => (true, false),
        Operation::Update => (true, true),
        Operation::Delete => (false, true),
    };
    let spelt = match operation {
        Operation::Create => "`object` alone",
        Operation::Update => "`object` and `oldObject`",
        Operation::Delete => "`oldObject` alone",
    };
    (given != needs).then(|| format!("{} is about {spelt}", operation.as_str()))
}

/// The set in a file, or the one given.
fn set(source: &Source<Map<String, Value>>, folder: &Path) -> Result<Value> {
    let file = match source {
        Source::Inline(object) => return Ok(Value::Object(object.clone())),
        Source::File(file) => folder.join(file),
    };
    let name = file.display().to_string();
    let sets: Vec<_> = input::objects(&[file])?
        .into_iter()
        .filter(input::Object::is_stateful_set)
        .collect();
    match <[_; 1]>::try_from(sets) {
        Ok([set]) => Ok(set.value),
        Err(sets) => Err(anyhow::anyhow!(
            "{name} holds {} StatefulSets (apps/v1); a test is about one",
            sets.len()
        )),
    }
    .context("cannot judge it")
}
