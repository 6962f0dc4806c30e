//! Asks the webhooks, one after the other, as a cluster does.

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use json_patch::Patch;
use serde::Deserialize;
use serde_json::Value;

use super::format::PhaseName;
use super::request::Request;
use crate::admission::Phase;
use crate::engine::{Judged, Outcome};

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

/// Asks both webhooks, or the one of `phase`.
pub(super) fn both(request: &Request, phase: Option<PhaseName>, ask: &Ask<'_>) -> Result<Ran> {
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

/// A patch in messages.
pub(super) fn text(patch: &Patch) -> String {
    serde_json::to_string(patch).expect("a patch is JSON")
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
    pub(super) fn read(body: &[u8], judged: Vec<Judged>) -> Result<Self> {
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
