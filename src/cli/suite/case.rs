//! A test of a suite, and how it ended.

use std::path::PathBuf;

use super::format::{Paths, Test};
use super::{Failure, Suite};
use crate::object::yaml::Place;

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

    /// Paths as the suite writes them.
    pub(super) fn paths(&self, paths: &Paths) -> Vec<PathBuf> {
        let folder = &self.suite.folder;
        paths.0.iter().map(|path| folder.join(path)).collect()
    }
}
