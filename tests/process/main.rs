//! The real process under load.

#![cfg(feature = "server")]

#[path = "../common/mod.rs"]
mod common;
mod flood;
mod server;
mod services;
