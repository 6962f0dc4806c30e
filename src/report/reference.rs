//! The rule reference, as Markdown, out of the rules' own files.

use std::fmt::Write as _;

use crate::rule::Entry;
use crate::rule::doc::{Doc, Example};

/// The whole reference of these rules; `src/rules/README.md` is this text.
#[must_use]
pub fn markdown(rules: &[Entry]) -> String {
    let mut page = "# Rules\n\nWritten by `UPDATE=1 cargo test --test reference` out of the files beside it; edit those.\n\n\
                    | rule | baseline | strict | finds |\n|---|---|---|---|\n"
        .to_owned();
    for Entry { meta, .. } in rules {
        let summary = Doc::read(meta.source).summary.replace('\n', " ");
        let finds = summary.trim_start_matches("Finds ");
        let _ = writeln!(
            page,
            "| [{0}](#{0}) | {1} | {2} | {finds} |",
            meta.id, meta.levels.baseline, meta.levels.strict
        );
    }
    for entry in rules {
        section(&mut page, entry);
    }
    page
}

fn section(page: &mut String, entry: &Entry) {
    let doc = Doc::read(entry.meta.source);
    let _ = write!(page, "\n## {}\n\n{}\n", entry.meta.id, doc.summary);
    for (name, text) in doc.sections.iter().filter(|(name, _)| name != "Example") {
        let _ = write!(page, "\n### {name}\n\n{text}\n");
    }
    if !doc.params.is_empty() {
        let defaults = (entry.defaults)();
        page.push_str("\n### Parameters\n\n");
        for (name, text) in &doc.params {
            let _ = writeln!(page, "- `{name}` (default `{}`): {text}", defaults[name]);
        }
    }
    for example in &doc.examples {
        let Example {
            old,
            before,
            after,
            cluster,
            params,
        } = example;
        page.push_str("\n### Example\n");
        let parts = [
            ("Stored", old.as_ref()),
            ("Before", Some(before)),
            ("With the parameters", params.as_ref()),
            ("In the cluster", cluster.as_ref()),
            ("After", Some(after)),
        ];
        for (title, text) in parts {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                let _ = write!(page, "\n{title}:\n\n```yaml\n{text}```\n");
            }
        }
    }
}
