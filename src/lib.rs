//! steadfast

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
