//! What the user is told: lines that the API server passes on whole.

use crate::engine::{Judged, Outcome, Verdict};

/// The longest warning, in characters; kubectl and the API server cut at 256.
const WARNING_LIMIT: usize = 250;

/// The longest warning that is one word but for its rule: a manifest to be passed on whole. The API server cuts it only where
/// there is too much in all.
const WORD_LIMIT: usize = 480;

/// The most that all warnings of one answer take. The API server keeps 4096 characters per request and cuts every warning
/// once that is passed (kubernetes/kubernetes `apiserver/pkg/endpoints/filters/warning.go`); two of our answers, and those
/// of other webhooks, share it.
const WARNINGS_LIMIT: usize = 1900;

/// What the user is told, each in one line, within the API server's budget.
pub(super) fn warnings(verdict: &Verdict) -> Vec<String> {
    // What denies is in the refusal.
    let told = verdict
        .judged
        .iter()
        .filter(|judged| judged.outcome.is_shown() && judged.outcome != Outcome::Denied);
    let restored = verdict.restored.iter().map(|restored| &restored.message);
    let notes = restored.chain(&verdict.notes).map(|note| vec![plain(note)]);
    // What was done to the request comes before what is found in it: there may not be room for all.
    fit(notes.chain(told.map(said)))
}

/// One finding as warnings: as many sentences in each as fit, and of a long one as many words, so that nothing is cut; of an
/// injection, where there is room, also how to decline it.
fn said(judged: &Judged) -> Vec<String> {
    let text = judged.sentence();
    let room = WARNING_LIMIT - judged.rule.len() - 2;
    let pieces = text
        .split_inclusive(". ")
        .flat_map(|sentence| match sentence.len() {
            length if length <= room => vec![sentence],
            _ => sentence.split_inclusive(' ').collect(),
        });
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines
            .last_mut()
            .filter(|line| line.len() + piece.trim_end().len() <= room)
        {
            Some(line) => line.push_str(piece),
            None => lines.push(piece.to_owned()),
        }
    }
    let decline = format!(". Own value or opt out: steadfast explain {}", judged.rule);
    let last = lines
        .last_mut()
        .filter(|line| line.len() + decline.len() <= room);
    if let (Outcome::Injected, Some(last)) = (judged.outcome, last) {
        last.push_str(&decline);
    }
    let line = |line: &String| {
        plain(&format!(
            "{}: {}",
            judged.rule,
            line.trim_end().trim_end_matches('.')
        ))
    };
    lines.iter().map(line).collect()
}

/// The warnings that fit, each finding's together or not at all, and how many findings did not.
fn fit(findings: impl IntoIterator<Item = Vec<String>>) -> Vec<String> {
    let (mut kept, mut used, mut more) = (Vec::new(), 0, 0);
    for lines in findings {
        used += lines.iter().map(|line| line.len() + 1).sum::<usize>();
        if used <= WARNINGS_LIMIT && more == 0 {
            kept.extend(lines);
        } else {
            more += 1;
        }
    }
    if more > 0 {
        kept.push(format!("+{more} more: `steadfast check` shows all"));
    }
    kept
}

/// One line of printable ASCII: the API server drops a warning with a control character without a word, and the header
/// that carries it knows no other letters.
pub(super) fn plain(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| {
            if c == ' ' || c.is_ascii_graphic() {
                c
            } else if c.is_control() {
                ' '
            } else {
                '?'
            }
        })
        .collect();
    let limit = match text.matches(' ').count() {
        0 | 1 => WORD_LIMIT,
        _ => WARNING_LIMIT,
    };
    if text.len() <= limit {
        return text;
    }
    format!("{}...", &text[..limit - 3])
}
