//! Words about a place in a text, and about a name that nobody knows.

use std::fmt::Write as _;

use super::Place;

/// A message about one place of a text: `file:line:column: message`, and the line with a mark under it.
#[must_use]
pub fn excerpt(file: &str, text: &str, place: Place, message: &str) -> String {
    let Place { line, column } = place;
    let mut out = format!("{file}:{line}:{column}: {message}");
    let index = usize::try_from(line)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    if let Some(source) = text.lines().nth(index) {
        let before: String = source
            .chars()
            .take(usize::try_from(column).unwrap_or(1).saturating_sub(1))
            .collect();
        // A tab keeps its width under itself.
        let indent: String = before
            .chars()
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let number = line.to_string();
        let gap = " ".repeat(number.len());
        let width = source[before.len()..]
            .chars()
            .take_while(|c| !c.is_whitespace() && *c != ':')
            .count()
            .max(1);
        let _ = write!(
            out,
            "\n {gap} |\n {number} | {source}\n {gap} | {indent}{}",
            "^".repeat(width)
        );
    }
    out
}

/// The known name that `name` was most likely meant to be.
#[must_use]
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    known
        .into_iter()
        .map(|known| {
            (
                strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase()),
                known,
            )
        })
        .filter(|(distance, known)| *distance <= 1 + known.len().min(name.len()) / 4)
        .min()
        .map(|(_, known)| known)
}

/// serde's words without the names of Rust's types, which nobody who writes YAML has heard of.
#[must_use]
pub fn in_words(message: &str) -> String {
    let Some((rest, kind)) = message.rsplit_once("expected ") else {
        return message.to_owned();
    };
    let kind = match kind {
        "i32" | "i64" | "u16" | "u32" | "u64" => "a whole number",
        "a nonzero u16" => "a whole number above 0",
        "unit" => "nothing",
        kind => kind,
    };
    format!("{rest}expected {kind}")
}
