//! Walks over the lists of a StatefulSet, each item with the place it stands at.

use std::ops::Deref;

use super::Path;
use super::view::{ClaimTemplate, Container, StatefulSet, Volume, VolumeDevice, VolumeMount};

/// What a list item is called.
pub trait Named {
    /// The name; empty where it has none.
    fn name(&self) -> &str;
}

macro_rules! named {
    ($($ty:ident)*) => { $(impl Named for $ty<'_> { fn name(&self) -> &str { &self.name } })* };
}
named!(Container Volume VolumeMount VolumeDevice);

impl Named for ClaimTemplate<'_> {
    fn name(&self) -> &str {
        &self.metadata.name
    }
}

/// An item of a list, with the place it stands at.
#[derive(Debug)]
pub struct At<'v, T> {
    list: &'v [T],
    index: usize,
    keys: &'static [&'static str],
}

impl<T> Clone for At<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for At<'_, T> {}

impl<'v, T> At<'v, T> {
    /// The item, for as long as the set lives.
    #[must_use]
    pub fn item(&self) -> &'v T {
        &self.list[self.index]
    }

    fn all(keys: &'static [&'static str], list: &'v [T]) -> impl Iterator<Item = Self> + Clone {
        (0..list.len()).map(move |index| Self { list, index, keys })
    }
}

impl<T> Deref for At<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.item()
    }
}

impl<T: Named> At<'_, T> {
    /// The item's place, named where the name is the item's own in its list.
    #[must_use]
    pub fn path(&self) -> Path {
        Path::of(self.keys).item(self.index, own_name(self.list, self.index))
    }
}

/// What runs a container, and so which probes it may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ContainerKind {
    /// `containers`.
    Main,
    /// `initContainers` that end before the others begin; the API server forbids probes on them.
    Init,
    /// `initContainers` with `restartPolicy: Always`: native sidecars.
    Sidecar,
}

/// A use of a volume by a container: a mount or a raw block device.
#[derive(Debug)]
pub struct Mount<'v, 'a> {
    /// Who uses it.
    pub container: At<'v, Container<'a>>,
    /// The volume's name.
    pub volume: &'v str,
    /// The mount, unless it is a raw block device.
    pub mount: Option<&'v VolumeMount<'a>>,
    index: usize,
}

impl Mount<'_, '_> {
    /// The place of the mount.
    #[must_use]
    pub fn path(&self) -> Path {
        let (container, index) = (self.container.item(), self.index);
        let (list, name) = if self.mount.is_some() {
            ("volumeMounts", own_name(&container.volume_mounts, index))
        } else {
            ("volumeDevices", own_name(&container.volume_devices, index))
        };
        self.container.path().key(list).item(index, name)
    }
}

impl<'a> StatefulSet<'a> {
    /// The containers proper.
    pub fn containers(&self) -> impl Iterator<Item = At<'_, Container<'a>>> + Clone {
        At::all(
            &["spec", "template", "spec", "containers"],
            &self.spec.template.spec.containers,
        )
    }

    /// The init containers, native sidecars among them.
    pub fn init_containers(&self) -> impl Iterator<Item = At<'_, Container<'a>>> + Clone {
        At::all(
            &["spec", "template", "spec", "initContainers"],
            &self.spec.template.spec.init_containers,
        )
    }

    /// Every container with its kind, init containers first, as the kubelet starts them.
    pub fn all_containers(
        &self,
    ) -> impl Iterator<Item = (ContainerKind, At<'_, Container<'a>>)> + Clone {
        let init = self
            .init_containers()
            .map(|container| match &*container.restart_policy {
                "Always" => (ContainerKind::Sidecar, container),
                _ => (ContainerKind::Init, container),
            });
        init.chain(
            self.containers()
                .map(|container| (ContainerKind::Main, container)),
        )
    }

    /// The pod's volumes, without those from claim templates.
    pub fn volumes(&self) -> impl Iterator<Item = At<'_, Volume<'a>>> {
        At::all(
            &["spec", "template", "spec", "volumes"],
            &self.spec.template.spec.volumes,
        )
    }

