//! What is stored, where updates are judged.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail, ensure};

use super::input::{self, Object};
use crate::object::view::StatefulSet;
use crate::object::yaml::Place;

/// The sets that are stored, and what is stored beside them.
pub(super) struct Stored {
    sets: Vec<Object>,
    /// Such as the sets' ControllerRevisions.
    pub(super) others: Vec<Object>,
}

impl Stored {
    /// Reads the sets at these paths. They must be there and readable: an update judged without its old set would be judged
    /// as something else.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self> {
        let stored = input::objects(paths)?.into_iter();
        let (sets, others): (Vec<_>, _) = stored.partition(Object::is_stateful_set);
        ensure!(
            paths.is_empty() || !sets.is_empty(),
            "--old holds no StatefulSet (apps/v1)"
        );
        for set in &sets {
            StatefulSet::parse(&set.value.to_string()).map_err(|error| {
                let Place { line, column } = set.place(&error.pointer());
                anyhow!(
                    "{}:{line}:{column}: the old set cannot be read: {error}",
                    set.file
                )
            })?;
        }
        Ok(Self { sets, others })
    }

    /// Whether anything is said to be stored.
    pub(super) fn is_given(&self) -> bool {
        !self.sets.is_empty()
    }

    /// What is stored under the name of `new`. A manifest often names no namespace, and what came out of a cluster always
    /// does; then the name alone has to tell. Where it could be one of several, that is an error.
    pub(super) fn of(&self, new: &Object) -> Result<Option<&Object>> {
        let called = |old: &&Object| !new.name().is_empty() && old.name() == new.name();
        let sets = || self.sets.iter().filter(called);
        let exact: Vec<_> = sets()
            .filter(|old| old.namespace() == new.namespace())
            .collect();
        let unplaced =
            |old: &&Object| old.stated_namespace().is_none() || new.stated_namespace().is_none();
        let fitting = if exact.is_empty() {
            sets().filter(unplaced).collect()
        } else {
            exact
        };
        // Given twice, as by a folder and a file in it, it is still one.
        match fitting[..] {
            [] => Ok(None),
            [old, ref others @ ..] if others.iter().all(|other| other.value == old.value) => {
                Ok(Some(old))
            }
            _ => {
                let files: Vec<_> = fitting
                    .iter()
                    .map(|old| format!("{}/{} in {}", old.namespace(), old.name(), old.file))
                    .collect();
                bail!(
                    "--old has several that it may be the update of: {}",
                    files.join(", ")
                )
            }
        }
    }
}
