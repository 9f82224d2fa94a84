//! How values of more than one shape are read: a text or a table, one or many, tables whose keys are names.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor};

use super::leaf::Count;
use super::placed::Placed;

/// A text, or a table `T`.
#[derive(Clone, Debug)]
pub(super) enum WordOr<T> {
    /// A text.
    Word(String),
    /// A table.
    Table(Box<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WordOr<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reads<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reads<T> {
            type Value = WordOr<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text in quotes or a table { ... }")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<WordOr<T>, E> {
                Ok(WordOr::Word(v.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WordOr<T>, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(map)).map(|t| WordOr::Table(Box::new(t)))
            }
        }
        from.deserialize_any(Reads(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for WordOr<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("WordOr{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}

/// One value, or a list of them.
#[derive(Clone, Debug)]
pub(super) enum OneOrMany<T> {
    /// One.
    One(T),
    /// Several.
    Many(Vec<T>),
}

impl<'de> Deserialize<'de> for OneOrMany<Placed<Count>> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = OneOrMany<Placed<Count>>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a whole number, or a list of whole numbers")
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Self::Value, E> {
                u64::try_from(v)
                    .map(|v| OneOrMany::One(Placed::default_of(Count(v))))
                    .map_err(|_| E::invalid_value(Unexpected::Signed(v), &self))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(OneOrMany::Many(list))
            }
        }
        from.deserialize_any(Reads)
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// A list of values, or { from, to, count }.
#[derive(Clone, Debug)]
pub(super) enum Spread<T> {
    /// These.
    List(Vec<Placed<T>>),
    /// Both ends and how many.
    Range(Box<Ends<T>>),
}

/// Two ends and how many values, ends included; or the points of a quadrature.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a list or a table { from, to, count }")]
pub(super) struct Ends<T> {
    /// The first value.
    pub(super) from: Option<Placed<T>>,
    /// The last value.
    pub(super) to: Option<Placed<T>>,
    /// How many, ends included.
    pub(super) count: Option<Placed<Count>>,
    /// Of lambdas, instead of the three: so many points of Gauss-Legendre quadrature on [0, 1].
    pub(super) gauss_legendre: Option<Placed<Count>>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spread<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reads<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reads<T> {
            type Value = Spread<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of values, or { from = .., to = .., count = .. }")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Spread::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ends::deserialize(de::value::MapAccessDeserializer::new(map)).map(|t| Spread::Range(Box::new(t)))
            }
        }
        from.deserialize_any(Reads(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Spread<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Spread{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        let ends = generator.subschema_for::<Ends<T>>();
        json_schema!({ "anyOf": [{ "type": "array", "items": one, "minItems": 2 }, ends] })
    }
}

/// "last", or a list of frame numbers.
#[derive(Clone, Debug)]
pub(super) enum FrameList {
    /// The last frame, if the word is "last".
    Word(String),
    /// These.
    At(Vec<u64>),
}

impl<'de> Deserialize<'de> for FrameList {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = FrameList;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"last\" or a list of frame numbers")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<FrameList, E> {
                Ok(FrameList::Word(v.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<FrameList, A::Error> {
                let mut list = Vec::new();
                while let Some(Count(item)) = items.next_element()? {
                    list.push(item);
                }
                Ok(FrameList::At(list))
            }
        }
        from.deserialize_any(Reads)
    }
}

impl JsonSchema for FrameList {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FrameList".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": "last" }, { "type": "array", "items": { "type": "integer", "minimum": 0 } }] })
    }
}

/// A table whose keys are names, in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct Named<T>(pub(super) Vec<(Placed<String>, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reads<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reads<T> {
            type Value = Named<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<Placed<String>, T>()? {
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }
        from.deserialize_any(Reads(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Named{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}

/// The schema of a sweep's values; they are read from the document itself.
pub(super) struct SweepValues;

impl JsonSchema for SweepValues {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SweepValues".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let end = serde_json::json!({ "type": ["string", "number"] });
        json_schema!({ "anyOf": [
            { "type": "array", "minItems": 1 },
            { "type": "object", "required": ["from", "to", "count"], "additionalProperties": false,
              "properties": { "from": end, "to": end, "count": { "type": "integer", "minimum": 2 } } },
            { "type": "object", "additionalProperties": true }
        ] })
    }
}
