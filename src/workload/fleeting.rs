//! On what a container's data is lost.

use super::entry::Workload;
use super::place::misplaced;
use crate::object::Named;
use crate::object::view::{Container, StatefulSet, Volume};

/// On what the data of a container is that does not outlive its pod.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fleeting<'v> {
    /// On the container's own layer, which goes with every restart.
    Layer,
    /// On a volume of this name that goes with the pod.
    Pod(&'v str),
    /// On a volume of this name that stays on the node when the pod goes elsewhere.
    Node(&'v str),
    /// Beside the volume that is there for it.
    Beside {
        /// The volume.
        volume: &'v str,
        /// Where it is mounted.
        at: &'v str,
        /// Why the data is not on it.
        reason: &'v str,
    },
}

impl Fleeting<'_> {
    /// What is wrong, and why it matters, of somebody whose data is by default at `path`.
    #[must_use]
    pub fn said(self, who: &str, path: &str) -> (String, &'static str) {
        match self {
            Self::Layer => (
                format!(
                    "{who} mounts no volume that lasts; its data, by default in {path}, is in the container's own layer"
                ),
                "it is lost with every restart of the container",
            ),
            Self::Pod(volume) => (
                format!(
                    "{who} keeps its data, by default in {path}, in volume {volume}, which goes with the pod"
                ),
                "it is lost with every rollout and eviction",
            ),
            Self::Node(volume) => (
                format!(
                    "{who} keeps its data, by default in {path}, in volume {volume}, which is a folder of the node"
                ),
                "a pod that comes up on another node starts empty",
            ),
            Self::Beside { volume, at, reason } => (
                format!("{who} mounts {volume} at {at}, where its data may not be: {reason}"),
                "what is written elsewhere is lost with the container",
            ),
        }
    }
}

/// The volume that is there for the data of a workload and does not get it.
#[must_use]
pub fn beside<'v>(
    set: &'v StatefulSet<'_>,
    container: &'v Container<'_>,
    workload: &'v Workload,
) -> Option<Fleeting<'v>> {
    let mut mounts = container.volume_mounts.iter();
    mounts.find_map(|mount| {
        let reason = misplaced(container, mount, workload)?;
        let mut claims = set.spec.volume_claim_templates.iter();
        let is_there =
            claims.any(|claim| claim.name() == &*mount.name) || volume(set, &mount.name).is_some();
        (is_there && lasts(set, &mount.name)).then_some(Fleeting::Beside {
            volume: &mount.name,
            at: &mount.mount_path,
            reason,
        })
    })
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
    let covering = mounts().filter(|mount| is_at(path, &mount.mount_path));
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

pub(super) fn volume<'v, 'a>(set: &'v StatefulSet<'a>, name: &str) -> Option<&'v Volume<'a>> {
    let mut volumes = set.spec.template.spec.volumes.iter();
    volumes.find(|volume| volume.name == *name)
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

pub(super) fn same(one: &str, other: &str) -> bool {
    parts(one).eq(parts(other))
}

/// Whether it is this folder, or below it.
pub(super) fn is_at(path: &str, folder: &str) -> bool {
    same(path, folder) || is_below(path, folder)
}

pub(super) fn is_below(path: &str, folder: &str) -> bool {
    let mut path = parts(path);
    parts(folder).all(|part| path.next() == Some(part)) && path.next().is_some()
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
