//! Runs a test, and holds the answers against what it expects and against the laws.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::asked::{self, Answer};
use super::case::{Case, Ended};
use super::request::Request;
use super::{Failure, Goldens, expect, laws};
use crate::admission;
use crate::cli::input;
use crate::cluster::{Manifests, Unseen};
use crate::object::yaml::Place;
use crate::rule::ClusterView;

/// Runs a test; an error is one of the suite, not of the policy.
pub(in crate::cli) fn run(case: &Case<'_>, goldens: &mut Goldens) -> Result<Ended> {
    if let Some(reason) = &case.test.skip {
        return Ok(Ended::Skipped(reason.clone()));
    }
    let failures = judge(case, goldens).with_context(|| {
        let Place { line, column } = case.place("");
        format!("{}:{line}:{column}: {}", case.file(), case.name())
    })?;
    Ok(if failures.is_empty() {
        Ended::Passed
    } else {
        Ended::Failed(failures)
    })
}

fn judge(case: &Case<'_>, goldens: &mut Goldens) -> Result<Vec<Failure>> {
    let policy = case
        .test
        .policy
        .as_ref()
        .unwrap_or(&case.suite.written.policy);
    let policies = input::policies(&case.paths(policy))?;
    let request = Request::of(case.test, &case.suite.folder)?;
    let cluster = cluster(case, &request)?;
    let ask = |phase, text: &str| {
        let answer = admission::handle(phase, &policies, cluster.as_ref(), text.as_bytes())?;
        Answer::read(&answer.body, answer.judged)
    };
    let ran = asked::both(&request, case.test.phase, &ask)?;
    let mut failures: Vec<_> = laws::broken(&request, &ran, case.test.phase, &ask)?
        .into_iter()
        .map(|broken| Failure {
            place: case.place(""),
            what: broken.law.to_owned(),
            expected: "holds for every test".to_owned(),
            found: broken.found,
            diff: None,
        })
        .collect();
    failures.extend(expect::unmet(case, &request, &ran, goldens)?);
    Ok(failures)
}

/// What else is in the cluster; without a word on that nothing is known but the namespace's labels.
fn cluster(case: &Case<'_>, request: &Request) -> Result<Box<dyn ClusterView>> {
    let labels = case.test.namespace_labels.as_ref();
    let namespace = labels.map(|labels| {
        let name = request.namespace();
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    });
    let mut view = match (&case.test.cluster, &namespace) {
        (None, None) => return Ok(Box::new(Unseen)),
        (None, Some(_)) => Manifests::new(false),
        (Some(paths), _) => input::cluster(&input::objects(&case.paths(paths))?, true)?,
    };
    if let Some(namespace) = namespace {
        view.add(&namespace, request.namespace())?;
    }
    Ok(Box::new(view))
}
