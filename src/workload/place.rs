//! Whether a volume is mounted where a workload has its data.

use super::entry::{Data, Workload};
use super::fleeting::{is_at, is_below, same};
use super::keeping::{names_folder, serves};
use crate::object::view::{Container, VolumeMount};

/// Why what is mounted here will not hold the workload's data; none where it may, or where the manifest may have moved it.
#[must_use]
pub fn misplaced<'w>(
    container: &Container<'_>,
    mount: &VolumeMount<'_>,
    workload: &'w Workload,
) -> Option<&'w str> {
    let is_right = |data: &Data| {
        let mut mounts = container.volume_mounts.iter();
        mounts.any(|mount| {
            let path = &*mount.mount_path;
            is_at(path, &data.mount_path) && data.misplaced_at(path).is_none()
        })
    };
    let mut all = workload.data.iter();
    let (data, reason) =
        all.find_map(|data| Some((data, data.misplaced_at(&mount.mount_path)?)))?;
    (!is_right(data) && !may_be_moved(container, data)).then_some(reason)
}

/// Where else the data of a workload is, of which the container mounts no part; none where the manifest may have moved it.
#[must_use]
pub fn elsewhere(container: &Container<'_>, workload: &Workload) -> Option<String> {
    let is_covered = |data: &Data| {
        let (mut mounts, place) = (container.volume_mounts.iter(), &*data.mount_path);
        mounts.any(|mount| is_at(&mount.mount_path, place) || is_below(place, &mount.mount_path))
    };
    let defaults = || workload.data.iter().filter(|data| data.by_default);
    let is_moved = |data: &Data| may_be_moved(container, data);
    let first = defaults().next()?;
    let is_elsewhere =
        serves(container, workload) && !defaults().any(|data| is_covered(data) || is_moved(data));
    is_elsewhere.then(|| format!("its data is in {}, which nothing mounts", first.mount_path))
}

/// Whether the workload is known to have its data right there.
#[must_use]
pub fn is_known(mount: &VolumeMount<'_>, workload: &Workload) -> bool {
    let mut all = workload.data.iter();
    all.any(|data| same(&data.mount_path, &mount.mount_path))
}

/// The folder of the volume that the workload wants to have there, where the mount gives it the whole.
#[must_use]
pub fn wanted_folder<'w>(
    container: &Container<'_>,
    mount: &VolumeMount<'_>,
    workload: &'w Workload,
) -> Option<&'w str> {
    let is_whole = mount.sub_path.is_empty() && mount.sub_path_expr.is_empty();
    let here = |data: &&Data| same(&data.mount_path, &mount.mount_path);
    let data = workload.data.iter().find(here).filter(|_| is_whole)?;
    let mut env = container.env.iter();
    let is_told = env.any(|variable| data.env.contains_key(&*variable.name));
    data.sub_path.as_deref().filter(|_| !is_told)
}

impl Data {
    /// Why a volume at this path does not hold it.
    fn misplaced_at(&self, path: &str) -> Option<&str> {
        let mut places = self.misplaced.iter();
        let (_, reason) = places.find(|(place, _)| same(place, path))?;
        Some(reason)
    }
}

/// Whether the command line, the environment or a configuration may name another folder.
fn may_be_moved(container: &Container<'_>, data: &Data) -> bool {
    let mut env = container.env.iter();
    let mut args = container.args.iter();
    !container.command.is_empty()
        || !container.env_from.is_empty()
        || args.any(|word| word.contains(['/', '$']) || names_folder(word))
        || env.any(|variable| {
            let (name, value) = (&*variable.name, &*variable.value);
            data.env.contains_key(name)
                || names_folder(name) && (value.is_empty() || value.contains(['/', '$']))
        })
}
