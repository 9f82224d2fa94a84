//! How single values are read: whole numbers, words, quantities, each with a message of its own when it is something else.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Error as _, SeqAccess, Unexpected, Visitor};

use crate::campaign::units::{Misfit, Quantity};

/// Separates a message from its remedy inside a serde error, which has room for one text only.
pub(super) const REMEDY: char = '\u{1f}';

/// A misfit as one text.
pub(super) fn pack(misfit: &Misfit) -> String {
    format!("{}{REMEDY}{}", misfit.what, misfit.remedy)
}

/// Infinity has its places (open ends of a basin); nan has none.
fn a_number<E: de::Error>(v: f64) -> Result<f64, E> {
    if v.is_nan() {
        return Err(E::custom(format!("nan is not a number{REMEDY}write a number")));
    }
    // -0.0 + 0.0 is 0.0: there is one zero only
    Ok(v + 0.0)
}

/// A whole number, not negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Count(pub(super) u64);

/// A plain number; whole ones are fine too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number(pub(super) f64);

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Flag(pub(super) bool);

/// A text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word(pub(super) String);

/// A text or a number, for keys that take both.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    /// "50 ps", "auto".
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Another number.
    Real(f64),
}

/// A value of any shape.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Any {
    /// A text, perhaps with a unit.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// Several.
    List(Vec<Any>),
}

macro_rules! leaf {
    ($name:ident, $expecting:expr, $schema:tt, { $($visit:item)* }) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Reads;
                impl<'de> Visitor<'de> for Reads {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }
                    $($visit)*
                }
                from.deserialize_any(Reads)
            }
        }
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

leaf!(Count, "a whole number that is not negative, such as 1000 or 500_000", { "type": "integer", "minimum": 0 }, {
    fn visit_u64<E: de::Error>(self, v: u64) -> Result<Count, E> {
        Ok(Count(v))
    }
    fn visit_i64<E: de::Error>(self, v: i64) -> Result<Count, E> {
        u64::try_from(v).map(Count).map_err(|_| E::invalid_value(Unexpected::Signed(v), &self))
    }
    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Count, E> {
        // 5e5 is a number of steps; 0.5 is not. Beyond 2^53 not every whole number is a float.
        if v >= 0.0 && v.fract() == 0.0 && v <= 9_007_199_254_740_992.0 { Ok(Count(v as u64)) } else { Err(E::invalid_value(Unexpected::Float(v), &self)) }
    }
});

leaf!(Number, "a number", { "type": "number" }, {
    fn visit_u64<E: de::Error>(self, v: u64) -> Result<Number, E> {
        Ok(Number(v as f64))
    }
    fn visit_i64<E: de::Error>(self, v: i64) -> Result<Number, E> {
        Ok(Number(v as f64))
    }
    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Number, E> {
        a_number(v).map(Number)
    }
});

leaf!(Flag, "true or false", { "type": "boolean" }, {
    fn visit_bool<E: de::Error>(self, v: bool) -> Result<Flag, E> {
        Ok(Flag(v))
    }
});

leaf!(Word, "a text in quotes", { "type": "string" }, {
    fn visit_str<E: de::Error>(self, v: &str) -> Result<Word, E> {
        Ok(Word(v.to_owned()))
    }
});

leaf!(Scalar, "a number, or a text in quotes", { "type": ["string", "number"] }, {
    fn visit_str<E: de::Error>(self, v: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(v.to_owned()))
    }
    fn visit_u64<E: de::Error>(self, v: u64) -> Result<Scalar, E> {
        Ok(Scalar::Real(v as f64))
    }
    fn visit_i64<E: de::Error>(self, v: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(v))
    }
    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Scalar, E> {
        a_number(v).map(Scalar::Real)
    }
});

leaf!(Any, "a number, a text, true or false, or a list of these", { "type": ["string", "number", "boolean", "array"] }, {
    fn visit_str<E: de::Error>(self, v: &str) -> Result<Any, E> {
        Ok(Any::Text(v.to_owned()))
    }
    fn visit_bool<E: de::Error>(self, v: bool) -> Result<Any, E> {
        Ok(Any::Flag(v))
    }
    fn visit_u64<E: de::Error>(self, v: u64) -> Result<Any, E> {
        Ok(Any::Number(v as f64))
    }
    fn visit_i64<E: de::Error>(self, v: i64) -> Result<Any, E> {
        Ok(Any::Number(v as f64))
    }
    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Any, E> {
        Ok(Any::Number(v))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Any, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Any::List(list))
    }
});

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(from)? {
            Scalar::Text(text) => Quantity::parse(&text).map_err(|m| D::Error::custom(pack(&m))),
            Scalar::Whole(v) => Ok(Quantity::bare(v as f64)),
            Scalar::Real(v) => Ok(Quantity::bare(v)),
        }
    }
}

impl JsonSchema for Quantity {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"], "description": "a number with its unit in quotes (\"2 fs\", \"300 K\", \"1 /ps\"); a bare number in systems with reduced units" })
    }
}
