//! The catalogue: which workload a container runs, by its image, its tag and its command line.

use std::collections::HashMap;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use regex::Regex;

use super::entry::{Confidence, Workload};
use super::image::Image;
use super::words::Said;
use crate::object::view::Container;
use crate::object::yaml;

/// One file per workload; that of a workload more needs nothing else.
pub(super) static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/workload/catalogue");

pub(super) static BUILT_IN: LazyLock<Known> = LazyLock::new(|| Known::new(built_in_workloads()));

/// Workloads, found by the last part of their images' names.
#[derive(Debug, Default)]
pub(super) struct Known {
    workloads: Vec<(Workload, Option<Regex>)>,
    by_last_part: HashMap<String, Vec<(usize, String)>>,
}

/// What is known of workloads: what a policy says of its own, and what everybody knows.
#[derive(Debug, Default)]
pub struct Catalogue {
    own: Known,
}

/// A catalogue without anything of a policy's own.
pub static COMMON: LazyLock<Catalogue> = LazyLock::new(Catalogue::default);

/// Reads what everybody knows, where it is not read yet: a server does so before it is ready, so that no review waits for it.
pub fn read_ahead() {
    LazyLock::force(&BUILT_IN);
}

/// What a container runs.
#[derive(Debug)]
pub(super) enum Match<'c> {
    /// Nothing that is known.
    None,
    /// One workload; `namesake` where only the image's last name says so.
    One {
        /// The workload.
        workload: &'c Workload,
        /// Whether the repository is somebody's own.
        namesake: bool,
    },
    /// One of several: its tag does not tell which.
    Tag {
        /// The workloads.
        workloads: Vec<&'c Workload>,
        /// Whether the repository is somebody's own.
        namesake: bool,
    },
    /// An image that runs several programs, and its command line does not tell which.
    Role,
}

impl Catalogue {
    /// A catalogue with a policy's own workloads, which come before those that everybody knows.
    ///
    /// # Panics
    /// Where `faults` finds any: whoever reads a policy asks first.
    #[must_use]
    pub fn new(own: Vec<Workload>) -> Self {
        Self {
            own: Known::new(own),
        }
    }

    /// Every workload, those of the policy first. One of the policy's takes the place of the one that has its name.
    pub fn workloads(&self) -> impl Iterator<Item = &Workload> {
        let own = self.own.workloads.iter().map(|(workload, _)| workload);
        let built_in = BUILT_IN.workloads.iter().map(|(workload, _)| workload);
        own.chain(built_in.filter(|workload| !self.replaces(workload)))
    }

    /// Whether the policy has a workload of this one's name.
    fn replaces(&self, workload: &Workload) -> bool {
        let mut own = self.own.workloads.iter();
        own.any(|(own, _)| own.id == workload.id)
    }

    /// The workload of this id, or those that an image may be; and whether that image is only a namesake.
    #[must_use]
    pub fn named(&self, name: &str) -> (Vec<&Workload>, bool) {
        if let Some(workload) = self.workloads().find(|workload| workload.id == name) {
            return (vec![workload], false);
        }
        let image = Image::of(name);
        let own = self.own.by_image(&image);
        let found = if own.is_empty() {
            BUILT_IN.by_image(&image)
        } else {
            own
        };
        let fits = |tags: Option<&Regex>| tags.is_none_or(|tags| tags.is_match(image.tag));
        let versioned = image.has_version();
        let namesake = found.iter().any(|(_, _, suffix)| image.is_namesake(suffix));
        let found = found
            .into_iter()
            .filter(|(_, tags, _)| !versioned || fits(*tags));
        (found.map(|(workload, ..)| workload).collect(), namesake)
    }

    /// The workload that a container certainly runs.
    #[must_use]
    pub fn surely(&self, container: &Container<'_>) -> Option<&Workload> {
        match self.find(&Said::by(container)) {
            Match::One {
                workload,
                namesake: false,
            } if workload.confidence == Confidence::High => Some(workload),
            _ => None,
        }
    }

