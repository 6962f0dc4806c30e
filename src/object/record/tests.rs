//! What a record says, and what it finds in an object.

use serde_json::json;

use super::*;

#[test]
fn a_record_reads_back_what_it_wrote_in_one_order() {
    let entry = |rule: &str, value| Entry {
        rule: rule.into(),
        container: None,
        workload: None,
        path: "spec".into(),
        value,
        lapsed: false,
    };
    let record = Record::new(vec![entry("b", json!({"x": 1})), entry("a", json!(2))]);
    assert_eq!(
        record.text(),
        r#"{"version":1,"injected":[{"rule":"a","path":"spec","value":2},{"rule":"b","path":"spec","value":{"x":1}}]}"#
    );
    assert_eq!(Record::read(Some(&record.text())), Carried::Record(record));
}

#[test]
fn an_entry_holds_while_the_object_has_the_value() {
    let probe = Path::of(&["spec", "containers"])
        .item(1, Some("web".into()))
        .key("probe");
    let entry =
        Entry::of("r", Some("web"), &Change::set(probe, json!({"port": 1}))).expect("it wrote");
    let claim = Entry::of(
        "r",
        None,
        &Change::append(Path::of(&["claims"]), json!({"metadata": {"name": "data"}})),
    );
    let object = json!({
        "spec": {"containers": [{"name": "web", "probe": {"port": 1, "defaulted": true}}]},
        "claims": [{"metadata": {"name": "data"}, "status": {}}],
    });
    assert!(entry.holds_in(&object) && claim.expect("it wrote").holds_in(&object));
    for gone in [
        json!({}),
        json!({"spec": {"containers": [{"name": "web", "probe": {"port": 2}}]}}),
    ] {
        assert!(!entry.holds_in(&gone), "{gone}");
    }
}

fn holds(object: &Value, path: &str, value: &Value) -> bool {
    let (rule, path) = ("r".to_owned(), path.to_owned());
    Entry {
        rule,
        container: None,
        workload: None,
        path,
        value: value.clone(),
        lapsed: false,
    }
    .holds_in(object)
}

#[test]
fn a_value_that_is_gone_has_a_place_where_all_above_it_is_there() {
    let entry = |path: &str| Entry {
        rule: "r".into(),
        container: None,
        workload: None,
        path: path.into(),
        value: json!(1),
        lapsed: false,
    };
    let object = json!({"c": [{"name": "a"}, {"name": "b", "p": null}], "s": ""});
    let pointers = |path: &str| -> Vec<String> {
        entry(path)
            .places_in(&object)
            .iter()
            .map(|(at, _)| at.pointer().to_string())
            .collect()
    };
    assert_eq!(pointers("c[a].p"), ["/c/0/p"]);
    assert_eq!(pointers("c[b].p"), ["/c/1/p"]);
    assert_eq!(pointers("s"), ["/s"]);
    assert!(pointers("c[gone].p").is_empty() && pointers("x.y.z").is_empty());
}

#[test]
fn a_place_is_found_by_any_name() {
    let object = json!({"c": [{"name": "1", "p": 1}, {"p": 2}, {"name": "a.b", "p": 3}, {"name": "x[y]", "p": 4}]});
    for (path, value) in [
        ("c[1].p", 1),
        ("c[1].p", 2),
        ("c[a.b].p", 3),
        ("c[x[y]].p", 4),
    ] {
        assert!(holds(&object, path, &json!(value)), "{path} is {value}");
    }
    for path in ["c[0].p", "c[4].p", "c[a].p", "c.p", "d[0].p", "c["] {
        assert!(!holds(&object, path, &json!(2)), "{path}");
    }
}

#[test]
fn a_container_called_like_a_number_is_found_by_its_name_alone() {
    let object = json!({"c": [{"name": "1", "p": 1}, {"name": "x", "p": 2}]});
    let entry = Entry {
        rule: "r".into(),
        container: Some("1".into()),
        workload: None,
        path: "c[1].p".into(),
        value: json!(1),
        lapsed: false,
    };
    let places = entry.places_in(&object);
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!(places[0].1, Some(&json!(1)));
}

#[test]
fn an_entry_names_the_container_only_where_the_value_is_its_own() {
    let list = Path::of(&["spec", "volumeClaimTemplates"]);
    let claim = Change::append(list, json!({"metadata": {"name": "data"}}));
    let probe = Path::of(&["spec", "containers"]).item(0, Some("web".into()));
    let probe = Change::set(probe.key("probe"), json!({}));
    let container = |change| Entry::of("r", Some("web"), change).and_then(|e| e.container);
    assert_eq!(
        (container(&claim), container(&probe).as_deref()),
        (None, Some("web"))
    );
}

#[test]
fn what_is_not_ours_is_foreign() {
    assert_eq!(Record::read(None), Carried::None);
    for text in [
        "",
        "{",
        r#"{"version":2,"injected":[]}"#,
        r#"{"version":1,"injected":[],"more":1}"#,
    ] {
        assert_eq!(Record::read(Some(text)), Carried::Foreign, "{text}");
    }
}

#[test]
fn a_value_that_a_list_has_twice_is_taken_out_twice() {
    let state = json!({"name": "STATE", "value": "/x"});
    let mut object = json!({"c": [{"name": "db", "env": [state, state]}]});
    let entry = Entry {
        rule: "r".into(),
        container: Some("db".into()),
        workload: None,
        path: "c[db].env[STATE]".into(),
        value: state,
        lapsed: false,
    };
    entry.take_out_of(&mut object);
    assert_eq!(object, json!({"c": [{"name": "db", "env": []}]}));
}
