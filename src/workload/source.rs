//! Where the probe of a container comes from: what is known of its workload, or the ports that it declares.

use super::bound::Bound;
use super::catalogue::Match;
use super::entry::{Confidence, KnownProbe, Workload};
use super::fleeting::is_at;
use super::ports::{self, Port};
use super::words::Said;
use super::{Asked, Catalogue, Forming, Handler, Kind, Numbers, Preferences, Withheld, is_helper};
use crate::object::view::{Container, StatefulSet};

/// In a pod of more containers nothing is derived: nobody has so many, and to look at each beside all takes their square.
const CROWD: usize = 256;

/// How to ask `container`, for each kind of probe that it lacks: the one place where a probe's value comes from.
pub fn probe(
    catalogue: &Catalogue,
    set: &StatefulSet<'_>,
    container: &Container<'_>,
    kind: Kind,
    preferences: Preferences<'_>,
) -> Result<Asked, Withheld> {
    let containers = set.spec.template.spec.containers.len();
    let named = preferences
        .helpers
        .iter()
        .any(|name| *container.name == **name);
    // A pod's only container helps nobody.
    if named || (containers > 1 && is_helper(&container.name)) {
        return Err(Withheld::Helper);
    }
    if containers > CROWD {
        return Err(Withheld::Crowd);
    }
    let said = Said::by(container);
    if said.is_idle() {
        return Err(Withheld::Idle);
    }
    if kind != Kind::Readiness && runs_scripts_first(container) {
        return Err(Withheld::FirstStart);
    }
    match catalogue.find(&said) {
        Match::None => declared(set, container, preferences),
        Match::Role => Err(Withheld::Role),
        Match::Tag {
            workloads,
            namesake,
        } => match agreed(&workloads, kind) {
            Some(workload) => known(workload, namesake, set, &said, kind, preferences),
            None => declared(set, container, preferences),
        },
        Match::One { workload, namesake } => {
            known(workload, namesake, set, &said, kind, preferences)
        }
    }
}

/// Whether the image runs what is mounted there when it starts for the first time, as those of databases do: no budget is certain
/// to be enough for it, and whoever is killed meanwhile comes back with half of it done, as if it were all.
fn runs_scripts_first(container: &Container<'_>) -> bool {
    let mut mounts = container.volume_mounts.iter();
    mounts.any(|mount| is_at(&mount.mount_path, "/docker-entrypoint-initdb.d"))
}

/// One of several workloads, where all are asked alike.
fn agreed<'c>(workloads: &[&'c Workload], kind: Kind) -> Option<&'c Workload> {
    let (first, rest) = workloads.split_first()?;
    let alike = |other: &&&Workload| other.probe(kind).0 == first.probe(kind).0;
    rest.iter().all(|other| alike(&other)).then_some(*first)
}

/// By the port that the container declares.
fn declared(
    set: &StatefulSet<'_>,
    container: &Container<'_>,
    preferences: Preferences<'_>,
) -> Result<Asked, Withheld> {
    let port = ports::main(set, container)?;
    let Forming { waits, has_peers } = preferences.forming;
    if waits && has_peers {
        return Err(Withheld::Forming);
    }
    let handler = match port {
        Port {
            number, grpc: true, ..
        } if preferences.grpc_health => Handler::Grpc(number),
        port => Handler::Tcp(port),
    };
    Ok(Asked {
        handler,
        numbers: Numbers::default(),
        workload: None,
    })
}

