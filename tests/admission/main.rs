//! The wire: whatever bytes come in, the answer is a lawful review or one clear refusal.

#[path = "../common/mod.rs"]
mod common;

mod bad;
mod lawful;
mod marks;
mod mutants;
mod odd;
mod recorded;
mod reviews;
mod wide;
