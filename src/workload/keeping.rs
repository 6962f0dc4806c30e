//! Where a container keeps what it must not lose, and whether a claim could take its place.

use super::entry::{Data, Workload};
use super::words::Said;
use crate::object::Named;
use crate::object::view::{Container, EnvVar, StatefulSet, Text, Volume};

/// On what the data of a container is that does not outlive its pod.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fleeting<'v> {
    /// On the container's own layer, which goes with every restart.
    Layer,
    /// On a volume of this name that goes with the pod.
    Pod(&'v str),
    /// On a volume of this name that stays on the node when the pod goes elsewhere.
    Node(&'v str),
}

/// On what data that belongs at `path` is lost; none where it is kept, or nobody can tell.
///
/// Who mounts anything that lasts may well have moved the data there, and what lies below the path may be the part that
/// counts.
#[must_use]
pub fn fleeting<'v>(
    set: &'v StatefulSet<'_>,
    container: &'v Container<'_>,
    path: &str,
) -> Option<Fleeting<'v>> {
    let lasting = |container: &Container<'_>| {
        let mut mounts = container.volume_mounts.iter();
        mounts.any(|mount| lasts(set, &mount.name)) || !container.volume_devices.is_empty()
    };
    if lasting(container) {
        return None;
    }
    let mounts = || container.volume_mounts.iter();
    if mounts().any(|mount| is_below(&mount.mount_path, path)) {
        return None;
    }
    let covering =
        mounts().filter(|mount| is_below(path, &mount.mount_path) || same(path, &mount.mount_path));
    let Some(mount) = covering.max_by_key(|mount| mount.mount_path.len()) else {
        // Beside one that keeps its data, it may only help: make backups, or watch.
        let mut all = set.all_containers();
        let kept = all.any(|(_, other)| lasting(other.item()));
        let kept = kept || !set.spec.volume_claim_templates.is_empty();
        return (!kept).then_some(Fleeting::Layer);
    };
    match volume(set, &mount.name)? {
        volume if volume.host_path.is_there() => Some(Fleeting::Node(&volume.name)),
        volume if volume.empty_dir.is_there() || volume.ephemeral.is_there() => {
            Some(Fleeting::Pod(&volume.name))
        }
        _ => None,
    }
}

/// Whether what is mounted under this name outlives the pod, or is not known to go with it.
fn lasts(set: &StatefulSet<'_>, name: &str) -> bool {
    let mut claims = set.spec.volume_claim_templates.iter();
    if claims.any(|claim| claim.name() == name) {
        return true;
    }
    volume(set, name).is_none_or(|volume| {
        let goes = [
            volume.empty_dir,
            volume.host_path,
            volume.ephemeral,
            volume.config_map,
            volume.secret,
            volume.projected,
            volume.downward_api,
        ];
        !goes.iter().any(|source| source.is_there())
    })
}

fn volume<'v, 'a>(set: &'v StatefulSet<'a>, name: &str) -> Option<&'v Volume<'a>> {
    let mut volumes = set.spec.template.spec.volumes.iter();
    volumes.find(|volume| volume.name == *name)
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

fn same(one: &str, other: &str) -> bool {
    parts(one).eq(parts(other))
}

fn is_below(path: &str, folder: &str) -> bool {
    let mut path = parts(path);
    parts(folder).all(|part| path.next() == Some(part)) && path.next().is_some()
}

/// Why a claim must not be mounted where the workload keeps its data by default; none where nothing speaks against it.
#[must_use]
pub fn unfit(
    set: &StatefulSet<'_>,
    container: &Container<'_>,
    workload: &Workload,
    data: &Data,
) -> Option<String> {
    let pod = &set.spec.template.spec.security_context;
    let user = container.security_context.run_as_user.or(pod.run_as_user);
    let image_user = workload.run_as_user.map(i64::from);
    let is_root = user.or(image_user).is_none_or(|user| user == 0);
    if !is_root && pod.fs_group.is_none() {
        let group = workload.fs_group.or(workload.run_as_user);
        let group = group.map_or_else(|| "of the image".to_owned(), |group| group.to_string());
        return Some(format!(
            "its user could not write to it: spec.template.spec.securityContext.fsGroup is missing ({group})"
        ));
    }
    if !container.env_from.is_empty() {
        return Some(
            "its environment, which may name another folder, is in a ConfigMap or Secret"
                .to_owned(),
        );
    }
    let mut mounts = container.volume_mounts.iter();
    if Said::by(container).is_configured() || mounts.any(|mount| configures(set, &mount.name)) {
        return Some("its configuration may keep the data elsewhere".to_owned());
    }
    let moves = |variable: &EnvVar<'_>| match data.env.get(&*variable.name) {
        Some(value) => *value != *variable.value,
        // What has no value here is known to somebody else.
        None => {
            variable.value.contains('/')
                || variable.value.is_empty() && names_folder(&variable.name)
        }
    };
    // An empty word is how a server is told to keep nothing: `--save ""`.
    let speaks =
        |word: &Text<'_>| word.is_empty() || word.contains(['/', '$']) || names_folder(word);
    let elsewhere = container.env.iter().any(moves) || container.args.iter().any(speaks);
    (elsewhere || !container.command.is_empty())
        .then(|| "its command line or environment may keep the data elsewhere".to_owned())
}

