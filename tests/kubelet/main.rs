//! The catalogue's probes against real servers: while one starts, is up, gets no time to run, recovers and is stopped.
//!
//! The probes are those that are injected, but for the port numbers; a small prober asks them as a kubelet does, twenty times
//! as fast. Only servers that are at hand are tested: etcd among the control plane's programs, the others on `PATH`.

// What is left out, a test says on the terminal.
#![allow(clippy::print_stdout)]

mod etcd;
mod handler;
mod injected;
mod life;
mod memcached;
mod nats;
mod postgres;
mod prober;
mod redis;
mod server;
mod worker;
