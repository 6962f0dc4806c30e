//! steadfast

pub mod object;
