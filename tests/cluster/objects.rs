//! Objects as JSON: as a manifest has them, as the API server has them, and how they differ.

use anyhow::{Context as _, Result, bail, ensure};
use axum::http::Request;
use serde_json::Value;
use steadfast::object::{record, yaml};

use crate::eventually::{SOON, eventually};
use crate::invocation::Output;
use crate::namespace::Namespace;

/// The only document of a text.
pub(crate) fn parse(text: &str) -> Result<Value> {
    let mut documents = documents(text)?;
    ensure!(documents.len() == 1, "{} documents", documents.len());
    documents.pop().context("no document")
}

pub(crate) fn documents(text: &str) -> Result<Vec<Value>> {
    let documents = yaml::read("manifest", text)?;
    Ok(documents
        .into_iter()
        .map(|document| document.value)
        .collect())
}

/// The set exactly as the API server has it, also what our types do not know.
pub(crate) fn stored(namespace: &Namespace<'_>, set: &str) -> Result<Value> {
    let name = namespace.name();
    let request = Request::get(format!(
        "/apis/apps/v1/namespaces/{name}/statefulsets/{set}"
    ));
    let cluster = namespace.cluster();
    let answer = cluster.block_on(cluster.client().request(request.body(Vec::new())?));
    answer.with_context(|| format!("cannot read {set}"))
}

pub(crate) fn ensure_nothing_stored(namespace: &Namespace<'_>) -> Result<()> {
    let sets = namespace.kubectl(&["get", "statefulsets", "--output=name"]);
    let sets = sets.succeed()?.stdout;
    ensure!(sets.is_empty(), "stored: {sets}");
    Ok(())
}

/// What the set's record says; `Null` without one.
pub(crate) fn record_of(set: &Value) -> Result<Value> {
    let annotations = &set["metadata"]["annotations"];
    match &annotations[record::ANNOTATION] {
        Value::Null => Ok(Value::Null),
        Value::String(text) => Ok(serde_json::from_str(text)?),
        other => bail!("no text: {other}"),
    }
}

/// The warnings of kubectl and Helm, without what each puts around them.
pub(crate) fn warnings(output: &Output) -> Vec<String> {
    let line = |line: &str| {
        let (_, warning) = line.split_once("Warning: ")?;
        Some(warning.trim_end_matches('"').replace("\\\"", "\""))
    };
    output.stderr.lines().filter_map(line).collect()
}

pub(crate) fn ensure_equal(what: &str, actual: &Value, wanted: &Value) -> Result<()> {
    let difference = || json_patch::diff(wanted, actual);
    ensure!(
        actual == wanted,
        "{what}: too much or wrong: {}",
        difference()
    );
    Ok(())
}

/// A write that meets one of the controller's is repeated, as any client would; it must succeed then.
pub(crate) fn write(run: impl Fn() -> Result<Output>) -> Result<Output> {
    let output = undisturbed(run)?;
    ensure!(output.status.success(), "{output}");
    Ok(output)
}

/// The same of a write that may be refused.
pub(crate) fn undisturbed(run: impl Fn() -> Result<Output>) -> Result<Output> {
    eventually(SOON, "no other write comes between", || {
        let output = run()?;
        let conflict =
            output.stderr.contains("(Conflict)") || output.stderr.contains("has been modified");
        ensure!(!conflict, "{output}");
        Ok(output)
    })
}
