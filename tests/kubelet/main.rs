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

use std::thread;

/// What happens to each server. All at once: they mostly wait.
const STORIES: [(&str, fn()); 13] = [
    ("etcd, a member alone", etcd::a_member_alone),
    (
        "etcd, a member without its peer",
        etcd::a_member_without_its_peer,
    ),
    ("memcached", memcached::memcached_lives),
    ("nats", nats::nats_lives),
    ("postgres", postgres::postgres_lives),
    (
        "postgres, its first scripts",
        postgres::postgres_runs_its_first_scripts,
    ),
    (
        "postgres, after a crash",
        postgres::postgres_recovers_from_a_crash,
    ),
    ("redis", redis::redis_lives),
    (
        "redis, held up by a script",
        redis::redis_is_held_up_by_a_script,
    ),
    ("redis, loading", redis::redis_loads_its_data),
    ("valkey", redis::valkey_lives),
    (
        "valkey, held up by a script",
        redis::valkey_is_held_up_by_a_script,
    ),
    ("valkey, loading", redis::valkey_loads_its_data),
];

#[test]
fn real_servers_are_asked_rightly() {
    let told = STORIES.map(|(name, story)| {
        let thread = thread::Builder::new().name(name.to_owned());
        (name, thread.spawn(story).expect("a thread"))
    });
    let failed = told
        .into_iter()
        .filter_map(|(name, story)| story.join().err().map(|_| name));
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "{failed:?}; what was wrong stands above");
}
