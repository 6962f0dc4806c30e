//! An object made from k8s-openapi's own schema, with every field there is, and what the view makes of it.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::super::{SCHEMA, StatefulSet};
use super::{same, without_raw};

/// A field of the made object.
struct Field {
    schema: String,
    name: String,
    pointer: String,
}

impl Field {
    fn is_read(&self) -> bool {
        let table = SCHEMA.iter().find(|(schema, _)| *schema == self.schema);
        table.is_some_and(|(_, fields)| fields.contains(&&*self.name))
    }

    /// Whether any JSON will do: the view only looks whether it is there, or keeps the text.
    fn is_unparsed(&self) -> bool {
        self.name.ends_with("Probe")
            || matches!(&*self.name, "managedFields" | "exec" | "grpc")
            || self.is_source()
            || self.is_kept()
    }

    /// Whether it is a source of a volume of which only the kind is told.
    fn is_source(&self) -> bool {
        self.schema.ends_with(".Volume") && !matches!(&*self.name, "name" | "persistentVolumeClaim")
    }

    /// Whether two of it are always equal.
    fn is_kept(&self) -> bool {
        let claim = self.name == "spec" && self.schema.ends_with("PersistentVolumeClaim");
        self.name == "matchExpressions" || claim
    }

    fn parent(&self) -> &str {
        self.pointer
            .rsplit_once('/')
            .expect("a field is below the top")
            .0
    }
}

/// Makes values by the schema: every field there is, every list with one item.
struct Maker {
    definitions: Map<String, Value>,
    fields: Vec<Field>,
}

impl Maker {
    fn value(&mut self, schema: &Value, pointer: &str) -> Value {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.trim_start_matches("#/$defs/").to_owned();
            let schema = self.definitions[&name].clone();
            return self
                .object(&name, &schema, pointer)
                .unwrap_or_else(|| self.value(&schema, pointer));
        }
        match schema["type"].as_str() {
            Some("integer" | "number") => json!(7),
            Some("boolean") => json!(true),
            Some("array") => json!([self.value(&schema["items"], &format!("{pointer}/0"))]),
            Some("object") if schema["additionalProperties"].is_object() => {
                json!({"key": self.value(&schema["additionalProperties"], &format!("{pointer}/key"))})
            }
            Some("object") => json!({}),
            _ if schema["x-kubernetes-int-or-string"] == true => json!("10%"),
            _ => match pointer {
                "/apiVersion" => json!("apps/v1"),
                "/kind" => json!("StatefulSet"),
                "/spec/volumeClaimTemplates/0/apiVersion" => json!("v1"),
                "/spec/volumeClaimTemplates/0/kind" => json!("PersistentVolumeClaim"),
                _ => json!("2026-01-02T03:04:05Z"),
            },
        }
    }

    fn object(&mut self, name: &str, schema: &Value, pointer: &str) -> Option<Value> {
        let mut object = Map::new();
        for (field, schema) in schema["properties"].as_object()? {
            let pointer = format!("{pointer}/{}", field.replace('~', "~0").replace('/', "~1"));
            object.insert(field.clone(), self.value(schema, &pointer));
            self.fields.push(Field {
                schema: name.to_owned(),
                name: field.clone(),
                pointer,
            });
        }
        Some(Value::Object(object))
    }
}

/// Every schema that a `StatefulSet` is made of, by name.
fn definitions() -> Map<String, Value> {
    let mut generator = SchemaGenerator::default();
    generator.subschema_for::<v1::StatefulSet>();
    let definitions = generator.definitions().iter();
    definitions
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect()
}

/// A `StatefulSet` with every field there is, and where each stands.
fn complete() -> (Value, Vec<Field>) {
    let mut maker = Maker {
        definitions: definitions(),
        fields: Vec::new(),
    };
    let object = maker.value(
        &json!({"$ref": "#/$defs/io.k8s.api.apps.v1.StatefulSet"}),
        "",
    );
    (object, maker.fields)
}

/// The object without the value at `pointer`.
fn without(object: &Value, pointer: &str) -> Value {
    let (mut object, (parent, key)) = (
        object.clone(),
        pointer.rsplit_once('/').expect("not the top"),
    );
    let parent = object
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .expect("a field's parent");
    parent.shift_remove(key).expect("the field is there");
    object
}

