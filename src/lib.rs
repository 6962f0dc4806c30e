#![doc = include_str!("../README.md")]
//!
//! # The house
//! Arrows point one way: a room uses only rooms to its left.
//! ```text
//! object <- rule <- rules <- policy <- engine <- admission <- server        engine <- report <- cli
//! ```
//! [`workload`], what is known of programs, stands beside [`object`]. [`cluster`] implements the port that [`rule`] owns;
//! `server` and [`cli`] plug it in.
//!
//! What holds everywhere:
//! - Rules never edit, log, read clocks, or ask anybody but their context.
//! - The engine is the only caller of a rule's check, and of [`object::Draft::apply`], the only writer.
//! - An absent field and its Kubernetes default read the same; `null` is absent; unknown is not absent.
//! - Nothing below `server` waits but `cluster::Live`, which `server` alone asks; and nothing there but `cli` touches a file.
//! - Only CREATE injects, and only what is absent; UPDATE only restores.
//!
//! The library serves the program of the same name and promises no API.

pub mod admission;
pub mod cli;
pub mod cluster;
pub mod engine;
pub mod object;
pub mod policy;
pub mod report;
pub mod rule;
pub mod rules;
#[cfg(feature = "server")]
pub mod server;
pub mod workload;
