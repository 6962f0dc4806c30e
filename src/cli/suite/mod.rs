//! Policy unit tests: suites of questions to the webhooks, and of what is expected of the answers.

mod asked;
mod case;
mod expect;
mod format;
mod golden;
mod laws;
mod planted;
mod request;
mod run;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use self::format::{PhaseName, Test, Written};
use super::input;
use crate::object::yaml::{self, Place, Places};
use crate::report::diff::Diff;

pub(super) use case::{Case, Ended};
pub(super) use golden::Goldens;
pub(super) use run::run;

/// A suite, read.
#[derive(Debug)]
pub(super) struct Suite {
    /// Its file, as messages call it.
    file: String,
    /// The folder that its paths start from.
    folder: PathBuf,
    written: Written,
    places: Places,
}

/// An expectation that was not met.
#[derive(Debug)]
pub(super) struct Failure {
    /// Where the expectation stands in the suite; the test's place for what holds unasked.
    pub(super) place: Place,
    /// What was looked at, such as `findings[0]`.
    pub(super) what: String,
    pub(super) expected: String,
    pub(super) found: String,
    /// Instead of the two, where they are long.
    pub(super) diff: Option<Diff>,
}

/// The suites at these paths: a file is one, a folder is searched for them.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<Suite>> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = path
            .metadata()
            .with_context(|| format!("cannot read {}", path.display()))?;
        if !metadata.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        input::walk(path, &mut |file| {
            if is_suite(file) {
                files.push(file.to_owned());
            }
        })?;
        if files.len() == before {
            bail!(
                "{} holds no suite: no file called suite.yaml or *.suite.yaml",
                path.display()
            );
        }
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    files.iter().map(|file| Suite::read(file)).collect()
}

fn is_suite(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name == "suite.yaml" || name.ends_with(".suite.yaml")
}

impl Suite {
    fn read(path: &Path) -> Result<Self> {
        let path = path.strip_prefix(".").unwrap_or(path);
        let file = path.display().to_string();
        let text = input::text(path)?;
        let documents = yaml::read(&file, &text)?;
        let [document] = &*documents else {
            bail!(
                "{file}: holds {} documents; a suite is one",
                documents.len()
            )
        };
        let written: Written = yaml::decode(&file, &text, document)?;
        let mut names = BTreeSet::new();
        for (index, test) in written.tests.iter().enumerate() {
            let (key, problem) = match defect(test) {
                None if names.insert(&test.name) => continue,
                None => (
                    "/name",
                    format!("two tests are called `{}`; names must differ", test.name),
                ),
                Some(defect) => defect,
            };
            let place = document.places.nearest(&format!("/tests/{index}{key}"));
            bail!(yaml::excerpt(&file, &text, place, &problem));
        }
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let places = document.places.clone();
        Ok(Self {
            file,
            folder,
            written,
            places,
        })
    }

    /// Its tests, in order.
    pub(super) fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        self.written
            .tests
            .iter()
            .enumerate()
            .map(|(index, test)| Case::new(self, index, test))
    }
}

/// What is wrong with a test beyond its shape, and at which key.
fn defect(test: &Test) -> Option<(&'static str, String)> {
    let Test {
        review,
        object,
        old_object,
        operation,
        namespace,
        user_info,
        dry_run,
        ..
    } = test;
    let made = [
        ("object", object.is_some()),
        ("oldObject", old_object.is_some()),
        ("operation", operation.is_some()),
        ("namespace", namespace.is_some()),
        ("userInfo", user_info.is_some()),
        ("dryRun", dry_run.is_some()),
    ];
    let extra = made
        .into_iter()
        .find_map(|(key, given)| given.then_some(key));
    if let (Some(_), Some(key)) = (review, extra) {
        return Some((
            "/review",
            format!("a review says everything itself; remove `{key}`"),
        ));
    }
    if review.is_none() && object.is_none() && old_object.is_none() {
        return Some((
            "",
            "nothing to judge: expected `review`, `object` or `oldObject`".to_owned(),
        ));
    }
    if let Some(problem) = operation.and_then(|operation| request::misfit(test, operation)) {
        return Some(("/operation", problem));
    }
    if test.expect.is_empty() {
        return Some(("/expect", "expects nothing".to_owned()));
    }
    let after = test.expect.patched.is_some() || test.expect.patch.is_some();
    if after && test.phase == Some(PhaseName::Validate) {
        return Some((
            "/phase",
            "validate never patches; `patched` and `patch` are about mutate".to_owned(),
        ));
    }
    if test
        .skip
        .as_ref()
        .is_some_and(|reason| reason.trim().is_empty())
    {
        return Some(("/skip", "say why the test is skipped".to_owned()));
    }
    if test.name.trim().is_empty() {
        return Some(("/name", "a test needs a name".to_owned()));
    }
    None
}
