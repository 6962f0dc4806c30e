//! Edits of a text that keep what they do not touch: comments, order and style.

mod held;

use std::str::FromStr as _;

use json_patch::jsonptr::Pointer;
use json_patch::{AddOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation};
use serde::Serialize as _;
use serde_json::ser::PrettyFormatter;
use serde_json::{Serializer, Value};
use yaml_edit::{Document, Mapping, YamlFile, YamlNode};

use self::held::Held;
use super::read;

/// What is to be done to one object in a text.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Which of the text's documents, counting those that [`read`] returns.
    pub document: usize,
    /// The object's place in it: empty, or an item of a `List`, as a JSON pointer.
    pub pointer: String,
    /// What is to be done to the object.
    pub patch: Patch,
}

/// Why a text was not edited.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The text is none that can be edited.
    #[error("cannot be edited: {0}")]
    Unreadable(String),
    /// An edit would not say what it is to say, such as one below an alias, where it would change the anchor's other uses.
    #[error(
        "cannot be edited in place: it is written with an alias, a merge key or a tag, or in a form that is not known"
    )]
    NotInPlace {
        /// The value that could not be edited, as a JSON pointer into its object; empty where it is not known which.
        pointer: String,
    },
}

/// It is not known which value cannot be edited.
const SOMEWHERE: EditError = EditError::NotInPlace {
    pointer: String::new(),
};

/// The text with the edits made. What it then says is read back and compared: it is what the edits say, and nothing else.
pub fn edit(file: &str, text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let unreadable = |error: &dyn ToString| EditError::Unreadable(error.to_string());
    let documents = read(file, text).map_err(|error| unreadable(&error))?;
    let mut wanted: Vec<_> = documents.into_iter().map(|one| one.value).collect();
    for edit in edits {
        let document = wanted.get_mut(edit.document);
        let object = document.and_then(|document| document.pointer_mut(&edit.pointer));
        let object = object.ok_or(SOMEWHERE)?;
        for operation in &edit.patch.0 {
            apply(object, operation).map_err(|error| unreadable(&error))?;
        }
    }
    let (mark, plain) = match text.strip_prefix(MARK) {
        Some(plain) => (MARK, plain),
        None => ("", text),
    };
    let edited = match serde_json::from_str::<Value>(plain) {
        Ok(_) => format!("{mark}{}", json(&wanted[0], plain)),
        Err(_) => yaml(text, edits)?,
    };
    let says = read(file, &edited).map_err(|_| SOMEWHERE)?;
    if says.iter().map(|one| &one.value).eq(&wanted) {
        Ok(edited)
    } else {
        Err(SOMEWHERE)
    }
}

/// The mark with which some editors begin a text.
const MARK: &str = "\u{feff}";

/// Carries an operation out. A key that goes leaves the order of the others as it is, which the patch library does not promise.
fn apply(object: &mut Value, operation: &PatchOperation) -> Result<(), json_patch::PatchError> {
    if let PatchOperation::Remove(RemoveOperation { path }) = operation
        && let Some((above, last)) = path.split_back()
        && let Some(Value::Object(map)) = object.pointer_mut(above.as_str())
        && map.shift_remove(&*last.decoded()).is_some()
    {
        return Ok(());
    }
    json_patch::patch(object, std::slice::from_ref(operation))
}

/// JSON has no comments; its indentation and ends of lines are kept.
fn json(value: &Value, text: &str) -> String {
    let end = &text[text.trim_end().len()..];
    let Some(second) = text.trim().lines().nth(1) else {
        return format!("{value}{end}");
    };
    let indent = &second[..second.len() - second.trim_start().len()];
    let mut written = Vec::new();
    let formatter = PrettyFormatter::with_indent(indent.as_bytes());
    let mut serializer = Serializer::with_formatter(&mut written, formatter);
    value
        .serialize(&mut serializer)
        .expect("a JSON value is JSON");
    let written = String::from_utf8_lossy(&written);
    if text.contains("\r\n") {
        format!("{}{end}", written.replace('\n', "\r\n"))
    } else {
        format!("{written}{end}")
    }
}

