//! What rules read of a manifest is what they read of the object that the API server made of it.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use steadfast::object::view::{Spec, StatefulSet};

use crate::cluster::Cluster;
use crate::lab::LABS;
use crate::objects::{documents, parse, stored};
use crate::tests;

tests![reads_what_is_written_as_what_is_stored];

fn reads_what_is_written_as_what_is_stored(cluster: &Cluster) -> Result<()> {
    let mut manifests = documents(include_str!("shapes.yaml"))?;
    ensure!(manifests.len() == 8, "{} shapes", manifests.len());
    for lab in &LABS {
        // A bare lab set is refused where no webhook repairs it, so it stands here with what it lacks.
        let mut bare = lab.bare_by_hand()?;
        bare["metadata"]["name"] = format!("{}-bare", lab.set).into();
        manifests.extend([parse(lab.complete)?, bare]);
    }
    let namespace = cluster.namespace("view")?;
    let create = namespace.kubectl(&["create", "-f", "-"]);
    let all: Vec<_> = manifests.iter().map(Value::to_string).collect();
    create.stdin(all.join("\n---\n")).succeed()?;
    for written in &manifests {
        let name = written["metadata"]["name"]
            .as_str()
            .context("a set without name")?;
        let stored = stored(&namespace, name)?;
        let written = with_sources(written.clone());
        same(&written.to_string(), &stored.to_string()).context(name.to_owned())?;
    }
    Ok(())
}

/// A volume without a source becomes an `emptyDir`. The view alone does not say so: to it, such a volume looks like one whose
/// source is newer than this program.
fn with_sources(mut set: Value) -> Value {
    let volumes = set.pointer_mut("/spec/template/spec/volumes");
    for volume in volumes.and_then(Value::as_array_mut).into_iter().flatten() {
        if volume.as_object().is_some_and(|volume| volume.len() == 1) {
            volume["emptyDir"] = Value::Object(serde_json::Map::new());
        }
    }
    set
}

fn same(written: &str, stored: &str) -> Result<()> {
    let (written, stored) = (StatefulSet::parse(written)?, StatefulSet::parse(stored)?);
    let (written, stored) = (defaulted(written.spec), defaulted(stored.spec));
    ensure!(
        written == stored,
        "read of the manifest: {written:#?}\nof the stored set: {stored:#?}"
    );
    Ok(())
}

/// The strategy is kept as it stands; rules read it through `update_strategy`.
fn defaulted(mut spec: Spec<'_>) -> Spec<'_> {
    spec.stated_update_strategy = Some(spec.update_strategy());
    spec
}
