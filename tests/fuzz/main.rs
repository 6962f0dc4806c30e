//! The laws of the fuzz targets, held against the seeds that the fuzzer starts from, and against what it found before.
//!
//! `SEED=1 cargo test --test fuzz` writes the seeds to where the fuzzer looks for them; README.md says how to go on.

#[path = "../common/mod.rs"]
mod common;
mod laws;
mod seeds;

use common::lawful;

use std::fs;
use std::path::Path;

/// Holds a law against each seed, and writes the seeds out where that is asked for.
fn holds(target: &str, seeds: &[Vec<u8>], law: impl Fn(&[u8])) {
    assert!(seeds.len() >= 20, "only {} seeds", seeds.len());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let folder = std::env::var_os("SEED").map(|_| folder.join(target));
    if let Some(folder) = &folder {
        fs::create_dir_all(folder).expect("a folder");
    }
    for (number, seed) in seeds.iter().enumerate() {
        if let Some(folder) = &folder {
            fs::write(folder.join(format!("seed-{number:03}")), seed).expect("a file");
        }
    }
    for seed in seeds {
        law(seed);
    }
}

/// A law about text; a seed that is none breaks nothing.
fn of_text(law: impl Fn(&str)) -> impl Fn(&[u8]) {
    move |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            law(text);
        }
    }
}

#[test]
fn review() {
    holds("review", &seeds::reviews(), laws::review::hold);
}

#[test]
fn view() {
    holds("view", &seeds::objects(), of_text(laws::view::hold));
}

#[test]
fn policy() {
    holds("policy", &seeds::policies(), of_text(laws::policy::hold));
}

#[test]
fn manifest() {
    holds(
        "manifest",
        &seeds::manifests(),
        of_text(laws::manifest::hold),
    );
}
