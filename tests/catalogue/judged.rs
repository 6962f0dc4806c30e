//! A list of differences, each judged by reading. `UPDATE=1` writes it anew, and keeps what was judged.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

/// The list as it was, and as it is found.
pub(crate) struct Judged {
    file: PathBuf,
    known: String,
    judgements: BTreeMap<String, String>,
    pub(crate) found: String,
}

impl Judged {
    /// The list in this file, which says this above itself.
    pub(crate) fn read(file: &str, head: &str) -> Self {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
        let known = fs::read_to_string(&file).unwrap_or_default();
        let lines = known.lines().filter(|line| !line.starts_with('#'));
        let lines = lines.filter_map(|line| line.rsplit_once('\t'));
        let owned = |(line, judgement): (&str, &str)| (line.to_owned(), judgement.to_owned());
        Self {
            judgements: lines.map(owned).collect(),
            file,
            found: head.to_owned(),
            known,
        }
    }

    /// Adds a difference, with what was judged of it.
    pub(crate) fn add(&mut self, line: &str) {
        let judgement = self.judgements.get(line).map_or("?", String::as_str);
        let _ = writeln!(self.found, "{line}\t{judgement}");
    }

    /// Nothing is new, and nothing is open.
    pub(crate) fn settle(self) {
        let Self { found, known, .. } = self;
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&self.file, &found).expect("a file");
            return;
        }
        assert_eq!(
            found, known,
            "UPDATE=1 writes the list anew; judge what is new in it"
        );
        let open: Vec<_> = found.lines().filter(|line| line.ends_with("\t?")).collect();
        assert!(open.is_empty(), "not judged yet:\n{}", open.join("\n"));
    }
}
