//! The real process: under load, and before a stand-in for the API server.

#![cfg(feature = "server")]

mod budgets;
#[path = "../common/mod.rs"]
mod common;
mod flood;
mod server;
mod services;
mod stand_in;
