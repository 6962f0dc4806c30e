//! Files with what is expected: compared as values, shown as a diff of YAML, rewritten on demand.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

use crate::cli::input;
use crate::object::yaml;
use crate::report::diff::Diff;

/// What is done with the files.
#[derive(Debug)]
pub(in crate::cli) struct Goldens {
    /// Whether those that differ are rewritten.
    update: bool,
    /// Those that were.
    updated: Vec<PathBuf>,
}

impl Goldens {
    /// Files that are compared, or with `update` rewritten where they differ.
    pub(in crate::cli) fn new(update: bool) -> Self {
        Self {
            update,
            updated: Vec::new(),
        }
    }

    /// The files that were rewritten.
    pub(in crate::cli) fn updated(&self) -> &[PathBuf] {
        &self.updated
    }

    /// Compares a value with the file that says what it should be: the difference, or `None`.
    pub(super) fn compare(&mut self, file: &Path, found: &Value) -> Result<Option<Diff>> {
        if !file.exists() && !self.update {
            bail!(
                "cannot read {}: there is no such file; --update makes it",
                file.display()
            );
        }
        let expected = if file.exists() {
            Some(read(file)?)
        } else {
            None
        };
        if expected.as_ref() == Some(found) {
            return Ok(None);
        }
        // What another test of this run has just been given is not taken from it.
        if self.update && !self.updated.iter().any(|updated| updated == file) {
            self.write(file, found)?;
            return Ok(None);
        }
        Ok(Some(diff(&expected.unwrap_or_default(), found)))
    }

    fn write(&mut self, file: &Path, value: &Value) -> Result<()> {
        let json = file
            .extension()
            .is_some_and(|extension| extension == "json");
        let text = if json {
            serde_json::to_string_pretty(value)? + "\n"
        } else {
            yaml::write(value)
        };
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        if read(file)? != *value {
            bail!("{} does not read back as it was written", file.display());
        }
        self.updated.push(file.to_owned());
        Ok(())
    }
}

/// The one value in a file.
pub(super) fn read(file: &Path) -> Result<Value> {
    let name = file.display().to_string();
    let documents = yaml::read(&name, &input::text(file)?)?;
    match <[_; 1]>::try_from(documents) {
        Ok([document]) => Ok(document.value),
        Err(documents) => Err(anyhow!(
            "{name} holds {} documents; expected one",
            documents.len()
        )),
    }
}

/// What differs between two values, as YAML.
pub(super) fn diff(expected: &Value, found: &Value) -> Diff {
    let found = yaml::write(&aligned(found, expected));
    Diff::of(("expected", &yaml::write(expected)), ("found", &found))
}

/// The value with its keys in the order of another, so that a diff shows what differs and not where it stands.
fn aligned(value: &Value, like: &Value) -> Value {
    match (value, like) {
        (Value::Object(map), Value::Object(like)) => {
            let same = like.iter().filter_map(|(key, like)| {
                map.get_key_value(key)
                    .map(|(key, value)| (key.clone(), aligned(value, like)))
            });
            let more = map.iter().filter(|(key, _)| !like.contains_key(*key));
            same.chain(more.map(|(key, value)| (key.clone(), value.clone())))
                .collect()
        }
        (Value::Array(items), Value::Array(like)) => {
            let like = like.iter().chain(std::iter::repeat(&Value::Null));
            items
                .iter()
                .zip(like)
                .map(|(item, like)| aligned(item, like))
                .collect()
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_diff_shows_what_differs_and_not_the_order() {
        let expected = json!({"a": 1, "b": {"c": [{"x": 1, "y": 2}], "d": "e"}});
        let found = json!({"b": {"d": "f", "c": [{"y": 2, "x": 1}]}, "a": 1});
        let text = diff(&expected, &found).text();
        let changed: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with(['-', '+']))
            .collect();
        assert_eq!(changed, ["--- expected", "+++ found", "-  d: e", "+  d: f"]);
    }
}