/// As the workload is known to be asked, or in a safer way where the manifest leaves doubt.
fn known(
    workload: &Workload,
    namesake: bool,
    set: &StatefulSet<'_>,
    said: &Said<'_, '_>,
    kind: Kind,
    preferences: Preferences<'_>,
) -> Result<Asked, Withheld> {
    if said.listens_nowhere(&workload.id) {
        return Err(Withheld::NoListener);
    }
    let (probe, why) = workload.probe(kind);
    let Some(probe) = probe else {
        // Without a reason nothing is known of it but its port.
        if why.is_empty() {
            if preferences.forming.waits && workload.ready_needs_peers {
                return Err(Withheld::Forming);
            }
            return declared(set, said.container(), preferences);
        }
        return Err(Withheld::Harmful {
            workload: workload.id.clone(),
            why: why.to_owned(),
        });
    };
    if workload.confidence == Confidence::Low || said.is_told(&workload.not_if) {
        return declared(set, said.container(), preferences);
    }
    let is_sure = workload.confidence == Confidence::High && !namesake;
    let Forming { waits, has_peers } = preferences.forming;
    if waits && (workload.ready_needs_peers || !is_sure && has_peers) {
        return Err(Withheld::Forming);
    }
    let Some(port) = port(workload, probe, namesake, set, said)? else {
        return declared(set, said.container(), preferences);
    };
    let bound = said.bound();
    let handler = if is_sure {
        handler(workload, probe, port, bound, said)
    } else {
        Handler::Tcp(port.port)
    };
    if bound == Bound::Loopback && !matches!(handler, Handler::Exec(_)) {
        return Err(Withheld::Loopback);
    }
    // What takes a command seconds, a connection does not; but how often may fail is the workload's all the same.
    Ok(Asked {
        handler,
        numbers: Numbers::of(probe),
        workload: Some(workload.id.clone()),
    })
}

/// The port to ask, and whether it is the one that the known probe asks.
struct AskedPort {
    port: Port,
    is_own: bool,
}

/// Where the container listens: where the manifest confirms it. None where everything is moved, or nothing is said of it.
fn port(
    workload: &Workload,
    probe: &KnownProbe,
    namesake: bool,
    set: &StatefulSet<'_>,
    said: &Said<'_, '_>,
) -> Result<Option<AskedPort>, Withheld> {
    let container = said.container();
    let client = workload.tcp_ports().next();
    let Some(asked) = probe.port().or(client) else {
        // A command that asks no port.
        return Ok(None);
    };
    // What the author asks by himself is where it listens.
    if let Some(own) = ports::asked(set, container) {
        let is_own = own.number == asked;
        return Ok(Some(AskedPort { port: own, is_own }).filter(|_| is_own));
    }
    let defaults: Vec<_> = workload.tcp_ports().collect();
    let is_declared = |number: u16| ports::declared(set, container, number);
    if let Some(port) = is_declared(asked) {
        return Ok(Some(AskedPort { port, is_own: true }));
    }
    if ports::declares_any(container) {
        let known = workload.tcp_ports().find_map(is_declared);
        // A second port that is switched on by name need not be declared.
        let is_on = said.is_told(&workload.enabled_by) && !said.names_other_port(&defaults);
        return Ok(known.map(|known| AskedPort {
            port: if is_on { Port::numbered(asked) } else { known },
            is_own: is_on,
        }));
    }
    // Nothing is declared: the default holds where nothing speaks against it.
    let Some(client) = client else {
        return Ok(None);
    };
    let is_moved = namesake
        || said.names_other_port(&[client])
        || said.is_configured()
        || !container.command.is_empty()
        || !said.starts_server(&workload.id);
    if is_moved {
        return Err(Withheld::NoPort);
    }
    // A second port may be switched off; that of the clients is not.
    Ok(Some(AskedPort {
        port: Port::numbered(client),
        is_own: client == asked,
    }))
}

/// The handler, as safe as the manifest's doubts call for: a connection to the same port never asks too much.
fn handler(
    workload: &Workload,
    probe: &KnownProbe,
    AskedPort { port, is_own }: AskedPort,
    bound: Bound,
    said: &Said<'_, '_>,
) -> Handler {
    let told_on = said.is_told(&workload.enabled_by);
    let is_off = !told_on && !workload.enabled_by.is_empty();
    if !is_own || is_off || said.is_told(&workload.tls_hints) {
        return Handler::Tcp(port);
    }
    let is_plain = told_on && workload.plain_when_enabled;
    let may_speak_tls = !is_plain && said.may_speak_tls();
    let may_be_elsewhere = may_speak_tls || said.has_prefix();
    match (&probe.exec, &probe.http_get) {
        (Some(_), _) if may_be_elsewhere && !workload.tls_proof => Handler::Tcp(port),
        // A command asks by loopback.
        (Some(_), _) if bound == Bound::Elsewhere => Handler::Tcp(port),
        (Some(exec), _) => Handler::Exec(exec.command.clone()),
        (None, Some(_)) if may_be_elsewhere => Handler::Tcp(port),
        (None, Some(http)) => Handler::Http {
            path: http.path.clone(),
            port,
            scheme: http.scheme.clone(),
        },
        (None, None) => Handler::Tcp(port),
    }
}
