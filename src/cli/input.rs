//! Files, folders and stdin: what commands read.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Error, Result, anyhow, bail};
use serde_json::Value;

use super::contradiction::contradiction;
use crate::cluster::{DEFAULT_NAMESPACE, Manifests, UnreadableManifest};
use crate::object::yaml::{self, Document, Place, Places, YamlError, in_words};
use crate::policy::{PolicyFile, PolicySet};

/// One text, and the objects in it.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// What messages call it: its path, or `<stdin>`.
    pub(super) file: Arc<str>,
    /// What it says.
    pub(super) text: String,
    /// The objects in it, in order.
    pub(super) objects: Vec<Object>,
}

/// One object out of a text.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// What messages call the text.
    pub(super) file: Arc<str>,
    /// Which of the text's documents it is in.
    pub(super) document: usize,
    /// The object.
    pub(super) value: Value,
    /// Where each of its values stands in the text.
    places: Arc<Places>,
    /// The object's own place in its document: empty, or an item of a `List`.
    pub(super) pointer: String,
}

impl Object {
    /// Where the value at `pointer` stands, or the nearest thing around it.
    pub(super) fn place(&self, pointer: &str) -> Place {
        self.places.nearest(&format!("{}{pointer}", self.pointer))
    }

    pub(super) fn is_stateful_set(&self) -> bool {
        self.value["kind"] == "StatefulSet" && self.value["apiVersion"] == "apps/v1"
    }

    pub(super) fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// The namespace, if it states one.
    pub(super) fn stated_namespace(&self) -> Option<&str> {
        self.value["metadata"]["namespace"].as_str()
    }

    pub(super) fn namespace(&self) -> &str {
        self.stated_namespace().unwrap_or(DEFAULT_NAMESPACE)
    }
}

/// Every object in the texts at `paths`, in order; `-` is stdin, folders are walked.
pub(super) fn objects(paths: &[PathBuf]) -> Result<Vec<Object>> {
    match readable(paths) {
        (texts, errors) if errors.is_empty() => {
            Ok(texts.into_iter().flat_map(|text| text.objects).collect())
        }
        (_, mut errors) => Err(errors.remove(0)),
    }
}

/// The same where one bad text must not hide what the others say: those that can be read, and what is wrong with the rest.
pub(super) fn readable(paths: &[PathBuf]) -> (Vec<Text>, Vec<Error>) {
    let (mut read, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        match texts(path) {
            Ok(texts) => {
                for (file, text) in texts {
                    match Text::read(file, text) {
                        Ok(text) => read.push(text),
                        Err(error) => errors.push(error.into()),
                    }
                }
            }
            Err(error) => errors.push(error),
        }
    }
    (read, errors)
}

impl Text {
    fn read(file: String, text: String) -> Result<Self, YamlError> {
        let documents = yaml::read(&file, &text)?;
        let file: Arc<str> = file.into();
        let mut objects = Vec::new();
        for (document, Document { value, places }) in documents.into_iter().enumerate() {
            let whole = Object {
                file: Arc::clone(&file),
                document,
                value,
                places: Arc::new(places),
                pointer: String::new(),
            };
            add(&mut objects, whole);
        }
        Ok(Self {
            file,
            text,
            objects,
        })
    }
}

/// A `List` is its items.
fn add(objects: &mut Vec<Object>, mut object: Object) {
    let value = &mut object.value;
    let is_list = value["kind"]
        .as_str()
        .is_some_and(|kind| kind.ends_with("List"));
    match value.get_mut("items").filter(|_| is_list).map(Value::take) {
        Some(Value::Array(items)) => {
            for (index, value) in items.into_iter().enumerate() {
                let item = Object {
                    value,
                    pointer: format!("{}/items/{index}", object.pointer),
                    file: Arc::clone(&object.file),
                    places: Arc::clone(&object.places),
                    document: object.document,
                };
                add(objects, item);
            }
        }
        _ => objects.push(object),
    }
}

/// The objects as what is in a cluster; `complete` says that there is nothing else.
pub(super) fn cluster<'o>(
    objects: impl IntoIterator<Item = &'o Object>,
    complete: bool,
) -> Result<Manifests> {
    let mut manifests = Manifests::new(complete);
    for object in objects {
        let added = manifests.add(&object.value, DEFAULT_NAMESPACE);
        added.map_err(|error| unreadable(object, &error))?;
    }
    Ok(manifests)
}

/// What is wrong with an object of the cluster, and where.
fn unreadable(object: &Object, error: &UnreadableManifest) -> Error {
    let (mut pointer, mut at) = (String::new(), String::new());
    for segment in error.path() {
        let step = segment.to_string();
        let _ = write!(
            pointer,
            "/{}",
            step.trim_matches(['[', ']'])
                .replace('~', "~0")
                .replace('/', "~1")
        );
        let dot = if at.is_empty() || step.starts_with('[') {
            ""
        } else {
            "."
        };
        let _ = write!(at, "{dot}{step}");
    }
    let Place { line, column } = object.place(&pointer);
    let (kind, file) = (
        object.value["kind"].as_str().unwrap_or_default(),
        &object.file,
    );
    let message = in_words(&error.inner().to_string());
    let hint = if message.contains("boolean") && message.contains("a string") {
        "; YAML reads off, on, no, yes, true and false as booleans unless they are quoted"
    } else {
        ""
    };
    anyhow!("{file}:{line}:{column}: this {kind} cannot be read: {at}: {message}{hint}")
}

/// The policies at `paths`, layered; `none` stands for no file.
pub(super) fn policies(paths: &[PathBuf]) -> Result<PolicySet> {
    let mut policies = Vec::new();
    for path in paths.iter().filter(|path| path.as_os_str() != "none") {
        for (file, text) in texts(path)? {
            policies.extend(PolicyFile::read(&file, &text)?);
        }
    }
    let policies = PolicySet::new(policies)?;
    match contradiction(&policies) {
        Some(contradiction) => bail!("{contradiction}"),
        None => Ok(policies),
    }
}

/// The texts at a path with the name of each: of a folder, every YAML and JSON file in it and below, by name.
pub(super) fn texts(path: &Path) -> Result<Vec<(String, String)>> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read stdin")?;
        return Ok(vec![("<stdin>".to_owned(), text)]);
    }
    let mut files = Vec::new();
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if metadata.is_dir() {
        walk(path, &mut |file| {
            if is_manifest(file) {
                files.push(file.to_owned());
            }
        })?;
        if files.is_empty() {
            bail!("{} holds no YAML or JSON file", path.display());
        }
    } else {
        files.push(path.to_owned());
    }
    files
        .iter()
        .map(|file| Ok((file.display().to_string(), text(file)?)))
        .collect()
}

/// The text of a file.
pub(super) fn text(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Calls `visit` with every file below a folder, by name. Hidden ones are passed over: in a mounted ConfigMap each file
/// is there a second time, in a folder `..data`.
pub(super) fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) -> Result<()> {
    let fail = || format!("cannot read {}", folder.display());
    let mut entries: Vec<_> = fs::read_dir(folder)
        .with_context(fail)?
        .collect::<Result<_, _>>()
        .with_context(fail)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for path in entries.iter().map(fs::DirEntry::path) {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            walk(&path, visit)?;
        } else {
            visit(&path);
        }
    }
    Ok(())
}

fn is_manifest(file: &Path) -> bool {
    file.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"]
            .iter()
            .any(|known| extension == *known)
    })
}
