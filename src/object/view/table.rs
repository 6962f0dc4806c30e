//! The table that the reading model is written as: one line a field, with its JSON name and its API default.

/// Declares structs that read themselves from JSON: a field that is absent or `null` takes its default, an unknown field
/// is passed over. Each struct names the Kubernetes schema that it reads, and a test holds its fields against it.
macro_rules! table {
    ($($(#[$meta:meta])* pub struct $name:ident is $schema:literal {
        $($(#[$field_meta:meta])* $field:ident $json:literal: $ty:ty $(= $default:expr)?,)*
    })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, PartialEq)]
            pub struct $name<'a> {
                $($(#[$field_meta])* pub $field: $ty,)*
                lifetime: std::marker::PhantomData<&'a ()>,
            }

            impl Default for $name<'_> {
                fn default() -> Self {
                    Self { $($field: table!(@default $($default)?),)* lifetime: std::marker::PhantomData }
                }
            }

            impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct Fields<'a>(std::marker::PhantomData<&'a ()>);

                    impl<'de: 'a, 'a> serde::de::Visitor<'de> for Fields<'a> {
                        type Value = $name<'a>;

                        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                            f.write_str("an object")
                        }

                        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                            let mut this = $name::default();
                            while let Some(key) = map.next_key::<Text<'a>>()? {
                                match &*key {
                                    $($json => if let Some(value) = map.next_value()? { this.$field = value },)*
                                    _ => { map.next_value::<serde::de::IgnoredAny>()?; }
                                }
                            }
                            Ok(this)
                        }

                        // `null` where an object is expected: Go reads it as an empty one.
                        fn visit_unit<E>(self) -> Result<Self::Value, E> {
                            Ok($name::default())
                        }
                    }

                    deserializer.deserialize_any(Fields(std::marker::PhantomData))
                }
            }
        )*

        /// Each struct's schema name and JSON fields, for the test that holds them against the API's own schema.
        #[cfg(test)]
        const SCHEMA: &[(&str, &[&str])] = &[$(($schema, &[$($json),*])),*];
    };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
}
