//! How a text is indented.

use serde_json::Value;

/// How a text is indented.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Style {
    /// By how many columns what is below a key is indented more than the key.
    pub(super) step: usize,
    /// Whether that holds for lists, too.
    pub(super) indents_lists: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            step: 2,
            indents_lists: false,
        }
    }
}

impl Style {
    /// For a value: what is below a key in an item of a list counts from the dash, so that a step of more than two would be a long
    /// one there.
    pub(super) fn within(self, value: &Value) -> Self {
        let step = if value.is_array() { 2 } else { self.step };
        Self { step, ..self }
    }

    /// As the first mapping and the first list below a key are indented.
    pub(super) fn of(text: &str) -> Self {
        let says = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let (mut step, mut indents_lists) = (None, None);
        let mut above = None;
        for line in text.lines().filter(says) {
            let here = column(line);
            if let Some(above) = above {
                if line.trim_start().starts_with("- ") {
                    indents_lists.get_or_insert(here > above);
                } else if here > above {
                    step.get_or_insert(here - above);
                }
            }
            above = line.trim_end().ends_with(':').then_some(here);
        }
        Self {
            step: step.unwrap_or(2),
            indents_lists: indents_lists.unwrap_or_default(),
        }
    }
}

/// By how much a line is indented.
pub(super) fn column(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_tells() {
        for (text, step, indents_lists) in [
            ("", 2, false),
            ("a:\n  b:\n  - c\n", 2, false),
            ("a:\n    b:\n      - c\nd:\n- e\n", 4, true),
            ("a: # x\nb:\n  # c\n   d: 1\n", 3, false),
            ("{a: [b]}", 2, false),
        ] {
            let wanted = Style {
                step,
                indents_lists,
            };
            assert_eq!(Style::of(text), wanted, "{text:?}");
        }
    }
}
