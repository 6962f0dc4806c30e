//! Edits of texts as people write them.

use serde_json::json;

use super::*;

/// The text with these operations done to the object at a place of its first document.
fn patched(text: &str, pointer: &str, operations: Value) -> Result<String, EditError> {
    let first = Edit {
        document: 0,
        pointer: pointer.to_owned(),
        patch: serde_json::from_value(operations).expect("a patch"),
    };
    edit("x.yaml", text, &[first])
}

/// The text with one operation done to its first object.
fn edited(text: &str, operation: &Value) -> String {
    patched(text, "", json!([operation])).expect("it can be edited")
}

fn add(text: &str, path: &str, value: &Value) -> String {
    edited(text, &json!({"op": "add", "path": path, "value": value}))
}

#[test]
fn what_is_not_touched_stays() {
    let text = "# head\n---\nspec:   # of all\n  replicas: 3 # three\n\n  # the pods\n  template: {a: [1,  2]}\n\n# foot\n---\nb: 'x'\n";
    let after = add(text, "/spec/serviceName", &json!("web"));
    assert_eq!(
        after,
        text.replace("three\n", "three\n  serviceName: web\n")
    );
    let back = edited(
        &after,
        &json!({"op": "remove", "path": "/spec/serviceName"}),
    );
    assert_eq!(back, text);
}

#[test]
fn what_is_added_is_written_as_its_neighbours_are() {
    let value = json!({"b": ["yes", 8]});
    for (text, path, after) in [
        ("m: {x: 1}\n", "/m/a", "m: {x: 1, a: {b: [\"yes\", 8]}}\n"),
        ("m: [x]\n", "/m/-", "m: [x, {b: [\"yes\", 8]}]\n"),
        ("m:\n- x\n", "/m/-", "m:\n- x\n- b:\n  - \"yes\"\n  - 8\n"),
        (
            "m:\n  - x\n",
            "/m/-",
            "m:\n  - x\n  - b:\n      - \"yes\"\n      - 8\n",
        ),
        (
            "- m: ~ # later\n  x: 1\n",
            "/0/m",
            "- m: # later\n    b:\n    - \"yes\"\n    - 8\n  x: 1\n",
        ),
        ("m:\n", "/m", "m:\n  b:\n  - \"yes\"\n  - 8\n"),
        ("m: 1", "/a", "m: 1\na:\n  b:\n  - \"yes\"\n  - 8"),
        (
            "m: 1\r\n",
            "/a",
            "m: 1\r\na:\r\n  b:\r\n  - \"yes\"\r\n  - 8\r\n",
        ),
        (
            "\u{feff}m: 1\n",
            "/a",
            "\u{feff}m: 1\na:\n  b:\n  - \"yes\"\n  - 8\n",
        ),
        (
            "---\nm: 1\n...\n",
            "/a",
            "---\nm: 1\na:\n  b:\n  - \"yes\"\n  - 8\n...\n",
        ),
        ("{\"m\": 1}", "/a", "{\"m\":1,\"a\":{\"b\":[\"yes\",8]}}"),
        (
            "{\n\t\"m\": 1\n}\n",
            "/m",
            "{\n\t\"m\": {\n\t\t\"b\": [\n\t\t\t\"yes\",\n\t\t\t8\n\t\t]\n\t}\n}\n",
        ),
    ] {
        assert_eq!(add(text, path, &value), after, "{text:?}");
    }
}

#[test]
fn what_would_say_something_else_is_not_written() {
    let edit_of = |text: &str, pointer: &str| {
        patched(
            text,
            pointer,
            json!([{"op": "add", "path": "/a", "value": 1}]),
        )
    };
    for text in ["m: &x {b: 1}\nn: *x\n", "m: &x {b: 1}\nn: {<<: *x}\n"] {
        let error = edit_of(text, "/m").expect_err("n would be another");
        assert!(
            matches!(error, EditError::NotInPlace { .. }),
            "{text}: {error}"
        );
    }
    edit_of("m: 1\n", "/m").expect_err("there is no mapping");
    edit_of("m: [1\n", "").expect_err("it is no YAML");
}

#[test]
fn comments_stay_below_what_they_are_about() {
    let text = "\
spec:
    containers:
    - name: web
      mounts:
      - name: data
        # readOnly: true
      # securityContext: {}

      # the end of the container
    # more: containers
# foot
";
    let edits = json!([
        {"op": "add", "path": "/spec/containers/0/probe", "value": {"port": 80}},
        {"op": "add", "path": "/spec/claims", "value": [{"name": "data"}]},
        {"op": "add", "path": "/spec/claims/-", "value": {"name": "more"}},
    ]);
    let after = "\
spec:
    containers:
    - name: web
      mounts:
      - name: data
        # readOnly: true
      probe:
          port: 80
      # securityContext: {}

      # the end of the container
    claims:
    - name: data
    - name: more
    # more: containers
# foot
";
    assert_eq!(patched(text, "", edits).expect("it can be edited"), after);
}

#[test]
fn json_keeps_its_order_its_mark_and_its_ends_of_lines() {
    let remove = json!({"op": "remove", "path": "/a"});
    let text = "\u{feff}{\r\n  \"a\": 1,\r\n  \"b\": 2,\r\n  \"c\": 3,\r\n  \"d\": 4\r\n}\r\n";
    let after = text.replace("  \"a\": 1,\r\n", "");
    assert_eq!(edited(text, &remove), after);
}

#[test]
fn a_single_value_at_the_end_stays_below_the_comments_too() {
    let text = "spec:\n  selector: {}\n  list:\n  - a: 1\n    # b: 2\n# foot\n";
    let after = "spec:\n  selector: {}\n  list:\n  - a: 1\n    # b: 2\n  name: web\n# foot\n";
    assert_eq!(add(text, "/spec/name", &json!("web")), after);
    let (open, after) = (text.trim_end(), after.trim_end());
    assert_eq!(add(open, "/spec/name", &json!("web")), after);
    let text = open.trim_end_matches("# foot").trim_end();
    let after = format!("{text}\n  name: web");
    assert_eq!(add(text, "/spec/name", &json!("web")), after);
}