    /// Whether a container runs the workload of this id, as far as its image, tag and command line tell.
    #[must_use]
    pub fn may_run(&self, container: &Container<'_>, id: &str) -> bool {
        match self.find(&Said::by(container)) {
            Match::One { workload, .. } => workload.id == id,
            Match::Tag { workloads, .. } => workloads.iter().any(|workload| workload.id == id),
            Match::None | Match::Role => false,
        }
    }

    /// What a container runs.
    pub(super) fn find(&self, said: &Said<'_, '_>) -> Match<'_> {
        let image = Image::of(&said.container().image);
        match self.own.find(&image, said) {
            Match::None => match BUILT_IN.find(&image, said) {
                Match::One { workload, .. } if self.replaces(workload) => Match::None,
                found => found,
            },
            found => found,
        }
    }
}

impl Known {
    fn new(workloads: Vec<Workload>) -> Self {
        let mut by_last_part: HashMap<String, Vec<_>> = HashMap::new();
        for (index, workload) in workloads.iter().enumerate() {
            for image in &workload.images {
                let last = image.rsplit('/').next().unwrap_or_default();
                let known = by_last_part.entry(last.to_owned()).or_default();
                known.push((index, image.clone()));
            }
        }
        let with_tags = |workload: Workload| {
            let tags = workload.tags.as_deref();
            let tags = tags.map(|tags| Regex::new(tags).expect("it has no faults"));
            (workload, tags)
        };
        Self {
            workloads: workloads.into_iter().map(with_tags).collect(),
            by_last_part,
        }
    }

    /// The workloads of an image, by the longest suffix.
    pub(super) fn by_image(&self, image: &Image<'_>) -> Vec<(&Workload, Option<&Regex>, &str)> {
        let last = image.repository.rsplit('/').next().unwrap_or_default();
        let known = self.by_last_part.get(last).map_or(&[][..], Vec::as_slice);
        let fitting = || known.iter().filter(|(_, suffix)| image.ends_in(suffix));
        let longest = fitting().map(|(_, suffix)| suffix.len()).max();
        fitting()
            .filter(|(_, suffix)| Some(suffix.len()) == longest)
            .map(|(index, suffix)| {
                let (workload, tags) = &self.workloads[*index];
                (workload, tags.as_ref(), suffix.as_str())
            })
            .collect()
    }

    fn find(&self, image: &Image<'_>, said: &Said<'_, '_>) -> Match<'_> {
        // Variants of PHP images that serve no pages.
        let variant = image
            .tag
            .split('-')
            .any(|part| matches!(part, "fpm" | "cli"));
        let candidates = if variant {
            Vec::new()
        } else {
            self.by_image(image)
        };
        let Some((_, _, suffix)) = candidates.first().copied() else {
            return Match::None;
        };
        let of_role = |workload: &Workload| {
            let tokens = &workload.role_tokens;
            tokens.is_empty() || tokens.iter().any(|token| said.has_words(token))
        };
        let in_role: Vec<_> = candidates
            .iter()
            .filter(|(workload, ..)| of_role(workload))
            .collect();
        let fitting: Vec<_> = in_role
            .iter()
            .filter(|(_, tags, _)| tags.is_none_or(|tags| tags.is_match(image.tag)))
            .collect();
        let namesake = image.is_namesake(suffix);
        match (&fitting[..], &in_role[..]) {
            ([(workload, ..)], _) => Match::One { workload, namesake },
            ([], []) => Match::Role,
            // A tag that says a version says that it is none of these.
            ([], _) if image.has_version() => Match::None,
            ([], several) => Match::Tag {
                workloads: several.iter().map(|(workload, ..)| *workload).collect(),
                namesake,
            },
            _ => Match::Role,
        }
    }
}

pub(super) fn built_in_workloads() -> Vec<Workload> {
    let files = FILES.files();
    let files = files.filter(|file| file.path().extension().is_some_and(|of| of == "yaml"));
    let mut workloads: Vec<Workload> = files
        .map(|file| {
            let name = file.path().display().to_string();
            let text = file.contents_utf8().unwrap_or_default();
            // A test reads them all.
            yaml::read_one(&name, text).unwrap_or_else(|error| panic!("{error}"))
        })
        .collect();
    workloads.sort_by(|one, other| one.id.cmp(&other.id));
    workloads
}
