//! YAML and JSON text, read the way kubectl reads it, with the place of every value.

mod edit;
mod excerpt;
mod node;
mod style;

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::Spanned;

pub use edit::{Edit, EditError, edit};
pub use excerpt::{excerpt, in_words, nearest};
use node::{Node, push};
use style::Style;

/// One document of a text.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says.
    pub value: Value,
    /// Where it says it.
    pub places: Places,
}

/// The place of each value of a document: line and column, from 1.
#[derive(Clone, Debug, Default)]
pub struct Places(HashMap<String, Place>);

/// A line and a column of a text, both from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

impl Places {
    /// Where the value at `pointer` stands, or the nearest thing around it that the text has.
    #[must_use]
    pub fn nearest(&self, pointer: &str) -> Place {
        let mut rest = pointer;
        loop {
            if let Some(place) = self.0.get(rest) {
                return *place;
            }
            match rest.rfind('/') {
                Some(cut) => rest = &rest[..cut],
                None => return Place { line: 1, column: 1 },
            }
        }
    }
}

/// Why a text could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct YamlError(String);

/// Reads every document of a text; empty ones are passed over, and one bad document is an error for the text.
///
/// `file` is what messages call the text. Booleans are those of YAML 1.1, merge keys are expanded, a leading zero means
/// octal, and a key given twice is an error: what kubectl does, too.
pub fn read(file: &str, text: &str) -> Result<Vec<Document>, YamlError> {
    // The parser's own limits count the whole text; these stop alias bombs and still let a dump of a cluster through.
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        budget: serde_saphyr::budget! {
            max_documents: 100_000,
            max_nodes: 20_000_000,
            max_events: 40_000_000,
            max_total_scalar_bytes: 512 << 20,
        },
    };
    let nodes: Vec<Option<Spanned<Node>>> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| YamlError(located(file, text, &error)))?;
    Ok(nodes
        .into_iter()
        .flatten()
        .filter(|node| !node.value.is_null())
        .map(node::document)
        .collect())
}

/// Reads a text of ours straight into a value, without the places that only a person's slips call for.
pub fn read_one<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, YamlError> {
    serde_saphyr::from_str(text).map_err(|error| YamlError(located(file, text, &error)))
}

/// Reads a value of `T` out of a document. The error says what is wrong, where, and the nearest right name.
pub fn decode<T: DeserializeOwned>(
    file: &str,
    text: &str,
    document: &Document,
) -> Result<T, YamlError> {
    serde_path_to_error::deserialize(&document.value).map_err(|error| {
        let mut pointer = String::new();
        for segment in error.path() {
            use serde_path_to_error::Segment::{Enum, Map, Seq, Unknown};
            match segment {
                Map { key } | Enum { variant: key } => push(&mut pointer, key),
                Seq { index } => push(&mut pointer, &index.to_string()),
                Unknown => {}
            }
        }
        let path = error.path().to_string();
        let message = with_nearest(&in_words(&error.into_inner().to_string()));
        let message = if path == "." {
            message
        } else {
            format!("{path}: {message}")
        };
        YamlError(excerpt(
            file,
            text,
            document.places.nearest(&pointer),
            &message,
        ))
    })
}

/// A value as YAML in block style; [`read`] gives it back.
///
/// # Panics
/// Never: a JSON value has nothing that YAML cannot say.
#[must_use]
pub fn write(value: &Value) -> String {
    styled(value, Style::default())
}

/// The same in this style.
fn styled(value: &Value, style: Style) -> String {
    let options = serde_saphyr::ser_options! {
        // One line stays one line.
        folded_wrap_chars: usize::MAX,
        compact_list_indent: !style.indents_lists,
        indent_step: style.step,
    };
    serde_saphyr::to_string_with_options(value, options).expect("a JSON value is YAML")
}

/// serde's words for an unknown field or variant, with the nearest of the names that it lists.
fn with_nearest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(found) = message
        .starts_with("unknown ")
        .then(|| quoted.next())
        .flatten()
    else {
        return message.to_owned();
    };
    match nearest(found, quoted) {
        Some(name) => format!("{message}; did you mean `{name}`?"),
        None => message.to_owned(),
    }
}

fn located(file: &str, text: &str, error: &serde_saphyr::Error) -> String {
    let message = error.without_snippet().to_string();
    let message = message.lines().next().unwrap_or_default();
    match error.location() {
        Some(at) if at.line() > 0 => {
            // The parser appends the place in its own words, and what its caller could do.
            let message = [" at line ", ", set DuplicateKeyPolicy"]
                .iter()
                .fold(message, |message, tail| {
                    message.split(tail).next().unwrap_or(message)
                });
            let hint = if text.contains("{{") {
                "; it looks like a template: render it first (helm template DIR | steadfast check -)"
            } else {
                ""
            };
            excerpt(
                file,
                text,
                Place {
                    line: at.line(),
                    column: at.column(),
                },
                &format!("{message}{hint}"),
            )
        }
        _ => format!("{file}: {message}"),
    }
}

#[cfg(test)]
mod tests;
