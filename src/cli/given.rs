//! Manifests that are judged offline, and what stands for the cluster beside them.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use serde_json::Value;

use super::PolicyArgs;
use super::amiss::Amiss;
use super::input::{self, Object, Text};
use super::stored::Stored;
use crate::admission::{self, Judge};
use crate::cluster::{DEFAULT_NAMESPACE, Manifests};
use crate::engine::Verdict;
use crate::object::Path;
use crate::object::view::ParseError;
use crate::object::yaml::Place;
use crate::policy::PolicySet;
use crate::report::{Done, Located, Report};

/// What is judged, and by what.
#[derive(Args, Debug)]
pub(super) struct GivenArgs {
    /// Manifests: files, folders, or `-` for stdin
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// What is stored: sets with a namesake here are judged as its update, the others as made
    #[arg(long, value_name = "FILE|DIR")]
    old: Vec<PathBuf>,
    /// More manifests that are in the cluster, and are not judged; with --complete all there is
    #[arg(long, value_name = "FILE|DIR")]
    cluster: Vec<PathBuf>,
    /// What is given is all there is in the cluster
    #[arg(long)]
    complete: bool,
    #[command(flatten)]
    policy: PolicyArgs,
}

/// The same, read.
pub(super) struct Given {
    pub(super) texts: Vec<Text>,
    policies: PolicySet,
    cluster: Manifests,
    stored: Stored,
}

/// A set that is judged.
#[derive(Clone, Copy)]
pub(super) struct Subject<'g> {
    given: &'g Given,
    pub(super) set: &'g Object,
    pub(super) namespace: &'g str,
    old: Option<&'g Object>,
}

impl GivenArgs {
    /// Reads all that is given. A manifest that cannot be read is noted, and the others are judged all the same.
    pub(super) fn read(&self) -> Result<(Given, Amiss)> {
        let policies = self.policy.read()?;
        let (texts, errors) = input::readable(&self.paths);
        let more = input::objects(&self.cluster)?;
        let stored = Stored::read(&self.old)?;
        let objects = texts.iter().flat_map(|text| &text.objects);
        let beside = objects.chain(&more).chain(&stored.others);
        let cluster = input::cluster(beside, self.complete)?;
        let given = Given {
            texts,
            policies,
            cluster,
            stored,
        };
        let objects = given.texts.iter().flat_map(|text| &text.objects);
        let amiss = Amiss {
            errors,
            notes: objects.filter_map(misspelt).collect(),
            ..Amiss::default()
        };
        Ok((given, amiss))
    }
}

/// What is said of an object that is meant to be a StatefulSet and is none.
fn misspelt(object: &Object) -> Option<String> {
    let text = |key: &str| object.value[key].as_str().unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let is_meant = kind.eq_ignore_ascii_case("StatefulSet") && !object.is_stateful_set();
    is_meant.then(|| {
        let Place { line, column } = object.place(if version == "apps/v1" { "/kind" } else { "/apiVersion" });
        let file = &object.file;
        format!("{file}:{line}:{column}: kind {kind} of apiVersion {version:?} is not judged; expected kind StatefulSet of apps/v1")
    })
}

impl Given {
    /// The sets of a text; one of which it is not clear what it is the update of is noted.
    pub(super) fn sets<'g>(&'g self, text: &'g Text, amiss: &mut Amiss) -> Vec<Subject<'g>> {
        let sets = text.objects.iter().filter(|one| one.is_stateful_set());
        let subjects = sets.map(|set| {
            let old = self.stored.of(set).map_err(|error| {
                let Place { line, column } = set.place("/metadata/name");
                anyhow!(
                    "{}:{line}:{column}: StatefulSet {}: {error}",
                    set.file,
                    set.name()
                )
            })?;
            // A manifest that names no namespace goes where the set is that it changes.
            let stated = set.stated_namespace();
            let namespace = stated.or_else(|| old.and_then(Object::stated_namespace));
            Ok(Subject {
                given: self,
                set,
                namespace: namespace.unwrap_or(DEFAULT_NAMESPACE),
                old,
            })
        });
        let clear = subjects.filter_map(|subject| subject.map_err(|error| amiss.fail(error)).ok());
        clear.collect()
    }
}

impl Subject<'_> {
    /// Whether it is a part of a set, to be laid over another manifest: the API server takes none without a selector.
    pub(super) fn is_patch(self) -> bool {
        self.set.value["spec"]["selector"].is_null()
    }

    /// What comes of the set, and what is to be said of it beside; nothing of one that cannot be read.
    pub(super) fn judge(self, judge: Judge, amiss: &mut Amiss) -> Option<Verdict> {
        if self.old.is_none() && self.given.stored.is_given() {
            let stated = self.set.stated_namespace();
            let namespace = stated.map(|namespace| format!("{namespace}/"));
            let name = self.set.name();
            amiss
                .made
                .push(format!("{}{name}", namespace.unwrap_or_default()));
        }
        if self.is_patch() {
            let note = "spec.selector is missing, so the API server refuses it; a Kustomize patch is to be rendered first \
                        (kustomize build DIR | steadfast check -)";
            amiss.notes.push(self.said("/spec", note));
        }
        match self.of(&self.set.value, judge) {
            Ok(mut verdict) => {
                amiss.sets += 1;
                let notes = verdict.notes.drain(..).map(|note| self.said("", &note));
                amiss.notes.extend(notes);
                amiss.has_questions |= !verdict.questions.is_empty();
                Some(verdict)
            }
            Err(error) => {
                let said = self.said(&error.pointer(), &format!("cannot be read: {error}"));
                amiss.fail(anyhow!(said));
                None
            }
        }
    }

    /// What comes of the set when its manifest says `value`.
    pub(super) fn of(self, value: &Value, judge: Judge) -> Result<Verdict, ParseError> {
        let Given {
            policies, cluster, ..
        } = self.given;
        let old = self.old.map(|old| &old.value);
        admission::at_hand(judge, policies, cluster, self.namespace, value, old)
    }

    /// Adds to the report what came of the set.
    pub(super) fn report(self, verdict: Verdict, report: &mut Report) {
        let Self { set, namespace, .. } = self;
        let place = |at: &Path| set.place(at.pointer().as_str());
        report.sets += 1;
        let findings = verdict.judged.into_iter().map(|judged| Located {
            file: set.file.to_string(),
            place: place(&judged.finding.at),
            namespace: namespace.to_owned(),
            name: set.name().to_owned(),
            judged,
        });
        report.findings.extend(findings);
        let restored = verdict.restored.into_iter().map(|restored| Done {
            file: set.file.to_string(),
            place: place(&restored.at),
            namespace: namespace.to_owned(),
            name: set.name().to_owned(),
            restored,
        });
        report.restored.extend(restored);
    }

    /// A message with the set's name, and the place of the value at `pointer`.
    pub(super) fn said(self, pointer: &str, message: &str) -> String {
        let Place { line, column } = self.set.place(pointer);
        let name = match self.set.name() {
            "" => "without a name",
            name => name,
        };
        let file = &self.set.file;
        format!("{file}:{line}:{column}: StatefulSet {name}: {message}")
    }
}
