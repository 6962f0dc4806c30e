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
        let column = usize::try_from(column).unwrap_or(1).max(1) - 1;
        let (source, before) = window(source, column);
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

/// The part of a line around a column that fits a terminal, and what of it stands before the column. Generated JSON can have
/// a megabyte in one line.
fn window(line: &str, column: usize) -> (String, String) {
    const BEFORE: usize = 80;
    const AFTER: usize = 120;
    let skipped = column.saturating_sub(BEFORE);
    let mut before: String = line.chars().skip(skipped).take(column - skipped).collect();
    let mut after: String = line.chars().skip(column).take(AFTER).collect();
    if skipped > 0 {
        before.insert(0, '…');
    }
    if line.chars().nth(column + AFTER).is_some() {
        after.push('…');
    }
    (before.clone() + &after, before)
}

/// The known name that `name` was most likely meant to be.
#[must_use]
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // Of a long name no other is a slip, and to compare two takes the product of their lengths.
    let short = |name: &str| name.len() <= 256;
    let known = known
        .into_iter()
        .filter(|known| short(known) && short(name));
    known
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
        "i32" | "i64" => "a whole number",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" => "a whole number of 0 or more",
        kind if kind.starts_with("struct ") => "a mapping",
        "a nonzero u16" => "a whole number above 0",
        "unit" => "nothing",
        kind => kind,
    };
    format!("{rest}expected {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_line_only_what_is_around_the_place_is_shown() {
        let text = format!("{}wrong{}", "a".repeat(500), " b".repeat(500));
        let place = Place {
            line: 1,
            column: 501,
        };
        let shown = excerpt("x.yaml", &text, place, "bad");
        let lines: Vec<_> = shown.lines().collect();
        let start = lines[2].find("wrong").expect("the place is shown");
        assert!(lines[2].chars().count() < 220, "{shown}");
        assert_eq!(
            lines[2][..start].chars().count(),
            lines[3].find('^').expect("a mark")
        );
        assert!(lines[3].ends_with("^^^^^"), "{shown}");
        assert!(
            lines[2].contains("| …a") && lines[2].ends_with('…'),
            "{shown}"
        );
    }
}
