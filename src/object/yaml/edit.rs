//! Edits of a text that keep what they do not touch: comments, order and style.

use std::str::FromStr as _;

use json_patch::{AddOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation};
use serde::Serialize as _;
use serde_json::ser::PrettyFormatter;
use serde_json::{Serializer, Value};
use yaml_edit::{Document, Mapping, YamlFile, YamlNode};

use super::{read, styled};

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
    NotInPlace,
}

/// The text with the edits made. What it then says is read back and compared: it is what the edits say, and nothing else.
pub fn edit(file: &str, text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let unreadable = |error: &dyn ToString| EditError::Unreadable(error.to_string());
    let documents = read(file, text).map_err(|error| unreadable(&error))?;
    let mut wanted: Vec<_> = documents.into_iter().map(|one| one.value).collect();
    for edit in edits {
        let document = wanted.get_mut(edit.document);
        let object = document.and_then(|document| document.pointer_mut(&edit.pointer));
        let object = object.ok_or(EditError::NotInPlace)?;
        json_patch::patch(object, &edit.patch).map_err(|error| unreadable(&error))?;
    }
    let edited = match serde_json::from_str::<Value>(text) {
        Ok(_) => json(&wanted[0], text),
        Err(_) => yaml(text, edits)?,
    };
    let says = read(file, &edited).map_err(|_| EditError::NotInPlace)?;
    if says.iter().map(|one| &one.value).eq(&wanted) {
        Ok(edited)
    } else {
        Err(EditError::NotInPlace)
    }
}

/// JSON has no comments; its indentation is kept.
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
    format!("{}{end}", String::from_utf8_lossy(&written))
}

fn yaml(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let file =
        YamlFile::from_str(text).map_err(|error| EditError::Unreadable(error.to_string()))?;
    let indents_lists = indents_lists(text);
    let roots: Vec<_> = file.documents().filter_map(|one| root(&one)).collect();
    for edit in edits {
        let root = roots.get(edit.document).ok_or(EditError::NotInPlace)?;
        for operation in &edit.patch.0 {
            operate(root, &edit.pointer, operation, indents_lists)?;
        }
    }
    Ok(file.to_string())
}

/// The value of a document that has one.
fn root(document: &Document) -> Option<YamlNode> {
    let mapping = document.as_mapping().map(YamlNode::Mapping);
    let other = || document.as_sequence().map(YamlNode::Sequence);
    mapping.or_else(other)
}

fn operate(
    root: &YamlNode,
    object: &str,
    operation: &PatchOperation,
    indents_lists: bool,
) -> Result<(), EditError> {
    let (path, value) = match operation {
        PatchOperation::Add(AddOperation { path, value })
        | PatchOperation::Replace(ReplaceOperation { path, value }) => (path, Some(value)),
        PatchOperation::Remove(RemoveOperation { path }) => (path, None),
        _ => return Err(EditError::NotInPlace),
    };
    let mut tokens: Vec<_> = tokens(object).chain(tokens(path.as_str())).collect();
    let last = tokens.pop().ok_or(EditError::NotInPlace)?;
    let mut here = root.clone();
    for token in &tokens {
        here = below(&here, token).ok_or(EditError::NotInPlace)?;
    }
    let node = value.map(|value| node(value, indents_lists)).transpose()?;
    match (here, node) {
        (YamlNode::Mapping(mapping), Some(node)) => set(&mapping, &last, &node),
        (YamlNode::Mapping(mapping), None) => {
            mapping.remove(&last);
        }
        (YamlNode::Sequence(items), Some(node)) if last == "-" => items.push(node),
        (YamlNode::Sequence(items), None) => {
            let index = last.parse().map_err(|_| EditError::NotInPlace)?;
            items.remove(index);
        }
        _ => return Err(EditError::NotInPlace),
    }
    Ok(())
}

/// Puts a value under a key: where it is, if it is there; a new single value below those that the mapping begins with, since
/// nobody would see it below the nested ones; else at the end.
fn set(mapping: &Mapping, key: &str, value: &Document) {
    let is_new_line = mapping.get(key).is_none() && value.as_scalar().is_some();
    let entries = mapping.keys().zip(mapping.values());
    let mut single = entries.take_while(|(_, value)| value.is_scalar());
    match single.by_ref().last().filter(|_| is_new_line) {
        Some((above, _)) => {
            mapping.insert_after(above, key, value);
        }
        None => mapping.set(key, value),
    }
}

fn below(node: &YamlNode, token: &str) -> Option<YamlNode> {
    match node {
        YamlNode::Mapping(mapping) => mapping.get(token),
        YamlNode::Sequence(list) => list.get(token.parse().ok()?),
        _ => None,
    }
}

fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    let tokens = pointer.split('/').skip(1);
    tokens.map(|token| token.replace("~1", "/").replace("~0", "~"))
}

/// The value as the library takes it: parsed.
fn node(value: &Value, indents_lists: bool) -> Result<Document, EditError> {
    let text = styled(value, indents_lists);
    Document::from_str(&text).map_err(|error| EditError::Unreadable(error.to_string()))
}

/// Whether the first list below a key is indented more than the key.
fn indents_lists(text: &str) -> bool {
    let column = |line: &str| line.len() - line.trim_start().len();
    let mut above = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match above {
            Some(above) if line.trim_start().starts_with("- ") => return column(line) > above,
            _ => above = line.trim_end().ends_with(':').then(|| column(line)),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The text with one operation done to its first object.
    fn edited(text: &str, operation: &Value) -> String {
        let first = Edit {
            document: 0,
            pointer: String::new(),
            patch: serde_json::from_value(json!([operation])).expect("a patch"),
        };
        edit("x.yaml", text, &[first]).expect("it can be edited")
    }

    fn add(text: &str, path: &str, value: &Value) -> String {
        edited(text, &json!({"op": "add", "path": path, "value": value}))
    }

    #[test]
    fn what_is_not_touched_stays() {
        let text = "# head\n---\nspec:   # of all\n  replicas: 3 # three\n\n  # the pods\n  template: {a: [1,  2]}\n\n# foot\n---\nb: 'x'\n";
        let after = add(text, "/spec/serviceName", &json!("web"));
        assert_eq!(
            after,
            text.replace("three\n", "three\n  serviceName: web\n")
        );
        let back = edited(
            &after,
            &json!({"op": "remove", "path": "/spec/serviceName"}),
        );
        assert_eq!(back, text);
    }

    #[test]
    fn what_is_added_is_written_as_its_neighbours_are() {
        let value = json!({"b": ["yes", 8]});
        for (text, path, after) in [
            ("m: {x: 1}\n", "/m/a", "m: {x: 1, a: {b: [\"yes\", 8]}}\n"),
            ("m: [x]\n", "/m/-", "m: [x, {b: [\"yes\", 8]}]\n"),
            ("m:\n- x\n", "/m/-", "m:\n- x\n- b:\n  - \"yes\"\n  - 8\n"),
            (
                "m:\n  - x\n",
                "/m/-",
                "m:\n  - x\n  - b:\n      - \"yes\"\n      - 8\n",
            ),
            ("m:\n", "/m", "m:\n  b:\n  - \"yes\"\n  - 8\n"),
            ("m: 1", "/a", "m: 1\na:\n  b:\n  - \"yes\"\n  - 8"),
            (
                "m: 1\r\n",
                "/a",
                "m: 1\r\na:\r\n  b:\r\n  - \"yes\"\r\n  - 8\r\n",
            ),
            (
                "\u{feff}m: 1\n",
                "/a",
                "\u{feff}m: 1\na:\n  b:\n  - \"yes\"\n  - 8\n",
            ),
            (
                "---\nm: 1\n...\n",
                "/a",
                "---\nm: 1\na:\n  b:\n  - \"yes\"\n  - 8\n...\n",
            ),
            ("{\"m\": 1}", "/a", "{\"m\":1,\"a\":{\"b\":[\"yes\",8]}}"),
            (
                "{\n\t\"m\": 1\n}\n",
                "/m",
                "{\n\t\"m\": {\n\t\t\"b\": [\n\t\t\t\"yes\",\n\t\t\t8\n\t\t]\n\t}\n}\n",
            ),
        ] {
            assert_eq!(add(text, path, &value), after, "{text:?}");
        }
    }

    #[test]
    fn what_would_say_something_else_is_not_written() {
        let edit_of = |text: &str, pointer: &str| {
            let patch = json!([{"op": "add", "path": "/a", "value": 1}]);
            let edit = Edit {
                document: 0,
                pointer: pointer.to_owned(),
                patch: serde_json::from_value(patch).expect("a patch"),
            };
            super::edit("x.yaml", text, &[edit])
        };
        for text in ["m: &x {b: 1}\nn: *x\n", "m: &x {b: 1}\nn: {<<: *x}\n"] {
            let error = edit_of(text, "/m").expect_err("n would be another");
            assert!(matches!(error, EditError::NotInPlace), "{text}: {error}");
        }
        edit_of("m: 1\n", "/m").expect_err("there is no mapping");
        edit_of("m: [1\n", "").expect_err("it is no YAML");
    }
}
