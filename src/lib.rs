//! steadfast

pub mod object;
pub mod policy;
pub mod rule;
pub mod rules;
pub mod workload;
