//! A small tree of named values that turns into bytes and back: what a checkpoint holds.

use crate::{Error, Result};
use std::collections::BTreeMap;

/// One value of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A count.
    U64(u64),
    /// A number, kept to the bit.
    F64(f64),
    /// A text.
    Text(String),
    /// Numbers, kept to the bit.
    F64s(Vec<f64>),
    /// Counts.
    U64s(Vec<u64>),
    /// Values of a part.
    Nest(Snapshot),
}

macro_rules! value_from {
    ($($t:ty => $v:ident),*) => { $(impl From<$t> for Value { fn from(x: $t) -> Self { Value::$v(x) } })* };
}
value_from!(u64 => U64, f64 => F64, String => Text, Vec<f64> => F64s, Vec<u64> => U64s, Snapshot => Nest);

/// Named values, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    fields: BTreeMap<String, Value>,
}

impl Snapshot {
    /// Sets a value.
    pub fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    /// Sets the values of a part.
    pub fn nest(&mut self, name: &str, fill: impl FnOnce(&mut Snapshot)) {
        let mut part = Snapshot::default();
        fill(&mut part);
        self.put(name, part);
    }

    /// A value by name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    fn missing<T>(name: &str, kind: &str) -> Result<T> {
        Err(Error::run(
            format!("the checkpoint has no {kind} named '{name}'"),
            "it was written by another version: start the run afresh with --overwrite, or resume it with the version that wrote it",
        ))
    }

    /// A count.
    ///
    /// # Errors
    /// `Error::Run` when there is none of that name and kind; so for the others.
    pub fn u64(&self, name: &str) -> Result<u64> {
        if let Some(Value::U64(x)) = self.get(name) { Ok(*x) } else { Self::missing(name, "count") }
    }
    /// A number.
    ///
    /// # Errors
    /// As [`Snapshot::u64`].
    pub fn f64(&self, name: &str) -> Result<f64> {
        if let Some(Value::F64(x)) = self.get(name) { Ok(*x) } else { Self::missing(name, "number") }
    }
    /// A text.
    ///
    /// # Errors
    /// As [`Snapshot::u64`].
    pub fn text(&self, name: &str) -> Result<&str> {
        if let Some(Value::Text(x)) = self.get(name) { Ok(x) } else { Self::missing(name, "text") }
    }
    /// Numbers.
    ///
    /// # Errors
    /// As [`Snapshot::u64`].
    pub fn f64s(&self, name: &str) -> Result<&[f64]> {
        if let Some(Value::F64s(x)) = self.get(name) { Ok(x) } else { Self::missing(name, "list of numbers") }
    }
    /// Counts.
    ///
    /// # Errors
    /// As [`Snapshot::u64`].
    pub fn u64s(&self, name: &str) -> Result<&[u64]> {
        if let Some(Value::U64s(x)) = self.get(name) { Ok(x) } else { Self::missing(name, "list of counts") }
    }
    /// A part.
    ///
    /// # Errors
    /// As [`Snapshot::u64`].
    pub fn nested(&self, name: &str) -> Result<&Snapshot> {
        if let Some(Value::Nest(x)) = self.get(name) { Ok(x) } else { Self::missing(name, "part") }
    }

    /// Little-endian bytes: count of fields, then name, kind, length and content of each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_length(out, self.fields.len());
        for (name, value) in &self.fields {
            put_length(out, name.len());
            out.extend_from_slice(name.as_bytes());
            match value {
                Value::U64(x) => {
                    out.push(0);
                    out.extend_from_slice(&x.to_le_bytes());
                }
                Value::F64(x) => {
                    out.push(1);
                    out.extend_from_slice(&x.to_bits().to_le_bytes());
                }
                Value::Text(x) => {
                    out.push(2);
                    put_length(out, x.len());
                    out.extend_from_slice(x.as_bytes());
                }
                Value::F64s(x) => {
                    out.push(3);
                    put_length(out, x.len());
                    for v in x {
                        out.extend_from_slice(&v.to_bits().to_le_bytes());
                    }
                }
                Value::U64s(x) => {
                    out.push(4);
                    put_length(out, x.len());
                    for v in x {
                        out.extend_from_slice(&v.to_le_bytes());
                    }
                }
                Value::Nest(x) => {
                    out.push(5);
                    x.write(out);
                }
            }
        }
    }

    /// Reads what [`Snapshot::to_bytes`] wrote; `None` for anything else, however damaged.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let snapshot = Self::read(&mut rest, 0)?;
        rest.is_empty().then_some(snapshot)
    }

    fn read(rest: &mut &[u8], depth: usize) -> Option<Self> {
        if depth > 32 {
            return None;
        }
        let mut fields = BTreeMap::new();
        for _ in 0..take_u64(rest)? {
            let name = take_text(rest)?;
            let value = match take(rest, 1)?[0] {
                0 => Value::U64(take_u64(rest)?),
                1 => Value::F64(f64::from_bits(take_u64(rest)?)),
                2 => Value::Text(take_text(rest)?),
                3 => Value::F64s(take_words(rest)?.into_iter().map(f64::from_bits).collect()),
                4 => Value::U64s(take_words(rest)?),
                5 => Value::Nest(Self::read(rest, depth + 1)?),
                _ => return None,
            };
            fields.insert(name, value);
        }
        Some(Snapshot { fields })
    }
}

fn put_length(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&(n as u64).to_le_bytes());
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(n)?;
    *rest = tail;
    Some(head)
}

fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(take(rest, 8)?.try_into().ok()?))
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let n = usize::try_from(take_u64(rest)?).ok()?;
    String::from_utf8(take(rest, n)?.to_vec()).ok()
}

fn take_words(rest: &mut &[u8]) -> Option<Vec<u64>> {
    let n = usize::try_from(take_u64(rest)?).ok()?;
    let bytes = take(rest, n.checked_mul(8)?)?;
    bytes.chunks_exact(8).map(|c| Some(u64::from_le_bytes(c.try_into().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Snapshot {
        let mut s = Snapshot::default();
        s.put("step", 7_u64);
        s.put("dt", 0.1);
        s.put("name", "baoab".to_owned());
        s.put("x", vec![1.0, -0.0, f64::INFINITY]);
        s.put("lineage", vec![3_u64, 1]);
        s.nest("part", |p| p.put("n", 1_u64));
        s
    }

    #[test]
    fn bytes_come_back() {
        let s = example();
        assert_eq!(Snapshot::from_bytes(&s.to_bytes()), Some(s.clone()));
        assert_eq!(s.nested("part").unwrap().u64("n").unwrap(), 1);
        assert!(s.f64("step").is_err());
    }

    #[test]
    fn every_prefix_and_every_flipped_byte_is_survived() {
        let bytes = example().to_bytes();
        for n in 0..bytes.len() {
            assert_eq!(Snapshot::from_bytes(&bytes[..n]), None);
            let mut flipped = bytes.clone();
            flipped[n] ^= 0xff;
            let _ = Snapshot::from_bytes(&flipped);
        }
    }
}
