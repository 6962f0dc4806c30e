//! steadfast

pub mod admission;
pub mod cluster;
pub mod engine;
pub mod object;
pub mod policy;
pub mod rule;
pub mod rules;
pub mod workload;
