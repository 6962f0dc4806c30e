//! What is known of a workload, and where from.

use std::io::Write;

use anstyle::Style;
use anyhow::{Result, bail};

use crate::object::yaml::nearest;
use crate::workload::{Catalogue, Confidence, KnownProbe, Workload};

/// Writes what is known of the workload of this name or image; without one, which there are.
pub(super) fn explain(
    out: &mut dyn Write,
    catalogue: &Catalogue,
    name: Option<&str>,
) -> Result<()> {
    let Some(name) = name else {
        return list(out, catalogue);
    };
    let (found, namesake) = catalogue.named(name);
    if found.is_empty() {
        let known = catalogue.workloads().map(|workload| &*workload.id);
        let known: Vec<_> = known.collect();
        let is_kin = |id: &&&str| {
            id.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('-'))
        };
        let kin: Vec<_> = known
            .iter()
            .filter(is_kin)
            .map(|id| format!("`{id}`"))
            .collect();
        let near = nearest(name, known.iter().copied()).map(|near| format!("`{near}`"));
        let meant = match kin[..] {
            [] => near,
            _ => Some(kin.join(" or ")),
        };
        let meant = meant.map(|meant| format!("; did you mean {meant}?"));
        bail!(
            "no workload or image {name:?}, of that version, is known{} (`steadfast explain workload` lists them)",
            meant.unwrap_or_default()
        );
    }
    if namesake {
        writeln!(
            out,
            "{name} is somebody's own image of that name: only its port is asked. What follows is known of the workload.\n"
        )?;
    }
    for (number, workload) in found.into_iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        one(out, workload)?;
    }
    writeln!(
        out,
        "\nThe rules' parameters are the least: by default 120 s of failures before a kill, and 1800 s to start."
    )?;
    Ok(())
}

fn list(out: &mut dyn Write, catalogue: &Catalogue) -> Result<()> {
    let mut all: Vec<_> = catalogue.workloads().collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    let width = all
        .iter()
        .map(|workload| workload.id.len())
        .max()
        .unwrap_or_default();
    for workload in all {
        let images = workload.images.join(", ");
        writeln!(
            out,
            "{:width$}  {:6}  {images}",
            workload.id,
            workload.confidence.as_str()
        )?;
    }
    Ok(())
}

fn one(out: &mut dyn Write, workload: &Workload) -> Result<()> {
    let bold = Style::new().bold();
    let relied_on = match workload.confidence {
        Confidence::High => "its probes are injected as they stand",
        Confidence::Medium => "only its ports are asked",
        Confidence::Low => "nothing is injected by it",
    };
    let checked = workload.checked.as_deref().unwrap_or("never");
    writeln!(
        out,
        "{bold}{}{bold:#} (confidence {}: {relied_on}; checked {checked})\n",
        workload.id,
        workload.confidence.as_str()
    )?;
    let ports = workload.ports.iter().map(|port| {
        let protocol = port.protocol.as_deref().map(|of| format!("/{of}"));
        format!(
            "{} {}{}",
            port.name,
            port.port,
            protocol.unwrap_or_default()
        )
    });
    for (title, text) in [
        ("images", workload.images.join(", ")),
        ("tags", workload.tags.clone().unwrap_or_default()),
        ("role", workload.role.clone().unwrap_or_default()),
        ("command line has one of", workload.role_tokens.join(", ")),
        ("ports", ports.collect::<Vec<_>>().join(", ")),
        ("only its port with any of", workload.tls_hints.join(", ")),
        (
            "only its port without any of",
            workload.enabled_by.join(", "),
        ),
        ("not with any of", workload.not_if.join(", ")),
    ] {
        if !text.is_empty() {
            writeln!(out, "{title}: {text}")?;
        }
    }
    for (title, probe, why) in [
        ("Readiness", &workload.readiness, &workload.why.readiness),
        ("Liveness", &workload.liveness, &workload.why.liveness),
        ("Startup", &workload.startup, &workload.why.startup),
    ] {
        writeln!(out, "\n{bold}{title}{bold:#}: {}", asked(probe.as_ref()))?;
        if !why.is_empty() {
            writeln!(out, "  {why}")?;
        }
    }
    data(out, workload)?;
    set(out, workload)?;
    for (title, lines) in [("Notes", &workload.notes), ("From", &workload.sources)] {
        if !lines.is_empty() {
            writeln!(out, "\n{bold}{title}{bold:#}")?;
        }
        for line in lines {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

fn asked(probe: Option<&KnownProbe>) -> String {
    let Some(probe) = probe else {
        return "none".to_owned();
    };
    let asks = match (&probe.exec, &probe.http_get, &probe.tcp_socket) {
        (Some(exec), _, _) => format!("exec {}", exec.command.join(" ")),
        (_, Some(http), _) => format!("httpGet {} {} on {}", http.scheme, http.path, http.port),
        (_, _, Some(tcp)) => format!("tcpSocket {}", tcp.port),
        (None, None, None) => "none".to_owned(),
    };
    format!(
        "{asks}, every {} s, for {} s at most, {} failures",
        probe.period_seconds, probe.timeout_seconds, probe.failure_threshold
    )
}

fn data(out: &mut dyn Write, workload: &Workload) -> Result<()> {
    let bold = Style::new().bold();
    if !workload.data.is_empty() {
        writeln!(out, "\n{bold}Data{bold:#}")?;
    }
    for data in &workload.data {
        let sub_path = data
            .sub_path
            .as_deref()
            .map(|path| format!(", subPath {path}"));
        let env = data
            .env
            .iter()
            .map(|(name, value)| format!(", {name}={value}"));
        let env: String = env.collect();
        writeln!(
            out,
            "  {}{}{env}",
            data.mount_path,
            sub_path.unwrap_or_default()
        )?;
        for (place, reason) in &data.misplaced {
            writeln!(out, "    not {place}: {reason}")?;
        }
        if !data.note.is_empty() {
            writeln!(out, "    {}", data.note)?;
        }
    }
    Ok(())
}

fn set(out: &mut dyn Write, workload: &Workload) -> Result<()> {
    let bold = Style::new().bold();
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let is = |is: bool| is.then(|| "yes".to_owned());
    let grace = number(workload.termination_grace_period_seconds);
    let stated = |field: &str, value: Option<String>| {
        let defaulted = workload.defaulted.iter().any(|of| of == field);
        value.filter(|_| !defaulted)
    };
    writeln!(out, "\n{bold}The set{bold:#}")?;
    for (title, value) in [
        (
            "governing Service",
            Some(format!("<set>{}", workload.headless_suffix)),
        ),
        (
            "podManagementPolicy",
            stated(
                "podManagementPolicy",
                workload.pod_management_policy.clone(),
            ),
        ),
        (
            "updateStrategy",
            stated("updateStrategy", workload.update_strategy.clone()),
        ),
        (
            "terminationGracePeriodSeconds",
            stated("terminationGracePeriodSeconds", grace),
        ),
        (
            "publishNotReadyAddresses",
            is(workload.publish_not_ready_addresses),
        ),
        (
            "is ready only with its peers",
            is(workload.ready_needs_peers),
        ),
        ("needs a majority", is(workload.quorum)),
        ("runAsUser", number(workload.run_as_user)),
        ("fsGroup", number(workload.fs_group)),
        ("no shell in the image", is(workload.no_shell)),
        ("commands work beside TLS", is(workload.tls_proof)),
    ] {
        if let Some(value) = value {
            writeln!(out, "  {title}: {value}")?;
        }
    }
    Ok(())
}
