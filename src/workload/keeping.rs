//! Whether a claim could take the place where a workload keeps its data.

use super::entry::{Data, Workload};
use super::fleeting::volume;
use super::words::Said;
use crate::object::view::{Container, EnvVar, StatefulSet, Text};

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
pub(super) fn names_folder(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    [
        "dir", "data", "path", "store", "storage", "home", "db", "base", "root", "mem",
    ]
    .iter()
    .any(|part| word.contains(part))
}