/// The object with another value at `pointer`.
fn with(object: &Value, pointer: &str, value: Value) -> Value {
    let mut object = object.clone();
    *object.pointer_mut(pointer).expect("the field is there") = value;
    object
}

/// `/spec/template/spec/containers/0` as messages spell it: `spec.template.spec.containers[0]`.
fn spelt(pointer: &str) -> String {
    let steps = pointer
        .split('/')
        .skip(1)
        .map(|step| match step.parse::<usize>() {
            Ok(index) => format!("[{index}]"),
            Err(_) => format!(".{step}"),
        });
    steps
        .collect::<Vec<_>>()
        .concat()
        .trim_start_matches('.')
        .to_owned()
}

#[test]
fn every_field_of_the_view_is_one_of_the_api() {
    let definitions = definitions();
    for (schema, fields) in SCHEMA {
        let known = definitions
            .get(*schema)
            .unwrap_or_else(|| panic!("the API has no {schema}"));
        for field in *fields {
            assert!(
                known["properties"].get(field).is_some(),
                "{schema} has no field {field}"
            );
        }
    }
}

#[test]
fn the_view_reads_each_of_its_fields_and_no_other() {
    let (object, fields) = complete();
    for (schema, _) in SCHEMA {
        assert!(
            fields.iter().any(|field| field.schema == *schema),
            "{schema}"
        );
    }
    for field in fields.iter().filter(|field| reached(&fields, field)) {
        let seen = same(&object, &without(&object, &field.pointer)).is_err();
        assert_eq!(
            seen,
            field.is_read() && !field.is_kept(),
            "{} of {}",
            field.pointer,
            field.schema
        );
    }
}

/// Whether the view comes by: every field on the way is read, too.
fn reached(fields: &[Field], field: &Field) -> bool {
    let on_the_way = |outer: &&Field| field.pointer.starts_with(&format!("{}/", outer.pointer));
    fields
        .iter()
        .filter(on_the_way)
        .all(|outer| outer.is_read() && !outer.is_unparsed())
}

#[test]
fn a_value_of_another_type_is_an_error_that_names_the_place() {
    let (object, fields) = complete();
    let mut tried = 0;
    for field in fields
        .iter()
        .filter(|field| field.is_read() && reached(&fields, field) && !field.is_unparsed())
    {
        let right = object.pointer(&field.pointer).expect("it is there");
        let wrong = if right.is_boolean() {
            json!("x")
        } else {
            json!(true)
        };
        let text = with(&object, &field.pointer, wrong).to_string();
        let error = StatefulSet::parse(&text).expect_err(&field.pointer);
        assert_eq!(error.at, spelt(&field.pointer), "{error}");
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn null_reads_as_absent_in_every_place() {
    let (object, fields) = complete();
    let reached: Vec<_> = fields
        .iter()
        .filter(|field| reached(&fields, field))
        .collect();
    for field in &reached {
        let null = with(&object, &field.pointer, Value::Null);
        same(&null, &without(&object, &field.pointer))
            .unwrap_or_else(|why| panic!("{}: {why}", field.pointer));
    }
    let mut siblings = BTreeMap::<_, Vec<&Field>>::new();
    for field in &reached {
        siblings.entry(field.parent()).or_default().push(field);
    }
    for (parent, fields) in siblings {
        let null = fields.iter().fold(object.clone(), |object, field| {
            with(&object, &field.pointer, Value::Null)
        });
        let empty = with(&object, parent, json!({}));
        same(&null, &empty).unwrap_or_else(|why| panic!("all of {parent:?}: {why}"));
    }
}

#[test]
fn empty_lists_read_as_absent() {
    let (object, fields) = complete();
    let lists = fields
        .iter()
        .filter(|field| reached(&fields, field) && !field.is_unparsed());
    for field in lists.filter(|field| object.pointer(&field.pointer).is_some_and(Value::is_array)) {
        let empty = with(&object, &field.pointer, json!([]));
        same(&empty, &without(&object, &field.pointer))
            .unwrap_or_else(|why| panic!("{}: {why}", field.pointer));
    }
}

#[test]
fn the_complete_object_reads_alike_through_the_api_s_types() {
    let (object, _) = complete();
    let object = without_raw(object);
    let typed: v1::StatefulSet =
        serde_json::from_value(object.clone()).expect("it was made by their schema");
    same(&object, &serde_json::to_value(typed).expect("JSON")).expect("the same view");
}