fn yaml(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let file =
        YamlFile::from_str(text).map_err(|error| EditError::Unreadable(error.to_string()))?;
    let mut held = Held::of(text);
    let roots: Vec<_> = file.documents().filter_map(|one| root(&one)).collect();
    for edit in edits {
        let root = roots.get(edit.document).ok_or(SOMEWHERE)?;
        for operation in &edit.patch.0 {
            operate(root, edit, operation, &mut held)?;
        }
    }
    Ok(held.write_into(&file.to_string()))
}

/// The value of a document that has one.
fn root(document: &Document) -> Option<YamlNode> {
    let mapping = document.as_mapping().map(YamlNode::Mapping);
    let other = || document.as_sequence().map(YamlNode::Sequence);
    mapping.or_else(other)
}

fn operate(
    root: &YamlNode,
    edit: &Edit,
    operation: &PatchOperation,
    held: &mut Held,
) -> Result<(), EditError> {
    let not_here = || EditError::NotInPlace {
        pointer: operation.path().to_string(),
    };
    let value = match operation {
        PatchOperation::Add(AddOperation { value, .. })
        | PatchOperation::Replace(ReplaceOperation { value, .. }) => Some(value),
        PatchOperation::Remove(RemoveOperation { .. }) => None,
        _ => return Err(not_here()),
    };
    let pointer = format!("{}{}", edit.pointer, operation.path());
    let pointer = Pointer::parse(&pointer).map_err(|_| not_here())?;
    let (above, last) = pointer.split_back().ok_or_else(not_here)?;
    let place = format!("{}:{pointer}", edit.document);
    if value.is_some_and(|value| held.add_inside(&place, value)) {
        return Ok(());
    }
    let mut here = root.clone();
    for token in above.tokens() {
        here = below(&here, &token.decoded()).ok_or_else(not_here)?;
    }
    let last = last.decoded();
    match (here, value) {
        (YamlNode::Mapping(mapping), Some(value)) => {
            set(&mapping, &place, &last, value, held)?;
        }
        (YamlNode::Mapping(mapping), None) => {
            mapping.remove(&*last);
        }
        (YamlNode::Sequence(items), Some(value)) if last == "-" => {
            if items.is_flow_style() {
                items.push(held.node(value)?);
            } else {
                items.push(held.hold("", None, value, true, None));
            }
        }
        (YamlNode::Sequence(items), None) => {
            items.remove(last.parse().map_err(|_| not_here())?);
        }
        _ => return Err(not_here()),
    }
    Ok(())
}

/// Puts a value under a key: where it is, if it is there; a new single value below those that the mapping begins with, since
/// nobody would see it below the nested ones; else at the end.
fn set(
    mapping: &Mapping,
    place: &str,
    key: &str,
    value: &Value,
    held: &mut Held,
) -> Result<(), EditError> {
    let is_new = mapping.get(key).is_none();
    let is_nested = value.is_object() || value.is_array();
    let is_single = |value: &YamlNode| {
        let text = value.to_string();
        value.is_scalar() && !text.trim().is_empty() && !held.is_name(text.trim())
    };
    let entries = mapping.keys().zip(mapping.values());
    let single = entries.take_while(|(_, value)| is_single(value)).last();
    match single.filter(|_| is_new && !is_nested) {
        Some((above, _)) => {
            mapping.insert_after(above, key, held.node(value)?);
        }
        None if mapping.is_flow_style() => mapping.set(key, held.node(value)?),
        None => {
            let entry = mapping
                .find_entry_by_key(key)
                .map(|entry| entry.to_string());
            let comment = entry.as_deref().and_then(comment);
            mapping.set(key, held.hold(place, Some(key), value, is_new, comment));
        }
    }
    Ok(())
}

/// The comment behind a key that has no value.
fn comment(entry: &str) -> Option<&str> {
    let (said, comment) = entry.trim_end().split_once('#')?;
    let is_empty = [":", ": null", ": ~"]
        .iter()
        .any(|end| said.trim_end().ends_with(end));
    (is_empty && !comment.contains('\n')).then_some(comment)
}

fn below(node: &YamlNode, token: &str) -> Option<YamlNode> {
    match node {
        YamlNode::Mapping(mapping) => mapping.get(token),
        YamlNode::Sequence(list) => list.get(token.parse().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
