//! An image reference, taken apart.

/// The parts of an image reference that tell what is in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Image<'i> {
    /// The repository without the registry: `bitnami/redis`.
    pub(super) repository: &'i str,
    /// Whether it is from Docker Hub, or its mirrors that keep its names.
    is_hub: bool,
    /// The tag; empty where there is none.
    pub(super) tag: &'i str,
}

impl<'i> Image<'i> {
    /// Takes a reference apart: `registry:5000/bitnami/redis:7.2@sha256:...`.
    pub(super) fn of(reference: &'i str) -> Self {
        let named = reference.split('@').next().unwrap_or_default();
        // A colon before the last slash is that of the registry's port.
        let name = named.rfind('/').map_or(0, |slash| slash + 1);
        let (path, tag) = match named[name..].find(':') {
            Some(colon) => (&named[..name + colon], &named[name + colon + 1..]),
            None => (named, ""),
        };
        let is_registry = |first: &str| first.contains(['.', ':']) || first == "localhost";
        let (registry, repository) = match path.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest),
            _ => ("docker.io", path),
        };
        let is_hub = matches!(
            registry,
            "docker.io"
                | "index.docker.io"
                | "registry-1.docker.io"
                | "mirror.gcr.io"
                | "public.ecr.aws"
        );
        Self {
            repository,
            is_hub,
            tag,
        }
    }

    /// Whether the tag says a version; `latest` does not.
    pub(super) fn has_version(&self) -> bool {
        self.tag.contains(|c: char| c.is_ascii_digit())
    }

    /// Whether the repository is this one, or ends in it.
    pub(super) fn ends_in(&self, suffix: &str) -> bool {
        self.before(suffix).is_some()
    }

    /// Whether a repository that ends in this name is somebody's own: of `acme/redis` only the name says what is in it.
    pub(super) fn is_namesake(&self, suffix: &str) -> bool {
        let before = self.before(suffix).unwrap_or_default();
        let is_library = matches!(before, "library" | "docker/library");
        let is_official = is_library || before.is_empty() && self.is_hub;
        !is_official && !suffix.contains('/')
    }

    /// What stands before a suffix of the repository.
    fn before(&self, suffix: &str) -> Option<&'i str> {
        let before = self.repository.strip_suffix(suffix)?;
        if before.is_empty() {
            Some(before)
        } else {
            before.strip_suffix('/')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        for (reference, repository, tag) in [
            ("redis", "redis", ""),
            ("redis:7.2-alpine", "redis", "7.2-alpine"),
            ("docker.io/bitnami/redis:7", "bitnami/redis", "7"),
            ("localhost/redis", "redis", ""),
            ("registry:5000/a/b/redis", "a/b/redis", ""),
            ("registry:5000/redis:7@sha256:abc", "redis", "7"),
            ("bitnami/redis@sha256:abc", "bitnami/redis", ""),
            ("", "", ""),
            (":", "", ""),
        ] {
            let image = Image::of(reference);
            assert_eq!(
                (image.repository, image.tag),
                (repository, tag),
                "{reference}"
            );
        }
    }

    #[test]
    fn a_suffix_is_whole_parts() {
        let ends = |reference, suffix| Image::of(reference).ends_in(suffix);
        assert!(ends("redis:7", "redis") && ends("quay.io/library/redis", "redis"));
        assert!(!ends("my-redis", "redis") && !ends("redis/redis-stack", "redis"));
        let namesake = |reference, suffix| Image::of(reference).is_namesake(suffix);
        assert!(namesake("acme/redis", "redis"));
        assert!(
            !namesake("library/redis", "redis") && !namesake("x.io/bitnami/redis", "bitnami/redis")
        );
    }
}