/// Whether what is mounted under this name is configuration.
fn configures(set: &StatefulSet<'_>, name: &str) -> bool {
    volume(set, name).is_some_and(|volume| {
        let sources = [volume.config_map, volume.secret, volume.projected];
        sources.iter().any(|source| source.is_there())
    })
}

/// Whether the container runs the workload's own server, as far as its command line tells: the image of a database also makes its
/// backups.
#[must_use]
pub fn serves(container: &Container<'_>, workload: &Workload) -> bool {
    let said = Said::by(container);
    // MongoDB's router keeps nothing.
    let keeps_nothing = said.is_idle() || said.has_words("mongos");
    !keeps_nothing && !said.is_told(&workload.not_if) && said.runs_server(&workload.id)
}

/// Whether a word speaks of a folder.
fn names_folder(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    [
        "dir", "data", "path", "store", "storage", "home", "db", "base", "root", "mem",
    ]
    .iter()
    .any(|part| word.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = r#"{"emptyDir":{},"name":"v"}"#;

    fn found(volume: &str, claims: &str, mounts: &str) -> Option<String> {
        let text = format!(
            r#"{{"spec":{{"volumeClaimTemplates":[{claims}],"template":{{"spec":{{"volumes":[{volume}],
               "containers":[{{"name":"c","volumeMounts":[{mounts}]}}]}}}}}}}}"#
        );
        let set = StatefulSet::parse(&text).expect("a set");
        let container = &set.spec.template.spec.containers[0];
        fleeting(&set, container, "/var/lib/db").map(|found| format!("{found:?}"))
    }

    #[test]
    fn data_is_lost_with_what_it_is_on() {
        let at = |path: &str| format!(r#"{{"name":"v","mountPath":"{path}"}}"#);
        assert_eq!(found("", "", ""), Some("Layer".to_owned()));
        for path in ["/var/lib/db", "/var/lib//db/", "/var/lib", "/"] {
            let pod = Some(r#"Pod("v")"#.to_owned());
            assert_eq!(found(POD, "", &at(path)), pod, "{path}");
        }
        let node = found(
            r#"{"hostPath":{"path":"/x"},"name":"v"}"#,
            "",
            &at("/var/lib/db"),
        );
        assert_eq!(node, Some(r#"Node("v")"#.to_owned()));
        let elsewhere = found(POD, "", &at("/var/lib/dbx"));
        assert_eq!(elsewhere, Some("Layer".to_owned()));
    }

    #[test]
    fn data_that_may_be_kept_is_not_lost() {
        let mount = r#"{"name":"v","mountPath":"/x"}"#;
        let claim = r#"{"metadata":{"name":"v"}}"#;
        for (volume, claims) in [
            ("", claim),
            (
                r#"{"name":"v","persistentVolumeClaim":{"claimName":"x"}}"#,
                "",
            ),
            (r#"{"name":"v","nfs":{}}"#, ""),
            // Defined nowhere, which is another rule's.
            ("", ""),
            // The claim wins over the volume.
            (POD, claim),
        ] {
            assert_eq!(found(volume, claims, mount), None, "{volume} {claims}");
        }
        let below = found(POD, "", r#"{"name":"v","mountPath":"/var/lib/db/x"}"#);
        assert_eq!(below, None);
        let configured = r#"{"name":"v","mountPath":"/var/lib/db"}"#;
        assert_eq!(found(r#"{"name":"v","secret":{}}"#, "", configured), None);
    }
}
