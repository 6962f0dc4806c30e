//! The documentation of a rule: the head of its own file, read as data.
//!
//! ```text
//! # rule-id
//! One sentence.
//! ## Why        what goes wrong
//! ## Fix        what is injected, or what to do
//! ## Example    fenced `yaml before`, `yaml after`, and where it matters `yaml old` (what is stored, of an update),
//!             `yaml cluster` and `yaml params`
//! ```
//! The parameters come from the doc comments of the struct's fields.

/// A rule's documentation.
#[derive(Debug, Default)]
pub struct Doc {
    /// What the rule finds, in one sentence.
    pub summary: String,
    /// Each `##` section with its prose, without the fenced examples.
    pub sections: Vec<(String, String)>,
    /// The examples.
    pub examples: Vec<Example>,
    /// Each parameter's name as a policy spells it, and what it means.
    pub params: Vec<(String, String)>,
}

/// An example: an object that the rule finds, and the same object repaired.
#[derive(Clone, Debug, Default)]
pub struct Example {
    /// The set that is stored, where the example is an update.
    pub old: Option<String>,
    /// The set that the rule finds something in.
    pub before: String,
    /// The set after the fix, or after a person did what the remedy says.
    pub after: String,
    /// What else is in the cluster.
    pub cluster: Option<String>,
    /// The rule's parameters, where they are not the defaults.
    pub params: Option<String>,
}

impl Doc {
    /// Reads the documentation out of the source of a rule's file.
    #[must_use]
    pub fn read(source: &str) -> Self {
        let mut doc = Self {
            params: params(source),
            ..Self::default()
        };
        let mut fence: Option<(String, String)> = None;
        for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
            let line = line.strip_prefix(' ').unwrap_or(line);
            match (&mut fence, line.strip_prefix("```")) {
                (None, Some(tag)) => fence = Some((tag.to_owned(), String::new())),
                (Some(_), Some(_)) => {
                    let (tag, text) = fence.take().expect("just matched");
                    doc.fenced(&tag, text);
                }
                (Some((_, text)), None) => {
                    text.push_str(line);
                    text.push('\n');
                }
                (None, None) => doc.prose(line),
            }
        }
        for (_, text) in &mut doc.sections {
            *text = text.trim().to_owned();
        }
        doc.summary.truncate(doc.summary.trim_end().len());
        doc
    }

    /// The prose of a section.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&str> {
        self.sections
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
    }

    fn prose(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("## ") {
            self.sections.push((name.to_owned(), String::new()));
        } else if !line.starts_with("# ") {
            let text = self
                .sections
                .last_mut()
                .map_or(&mut self.summary, |(_, text)| text);
            text.push_str(line);
            text.push('\n');
        }
    }

    fn fenced(&mut self, tag: &str, text: String) {
        match tag {
            "yaml old" => self.examples.push(Example {
                old: Some(text),
                ..Example::default()
            }),
            // An example begins here, unless what is stored began it.
            "yaml before" => {
                if self
                    .examples
                    .last()
                    .is_none_or(|last| !last.before.is_empty())
                {
                    self.examples.push(Example::default());
                }
                self.example().before = text;
            }
            "yaml after" => self.example().after = text,
            "yaml cluster" => self.example().cluster = Some(text),
            "yaml params" => self.example().params = Some(text),
            _ => {}
        }
    }

    /// The example under way: `old` or `before` comes first, whatever goes with it follows.
    fn example(&mut self) -> &mut Example {
        if self.examples.is_empty() {
            self.examples.push(Example::default());
        }
        self.examples.last_mut().expect("just filled")
    }
}

/// The documented public fields of the first struct in a source.
fn params(source: &str) -> Vec<(String, String)> {
    let mut params = Vec::new();
    let mut doc = String::new();
    let body = source
        .lines()
        .skip_while(|line| !(line.starts_with("pub struct ") && line.ends_with('{')))
        .skip(1);
    for line in body.take_while(|line| *line != "}").map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            doc.push_str(if doc.is_empty() { "" } else { " " });
            doc.push_str(text);
        } else if let Some((field, _)) = line
            .split_once(':')
            .filter(|(field, _)| !field.starts_with('#'))
        {
            params.push((
                camel(field.trim_start_matches("pub ").trim_start_matches("r#")),
                std::mem::take(&mut doc),
            ));
        }
    }
    params
}

fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (head, tail) = word.split_at(word.len().min(1));
        name.push_str(&head.to_uppercase());
        name.push_str(tail);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_file_is_its_documentation() {
        let doc = Doc::read(
            "//! # some-rule\n//! Finds things.\n//! ## Why\n//! It breaks.\n//! ## Example\n//! ```yaml before\n//! a: 1\n\
             //! ```\n//! ```yaml after\n//! a: 2\n//! ```\n\npub struct SomeRule {\n    /// How often,\n    /// in seconds.\n\
             \x20   period_seconds: u32,\n}\n",
        );
        assert_eq!(doc.summary, "Finds things.");
        assert_eq!(doc.section("Why"), Some("It breaks."));
        assert_eq!(
            (
                doc.examples[0].before.as_str(),
                doc.examples[0].after.as_str()
            ),
            ("a: 1\n", "a: 2\n")
        );
        assert_eq!(
            doc.params,
            [(
                "periodSeconds".to_owned(),
                "How often, in seconds.".to_owned()
            )]
        );
    }
}
