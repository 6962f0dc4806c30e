//! Runs a test: both webhooks, one after the other, as a cluster calls them.

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use json_patch::Patch;
use serde::Deserialize;
use serde_json::Value;

use super::format::{Paths, PhaseName, Test};
use super::request::Request;
use super::{Failure, Goldens, Suite, expect, laws};
use crate::admission::{self, Phase};
use crate::cli::input;
use crate::cluster::Unseen;
use crate::engine::{Judged, Outcome};
use crate::object::yaml::Place;
use crate::rule::ClusterView;

/// A test of a suite.
pub(in crate::cli) struct Case<'s> {
    pub(super) suite: &'s Suite,
    pub(super) index: usize,
    pub(super) test: &'s Test,
}

/// How a test ended.
pub(in crate::cli) enum Ended {
    Passed,
    Failed(Vec<Failure>),
    Skipped(String),
}

/// The answer of one webhook.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) allowed: bool,
    pub(super) denial: Option<String>,
    pub(super) patch: Patch,
    pub(super) warnings: Vec<String>,
    pub(super) audit_annotations: Vec<(String, String)>,
    pub(super) judged: Vec<Judged>,
}

/// What came of a question.
#[derive(Debug)]
pub(super) struct Ran {
    /// The verdict of the webhooks that were asked, taken together.
    pub(super) verdict: Answer,
    /// The set after mutation; or why the patch does not apply.
    pub(super) patched: Result<Value, String>,
    /// What the validating webhook would change.
    pub(super) patch_of_validate: Patch,
}

/// Asks one of the webhooks.
pub(super) type Ask<'a> = dyn Fn(Phase, &str) -> Result<Answer> + 'a;

impl<'s> Case<'s> {
    pub(super) fn new(suite: &'s Suite, index: usize, test: &'s Test) -> Self {
        Self { suite, index, test }
    }

    /// The suite's file.
    pub(in crate::cli) fn file(&self) -> &'s str {
        &self.suite.file
    }

    pub(in crate::cli) fn name(&self) -> &'s str {
        &self.test.name
    }

    /// The place of a part of the test in the suite's text.
    pub(in crate::cli) fn place(&self, below: &str) -> Place {
        self.suite
            .places
            .nearest(&format!("/tests/{}{below}", self.index))
    }

    /// Runs it; an error is one of the suite, not of the policy.
    pub(in crate::cli) fn run(&self, goldens: &mut Goldens) -> Result<Ended> {
        if let Some(reason) = &self.test.skip {
            return Ok(Ended::Skipped(reason.clone()));
        }
        let failures = self.judge(goldens).with_context(|| {
            let Place { line, column } = self.place("");
            format!("{}:{line}:{column}: {}", self.file(), self.name())
        })?;
        Ok(if failures.is_empty() {
            Ended::Passed
        } else {
            Ended::Failed(failures)
        })
    }

    fn judge(&self, goldens: &mut Goldens) -> Result<Vec<Failure>> {
        let policy = self
            .test
            .policy
            .as_ref()
            .unwrap_or(&self.suite.written.policy);
        let policies = input::policies(&self.paths(policy))?;
        let cluster: Box<dyn ClusterView> = match &self.test.cluster {
            None => Box::new(Unseen),
            Some(paths) => Box::new(input::cluster(&input::objects(&self.paths(paths))?, true)?),
        };
        let ask = |phase, text: &str| {
            let answer = admission::handle(phase, &policies, cluster.as_ref(), text.as_bytes())?;
            Answer::read(&answer.body, answer.judged)
        };
        let request = Request::of(self.test, &self.suite.folder)?;
        let ran = run(&request, self.test.phase, &ask)?;
        let mut failures: Vec<_> = laws::broken(&request, &ran, self.test.phase, &ask)?
            .into_iter()
            .map(|broken| Failure {
                place: self.place(""),
                what: broken.law.to_owned(),
                expected: "holds for every test".to_owned(),
                found: broken.found,
                diff: None,
            })
            .collect();
        failures.extend(expect::unmet(self, &request, &ran, goldens)?);
        Ok(failures)
    }

    fn paths(&self, paths: &Paths) -> Vec<PathBuf> {
        let folder = &self.suite.folder;
        paths.0.iter().map(|path| folder.join(path)).collect()
    }
}

