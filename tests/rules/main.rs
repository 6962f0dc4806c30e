//! Laws over every rule: what each file says of itself, and what holds for whatever the rules do to any set.

#[path = "../common/mod.rs"]
mod common;

mod changes;
mod defaults;
mod documentation;
mod examples;
mod exemptions;
mod laws;
mod random;
mod repairs;
mod trials;
mod updates;
