//! New lists, indented as those that are there.
//!
//! The library indents a new list below its key. Where the text does not, the list is held back, a name stands in its place,
//! and at the end the list is written over the name.

use std::str::FromStr as _;

use serde_json::{Map, Value};
use yaml_edit::{Document, Mapping};

use super::EditError;
use crate::object::yaml::styled;

/// The lists that are held back.
pub(super) struct Lists {
    /// Whether the text indents the items of a list more than its key.
    are_indented: bool,
    /// A name that is nowhere in the text.
    name: String,
    held: Vec<Held>,
}

struct Held {
    /// Its document and place.
    place: String,
    key: String,
    items: Vec<Value>,
}

impl Lists {
    pub(super) fn of(text: &str) -> Self {
        let mut name = "list".to_owned();
        while text.contains(&name) {
            name.push('-');
        }
        Self {
            are_indented: are_indented(text),
            name,
            held: Vec::new(),
        }
    }

    /// Holds the list back that is to be put there, if it must be, and returns the name to be put there instead.
    pub(super) fn hold(
        &mut self,
        mapping: &Mapping,
        place: &str,
        key: &str,
        value: &Value,
    ) -> Option<String> {
        let items = value.as_array().filter(|items| !items.is_empty())?;
        if self.are_indented || mapping.is_flow_style() {
            return None;
        }
        self.held.push(Held {
            place: place.to_owned(),
            key: key.to_owned(),
            items: items.clone(),
        });
        Some(self.name_of(self.held.len() - 1))
    }

    /// Adds an item to the list at this place, if that is held back.
    pub(super) fn push(&mut self, place: &str, item: &Value) -> bool {
        let mut held = self.held.iter_mut();
        let found = held.find(|held| held.place == place);
        found.map(|held| held.items.push(item.clone())).is_some()
    }

    /// The text with the lists written over their names.
    pub(super) fn write_into(self, mut text: String) -> String {
        for (number, held) in self.held.iter().enumerate() {
            let entry = format!("{}: {}", held.key, self.name_of(number));
            let Some(at) = text.find(&entry) else {
                continue;
            };
            let (above, rest) = (&text[..at], &text[at + entry.len()..]);
            let column = above.len() - above.rfind('\n').map_or(0, |end| end + 1);
            let end = if rest.starts_with('\r') { "\r\n" } else { "\n" };
            let indent = format!("{end}{}", " ".repeat(column));
            let list = Map::from_iter([(held.key.clone(), held.items.clone().into())]);
            let written = styled(&Value::Object(list), false);
            let lines: Vec<_> = written.lines().collect();
            text = format!("{above}{}{rest}", lines.join(&indent));
        }
        text
    }

    /// A value as the library takes it: parsed.
    pub(super) fn node(&self, value: &Value) -> Result<Document, EditError> {
        let text = styled(value, self.are_indented);
        Document::from_str(&text).map_err(|error| EditError::Unreadable(error.to_string()))
    }

    fn name_of(&self, number: usize) -> String {
        format!("{}{number}.", self.name)
    }
}

/// Whether the first list below a key is indented more than the key.
fn are_indented(text: &str) -> bool {
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
