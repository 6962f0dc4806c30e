//! Whether a volume is mounted where a workload has its data.

use super::entry::{Data, Workload};
use super::fleeting::{is_below, same};
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
            let (path, place) = (&*mount.mount_path, &*data.mount_path);
            same(path, place) || is_below(path, place) && data.misplaced_at(path).is_none()
        })
    };
    let mut all = workload.data.iter();
    let (data, reason) =
        all.find_map(|data| Some((data, data.misplaced_at(&mount.mount_path)?)))?;
    (!is_right(data) && !may_be_moved(container)).then_some(reason)
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

/// Whether the command line or the environment may name another folder.
fn may_be_moved(container: &Container<'_>) -> bool {
    let mut env = container.env.iter();
    !container.command.is_empty()
        || !container.args.is_empty()
        || !container.env_from.is_empty()
        || env.any(|variable| variable.value.contains(['/', '$']))
}