    /// The claim templates.
    pub fn claim_templates(&self) -> impl Iterator<Item = At<'_, ClaimTemplate<'a>>> {
        At::all(
            &["spec", "volumeClaimTemplates"],
            &self.spec.volume_claim_templates,
        )
    }

    /// Every use of a volume by any container.
    pub fn mounts(&self) -> impl Iterator<Item = Mount<'_, 'a>> {
        self.all_containers().flat_map(|(_, container)| {
            let (mounts, devices) = (
                &container.item().volume_mounts,
                &container.item().volume_devices,
            );
            let mounts = mounts.iter().enumerate().map(move |(index, mount)| Mount {
                container,
                volume: &mount.name,
                mount: Some(mount),
                index,
            });
            let devices = devices.iter().enumerate();
            let devices = devices.map(move |(index, device)| Mount {
                container,
                volume: &device.name,
                mount: None,
                index,
            });
            mounts.chain(devices)
        })
    }
}

/// Items of a longer list go by their positions: to look for double names would take the square of its length, and no pod
/// has so many of anything.
const NAMED_LIST: usize = 256;

/// The item's name, unless it is empty or another item's too.
fn own_name<T: Named>(list: &[T], index: usize) -> Option<String> {
    let name = list[index].name();
    let is_alone = || list.iter().filter(|item| item.name() == name).count() == 1;
    let own = !name.is_empty() && list.len() <= NAMED_LIST && is_alone();
    own.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_named_where_the_name_is_their_own() {
        let set = StatefulSet::parse(
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"b"},{},null]}}}}"#,
        )
        .expect("a set");
        let paths: Vec<_> = set
            .containers()
            .map(|container| container.path().to_string())
            .collect();
        let places = ["[a]", "[1]", "[2]", "[3]", "[4]"];
        assert_eq!(
            paths,
            places.map(|place| format!("spec.template.spec.containers{place}"))
        );
    }

    #[test]
    fn items_of_a_long_list_go_by_their_positions() {
        let named = |length: usize| {
            let items: Vec<_> = (0..length)
                .map(|number| format!(r#"{{"name":"c{number}"}}"#))
                .collect();
            let text = format!(
                r#"{{"spec":{{"template":{{"spec":{{"containers":[{}]}}}}}}}}"#,
                items.join(",")
            );
            let set = StatefulSet::parse(&text).expect("a set");
            let first = set.containers().next().expect("a container");
            first.path().to_string()
        };
        assert_eq!(named(NAMED_LIST), "spec.template.spec.containers[c0]");
        assert_eq!(named(NAMED_LIST + 1), "spec.template.spec.containers[0]");
    }

    #[test]
    fn native_sidecars_are_told_from_init_containers() {
        let set = StatefulSet::parse(
            r#"{"spec":{"template":{"spec":{"initContainers":[{"name":"i"},{"name":"s","restartPolicy":"Always"}],
               "containers":[{"name":"c"}]}}}}"#,
        )
        .expect("a set");
        let kinds: Vec<_> = set
            .all_containers()
            .map(|(kind, container)| (kind, container.name.to_string()))
            .collect();
        let named = |kind, name: &str| (kind, name.to_owned());
        assert_eq!(
            kinds,
            [
                named(ContainerKind::Init, "i"),
                named(ContainerKind::Sidecar, "s"),
                named(ContainerKind::Main, "c")
            ]
        );
    }

    #[test]
    fn mounts_and_devices_of_every_container_are_walked() {
        let set = StatefulSet::parse(
            r#"{"spec":{"template":{"spec":{"initContainers":[{"name":"i","volumeMounts":[{"name":"x"}]}],
               "containers":[{"name":"c","volumeMounts":[{"name":"y"}],"volumeDevices":[{"name":"z"}]}]}}}}"#,
        )
        .expect("a set");
        let mounts: Vec<_> = set.mounts().map(|mount| mount.path().to_string()).collect();
        assert_eq!(
            mounts,
            [
                "spec.template.spec.initContainers[i].volumeMounts[x]",
                "spec.template.spec.containers[c].volumeMounts[y]",
                "spec.template.spec.containers[c].volumeDevices[z]",
            ]
        );
    }
}
