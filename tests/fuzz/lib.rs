//! What the fuzz targets hold.

#[path = "../common/lawful.rs"]
mod lawful;

pub mod laws;
