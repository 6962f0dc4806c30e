//! What is to be said beside the findings.

use std::io::Write as _;

use anyhow::{Error, Result};

/// What is to be said beside the findings.
#[derive(Default)]
pub(super) struct Amiss {
    /// How many sets were judged.
    pub(super) sets: usize,
    pub(super) notes: Vec<String>,
    /// The names of those of which nothing is stored, where something should be.
    pub(super) made: Vec<String>,
    /// Whether anything hangs on what is not in the input.
    pub(super) has_questions: bool,
    /// What could not be read.
    pub(super) errors: Vec<Error>,
}

impl Amiss {
    /// Notes what could not be done.
    pub(super) fn fail(&mut self, error: Error) {
        self.errors.push(error);
    }

    /// Whether nothing could be judged for what could not be read.
    pub(super) fn is_all(&self) -> bool {
        self.sets == 0 && !self.errors.is_empty()
    }

    /// Says on stderr all but the last error, which is the command's own: what could be judged is said, and what could not
    /// makes the work undone.
    pub(super) fn say(mut self) -> Result<()> {
        let mut stderr = anstream::stderr().lock();
        for note in &self.notes {
            writeln!(stderr, "warning: {note}")?;
        }
        if !self.made.is_empty() {
            writeln!(
                stderr,
                "note: judged as made, since --old has no set of that namespace and name: {}",
                self.made.join(", ")
            )?;
        }
        if self.has_questions {
            writeln!(
                stderr,
                "note: some of this hangs on Services, claims or storage classes that are not in the input; give their manifests by \
                 --cluster, or say that there are no others by --complete"
            )?;
        }
        if self.sets == 0 && self.errors.is_empty() {
            writeln!(stderr, "warning: no StatefulSet (apps/v1) in the input")?;
        }
        let last = self.errors.pop();
        for error in &self.errors {
            writeln!(stderr, "error: {error:#}")?;
        }
        last.map_or(Ok(()), Err)
    }
}
