//! New values, in the style of the text and behind the comments of what stands above them.
//!
//! The library puts a new value right behind the last one, so that comments below that would end up under the new value, and it
//! indents new lists in a way of its own. So a name stands in for each new value, and is written over at the end.

use std::str::FromStr as _;

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation};
use serde_json::{Map, Value};
use yaml_edit::Document;

use super::EditError;
use crate::object::yaml::style::column;
use crate::object::yaml::{Style, styled};

/// The values that are held back.
pub(super) struct Held {
    style: Style,
    /// What every name begins with, and nothing else in the text has.
    name: String,
    values: Vec<New>,
}

struct New {
    /// Its document and place.
    place: String,
    /// Its key; none where it is an item of a list.
    key: Option<String>,
    value: Value,
    /// Whether it comes behind everything else at its place.
    is_last: bool,
    /// What was said in a comment behind its key, while that had no value.
    comment: Option<String>,
}

impl Held {
    pub(super) fn of(text: &str) -> Self {
        let mut name = "new".to_owned();
        while text.contains(&name) {
            name.push('-');
        }
        Self {
            style: Style::of(text),
            name,
            values: Vec::new(),
        }
    }

    /// Holds a value back that is to be put there, and returns the name to be put there instead.
    pub(super) fn hold(
        &mut self,
        place: &str,
        key: Option<&str>,
        value: &Value,
        is_last: bool,
        comment: Option<&str>,
    ) -> String {
        self.values.push(New {
            comment: comment.map(str::to_owned),
            place: place.to_owned(),
            key: key.map(str::to_owned),
            value: value.clone(),
            is_last,
        });
        self.name_of(self.values.len() - 1)
    }

    /// Whether it is the name of a value.
    pub(super) fn is_name(&self, text: &str) -> bool {
        text.starts_with(&self.name)
    }

    /// Adds what is to be put inside a value that is held back; says whether it is.
    pub(super) fn add_inside(&mut self, place: &str, value: &Value) -> bool {
        let mut values = self.values.iter_mut();
        let found = values.find_map(|new| {
            let below = place.strip_prefix(&new.place)?;
            let path = PointerBuf::parse(below).ok()?;
            (!new.place.is_empty() && !path.is_root()).then_some((&mut new.value, path))
        });
        found.is_some_and(|(held, path)| {
            let value = value.clone();
            let add = PatchOperation::Add(AddOperation { path, value });
            json_patch::patch(held, &[add]).is_ok()
        })
    }

    /// A value as the library takes it: parsed.
    pub(super) fn node(&self, value: &Value) -> Result<Document, EditError> {
        let text = styled(value, self.style);
        Document::from_str(&text).map_err(|error| EditError::Unreadable(error.to_string()))
    }

    /// The text with the values written over their names.
    pub(super) fn write_into(&self, text: &str) -> String {
        // Lines change places, and the last one need not have an end.
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let all = format!("{text}{end}");
        let mut lines: Vec<_> = all.split_inclusive('\n').collect();
        let mut at = 0;
        while at < lines.len() {
            let run = lines[at..].iter().take_while(|line| self.is_new(line));
            let run = run.count();
            if run > 0 {
                put_comments_above(&mut lines, at, run, |line| {
                    self.named_in(line).is_some_and(|new| new.is_last)
                });
            }
            at += run + 1;
        }
        let written = lines.into_iter().map(|line| match self.named_in(line) {
            Some(new) => self.write(new, line),
            None => line.to_owned(),
        });
        let written: String = written.collect();
        written.strip_suffix(end).unwrap_or(&written).to_owned()
    }

    fn name_of(&self, number: usize) -> String {
        format!("{}{number}.", self.name)
    }

    fn is_new(&self, line: &str) -> bool {
        self.named_in(line).is_some()
    }

    /// The value whose name is in this line.
    fn named_in(&self, line: &str) -> Option<&New> {
        let (_, rest) = line.split_once(&self.name)?;
        self.values
            .get(rest.split_once('.')?.0.parse::<usize>().ok()?)
    }

    /// The lines of a value in place of the one with its name.
    fn write(&self, new: &New, line: &str) -> String {
        let value = new.value.clone();
        let entry = match &new.key {
            Some(key) => Value::Object(Map::from_iter([(key.clone(), value)])),
            None => Value::Array(vec![value]),
        };
        let text = styled(&entry, self.style.within(&new.value));
        // A key may be the first of a list's item.
        let (before, end) = (&line[..self.column(line)], &line[line.trim_end().len()..]);
        let below = format!(
            "{}{}",
            if end.is_empty() { "\n" } else { end },
            " ".repeat(before.len())
        );
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        if let Some(comment) = &new.comment {
            lines[0].extend([" #", comment]);
        }
        format!("{before}{}{end}", lines.join(&below))
    }

    /// Where a new value begins in its line.
    fn column(&self, line: &str) -> usize {
        let new = self.named_in(line);
        let key = new.and_then(|new| new.key.as_ref());
        let found = key.and_then(|key| line.find(&format!("{key}: {}", self.name)));
        found.unwrap_or_else(|| column(line))
    }
}

/// Puts the comments that stand below some new lines, and are indented more, above them: they are about what was there before.
fn put_comments_above(
    lines: &mut [&str],
    first: usize,
    run: usize,
    is_last: impl Fn(&str) -> bool,
) {
    let mut end = first + run;
    let mut above = first;
    loop {
        let blank = lines[end..]
            .iter()
            .take_while(|line| line.trim().is_empty());
        let comment = end + blank.count();
        let Some(line) = lines
            .get(comment)
            .filter(|line| line.trim_start().starts_with('#'))
        else {
            return;
        };
        let is_inside = |new: &&str| column(new) < column(line) && is_last(new);
        let news = lines[above..end].iter();
        let Some(before) = news.into_iter().position(is_inside) else {
            return;
        };
        // The new lines go down by as many as come up.
        lines[above + before..=comment].rotate_right(comment + 1 - end);
        above += before + comment + 1 - end;
        end = comment + 1;
    }
}