/// Asks both webhooks, or the one of `phase`.
fn run(request: &Request, phase: Option<PhaseName>, ask: &Ask<'_>) -> Result<Ran> {
    let mut ran = Ran {
        verdict: Answer {
            allowed: true,
            ..Answer::default()
        },
        patched: Ok(request.object().clone()),
        ..Ran::default()
    };
    if phase != Some(PhaseName::Validate) {
        ran.verdict = ask(Phase::Mutate, &request.text)?;
        ran.patched = applied(request.object(), &ran.verdict.patch);
    }
    // Whom the mutating webhook denies, the validating one never sees.
    if phase != Some(PhaseName::Mutate) && ran.verdict.allowed {
        let untouched = phase == Some(PhaseName::Validate) || request.object().is_null();
        let left = match &ran.patched {
            Ok(patched) if !untouched => ask(Phase::Validate, &request.validating(patched).text)?,
            _ => ask(Phase::Validate, &request.text)?,
        };
        ran.add(left);
    }
    Ok(ran)
}

/// The object with the patch applied.
pub(super) fn applied(object: &Value, patch: &Patch) -> Result<Value, String> {
    let mut patched = object.clone();
    match json_patch::patch(&mut patched, patch) {
        Ok(()) => Ok(patched),
        Err(error) => Err(error.to_string()),
    }
}

impl Default for Ran {
    fn default() -> Self {
        Self {
            verdict: Answer::default(),
            patched: Ok(Value::Null),
            patch_of_validate: Patch::default(),
        }
    }
}

impl Ran {
    /// Adds the answer of the validating webhook. What both say of one defect counts once.
    fn add(&mut self, left: Answer) {
        let verdict = &mut self.verdict;
        let identity = |judged: &Judged| {
            let finding = &judged.finding;
            (
                judged.rule,
                finding.container.clone(),
                finding.subject.clone(),
            )
        };
        let again: Vec<_> = left.judged.iter().map(identity).collect();
        verdict.judged.retain(|judged| {
            judged.outcome == Outcome::Injected || !again.contains(&identity(judged))
        });
        verdict.judged.extend(left.judged);
        verdict.allowed = left.allowed;
        verdict.denial = left.denial;
        verdict.warnings.extend(left.warnings);
        verdict.audit_annotations.extend(left.audit_annotations);
        self.patch_of_validate = left.patch;
    }
}

impl Answer {
    /// Reads the body as the API server would.
    fn read(body: &[u8], judged: Vec<Judged>) -> Result<Self> {
        #[derive(Deserialize)]
        struct Review {
            response: Response,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Response {
            allowed: bool,
            status: Option<Status>,
            patch: Option<String>,
            #[serde(default)]
            warnings: Vec<String>,
            #[serde(default)]
            audit_annotations: serde_json::Map<String, Value>,
        }
        #[derive(Deserialize)]
        struct Status {
            message: String,
        }
        let Review { response } =
            serde_json::from_slice(body).context("the answer is no review")?;
        let patch = match response.patch {
            None => Patch::default(),
            Some(text) => serde_json::from_slice(&STANDARD.decode(text)?)
                .map_err(|error| anyhow!("the answer's patch is none: {error}"))?,
        };
        let annotations = response.audit_annotations.into_iter();
        Ok(Self {
            allowed: response.allowed,
            denial: response.status.map(|status| status.message),
            patch,
            warnings: response.warnings,
            audit_annotations: annotations
                .map(|(key, value)| (key, value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            judged,
        })
    }
}
