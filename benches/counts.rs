//! The table of what each request allocates, as it is checked in: `tests/allocations.rs` holds it true.

// A vocabulary: each target uses its part.
#![allow(dead_code)]

use std::fs;
use std::path::PathBuf;

/// What one request allocates in one phase.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Count {
    /// The phase.
    pub(crate) phase: String,
    /// The body.
    pub(crate) body: String,
    /// How often it asks for memory, or for more of it.
    pub(crate) allocations: u64,
    /// How much it asks for, all in all.
    pub(crate) bytes: u64,
    /// How much it holds at most at a time.
    pub(crate) peak: u64,
}

const HEAD: &str = "phase\tbody\tallocations\tbytes\tpeak\n";

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/allocations.tsv")
}

/// What is checked in.
pub(crate) fn read() -> Vec<Count> {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let number =
        |column: Option<&str>| column.and_then(|text| text.parse().ok()).expect("a number");
    let line = |line: &str| {
        let mut columns = line.split('\t');
        let mut word = || columns.next().unwrap_or_default().to_owned();
        Count {
            phase: word(),
            body: word(),
            allocations: number(columns.next()),
            bytes: number(columns.next()),
            peak: number(columns.next()),
        }
    };
    text.lines().skip(1).map(line).collect()
}

/// Checks in anew.
pub(crate) fn write(counts: &[Count]) {
    let lines = counts.iter().map(|count| {
        let Count {
            phase,
            body,
            allocations,
            bytes,
            peak,
        } = count;
        format!("{phase}\t{body}\t{allocations}\t{bytes}\t{peak}\n")
    });
    let text = HEAD.to_owned() + &lines.collect::<String>();
    fs::write(file(), text).expect("the table can be written");
}
