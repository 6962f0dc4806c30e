//! The catalogue's files are right, and told apart.

use std::collections::BTreeMap;

use regex::Regex;

use super::catalogue::{BUILT_IN, FILES, Match, built_in_workloads};
use super::image::Image;
use super::words::Said;
use super::{COMMON, Workload, faults};
use crate::object::view::StatefulSet;
use crate::object::yaml;

#[test]
fn every_file_is_right_and_named_after_its_workload() {
    let date = Regex::new(r"^20\d\d-[01]\d-[0-3]\d$").expect("a pattern");
    for file in FILES.files() {
        let name = file.path().display().to_string();
        if name == "README.md" {
            continue;
        }
        let workload = yaml::read_one(&name, file.contents_utf8().expect("text"));
        let workload: Workload = workload.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(name, format!("{}.yaml", workload.id));
        assert!(!workload.sources.is_empty(), "{name}: no sources");
        let checked = workload.checked.as_deref().unwrap_or_default();
        assert!(date.is_match(checked), "{name}: checked: {checked:?}");
        let kinds = [&workload.readiness, &workload.liveness, &workload.startup];
        let why = [
            &workload.why.readiness,
            &workload.why.liveness,
            &workload.why.startup,
        ];
        for (probe, why) in kinds.into_iter().zip(why) {
            assert!(!why.is_empty(), "{name}: no reason for {probe:?}");
        }
    }
    assert_eq!(faults(&built_in_workloads()), Vec::new());
}

/// Not a limit: what was not looked at for long is to be looked at first.
#[test]
fn the_oldest_are_listed() {
    let mut by_date: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for workload in COMMON.workloads() {
        let checked = workload.checked.clone().unwrap_or_default();
        by_date
            .entry(checked)
            .or_default()
            .push(workload.id.clone());
    }
    let (date, oldest) = by_date.first_key_value().expect("there are workloads");
    assert_eq!(
        (date.as_str(), oldest.join(", ").as_str()),
        ("2023-07-01", "kafka-confluent, zookeeper-confluent"),
        "the oldest changed: these are the ones to be checked next"
    );
}

fn runs(image: &str, more: &str) -> String {
    let text = format!(
        r#"{{"spec":{{"template":{{"spec":{{"containers":[{{"name":"c","image":"{image}"{more}}}]}}}}}}}}"#
    );
    let set = StatefulSet::parse(&text).expect("a set");
    match COMMON.find(&Said::by(&set.spec.template.spec.containers[0])) {
        Match::None => "nothing known".to_owned(),
        Match::One { workload, namesake } => {
            format!(
                "{}{}",
                workload.id,
                if namesake { ", a namesake" } else { "" }
            )
        }
        Match::Tag {
            workloads,
            namesake,
        } => {
            let ids: Vec<_> = workloads.iter().map(|workload| &*workload.id).collect();
            let namesake = if namesake { ", a namesake" } else { "" };
            format!("one of {}{namesake}", ids.join(", "))
        }
        Match::Role => "one of its programs".to_owned(),
    }
}

#[test]
fn image_tag_and_command_line_tell_the_workload() {
    for (image, workload) in [
        ("redis:7", "redis"),
        ("docker.io/library/redis", "redis"),
        ("acme/redis:7", "redis, a namesake"),
        ("bitnami/redis:7", "redis-bitnami"),
        ("registry.x.io/mirror/bitnami/redis:7", "redis-bitnami"),
        ("postgres:15-alpine", "postgres"),
        ("postgres:18", "postgres-18"),
        ("timescale/timescaledb:2.14-pg16", "postgres"),
        ("postgres", "one of postgres, postgres-18"),
        ("postgres@sha256:0", "one of postgres, postgres-18"),
        ("acme/postgres", "one of postgres, postgres-18, a namesake"),
        ("influxdb:2.7", "influxdb-2"),
        ("bitnami/mongodb:4.4.4", "nothing known"),
        ("wordpress:6.5-php8.2-fpm", "nothing known"),
        ("x.azurecr.io/registry:1.0", "registry, a namesake"),
        ("keycloak/keycloak:20.0", "nothing known"),
        ("keycloak/keycloak:latest", "one of keycloak"),
        ("oliver006/redis_exporter", "nothing known"),
        ("my-redis", "nothing known"),
        ("", "nothing known"),
        ("dgraph/dgraph:v23", "one of its programs"),
    ] {
        assert_eq!(runs(image, ""), workload, "{image}");
    }
    for (args, workload) in [
        (r#"["volume","-mserver=master-0:9333"]"#, "seaweedfs-volume"),
        (
            r#"["-logtostderr=true","master","-port=9333"]"#,
            "seaweedfs-master",
        ),
        (r#"["server","-filer"]"#, "one of its programs"),
        (r#"["master","filer"]"#, "one of its programs"),
    ] {
        let more = format!(r#","args":{args}"#);
        assert_eq!(runs("chrislusf/seaweedfs:3", &more), workload, "{args}");
    }
}

#[test]
fn every_version_is_one_workload() {
    for workload in COMMON.workloads() {
        for image in &workload.images {
            for major in 1..30 {
                let tagged = format!("{image}:{major}.1-alpine");
                let image = Image::of(&tagged);
                let fitting = BUILT_IN.by_image(&image);
                let fitting = fitting.iter().filter(|(workload, tags, _)| {
                    workload.role_tokens.is_empty()
                        && tags.is_none_or(|tags| tags.is_match(image.tag))
                });
                assert!(fitting.count() <= 1, "{tagged} is several workloads");
            }
        }
    }
}
