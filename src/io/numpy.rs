//! NumPy's `.npy` arrays as other programs write them: integers and floats, little-endian, in either order.

use crate::{Error, Result};

/// Longest header that is looked at.
const MAX_HEADER: usize = 65_536;
const REMEDY: &str = "save it again: numpy.save(\"x.npy\", numpy.asarray(x, dtype=\"<f8\"))";

/// An array in C order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Numbers {
    /// Length along each dimension.
    pub(super) shape: Vec<usize>,
    /// The numbers.
    pub(super) values: Vec<f64>,
}

/// The array in a file that messages call `name`.
///
/// # Errors
/// `Error::Input` for what is no such file, another type, a shape that does not fit the bytes.
///
/// Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Numbers> {
    let bad = |what: &str| Error::input(format!("{name}: {what}"), REMEDY);
    let (header, body) = split(bytes).ok_or_else(|| bad("not a whole NumPy array"))?;
    let descr = field(header, "descr").ok_or_else(|| bad("the header names no type of numbers"))?.trim_matches(['\'', '"']);
    let (width, number): (usize, fn(&[u8]) -> f64) = match descr {
        "<f8" => (8, |b| f64::from_le_bytes(bytes_of(b))),
        "<f4" => (4, |b| f64::from(f32::from_le_bytes(bytes_of(b)))),
        "<i8" => (8, |b| i64::from_le_bytes(bytes_of(b)) as f64),
        "<u8" => (8, |b| u64::from_le_bytes(bytes_of(b)) as f64),
        "<i4" => (4, |b| f64::from(i32::from_le_bytes(bytes_of(b)))),
        "<u4" => (4, |b| f64::from(u32::from_le_bytes(bytes_of(b)))),
        "<i2" => (2, |b| f64::from(i16::from_le_bytes(bytes_of(b)))),
        other => return Err(bad(&format!("the array's type is {:?}", other.chars().take(20).collect::<String>()))),
    };
    let shape = shape(header).ok_or_else(|| bad("the header names no shape"))?;
    let count = shape.iter().try_fold(1_usize, |a, &b| a.checked_mul(b));
    if count.and_then(|c| c.checked_mul(width)) != Some(body.len()) {
        return Err(bad(&format!("the shape {shape:?} does not fit the {} bytes of numbers that follow", body.len())));
    }
    let values: Vec<f64> = body.chunks_exact(width).map(number).collect();
    match field(header, "fortran_order") {
        Some("False") => Ok(Numbers { shape, values }),
        Some("True") => Ok(Numbers { values: turned(&shape, &values), shape }),
        _ => Err(bad("the header does not say in which order the numbers stand")),
    }
}

/// From Fortran's order, the first index fastest, to C's.
fn turned(shape: &[usize], values: &[f64]) -> Vec<f64> {
    if shape.len() < 2 {
        return values.to_vec();
    }
    let mut index = vec![0; shape.len()];
    let mut out = Vec::with_capacity(values.len());
    for _ in values {
        out.push(values[index.iter().zip(shape).rev().fold(0, |at, (i, n)| at * n + i)]);
        for (i, n) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < *n {
                break;
            }
            *i = 0;
        }
    }
    out
}

/// As many bytes as the type needs; the caller cuts them to length.
fn bytes_of<const N: usize>(b: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&b[..N]);
    out
}

/// Header text and the bytes after it.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (length, start): (usize, usize) = match rest.first()? {
        1 => (usize::from(u16::from_le_bytes([*rest.get(2)?, *rest.get(3)?])), 4),
        2 | 3 => (usize::try_from(u32::from_le_bytes(rest.get(2..6)?.try_into().ok()?)).ok()?, 6),
        _ => return None,
    };
    let end = start.checked_add(length).filter(|_| length <= MAX_HEADER)?;
    Some((std::str::from_utf8(rest.get(start..end)?).ok()?, rest.get(end..)?))
}

/// The text after `'name':`, up to the next comma or brace.
fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let after = header.split_once(&format!("'{name}':"))?.1;
    Some(after.split([',', '}']).next()?.trim())
}

/// The numbers of `'shape': (2, 3)`.
fn shape(header: &str) -> Option<Vec<usize>> {
    let inside = header.split_once("'shape':")?.1.trim_start().strip_prefix('(')?.split_once(')')?.0;
    inside.split(',').map(str::trim).filter(|s| !s.is_empty()).map(|s| s.parse().ok()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file of version 1.
    pub(in crate::io) fn npy(header: &str, body: &[u8]) -> Vec<u8> {
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        out.extend(header.as_bytes());
        out.extend(body);
        out
    }

    #[test]
    fn types_and_orders() {
        let of = |descr: &str, order: &str, shape: &str, body: &[u8]| {
            read("x", &npy(&format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n"), body))
        };
        let body: Vec<u8> = (0..24).flat_map(|v| f64::from(v).to_le_bytes()).collect();
        let c = of("<f8", "False", "(2, 3, 4)", &body).unwrap();
        assert_eq!((c.shape, c.values[23]), (vec![2, 3, 4], 23.0));
        // x[i, j, k] of Fortran's order stands at i + 2 j + 6 k.
        let f = of("<f8", "True", "(2, 3, 4)", &body).unwrap();
        assert_eq!((f.values[0], f.values[1], f.values[4], f.values[12]), (0.0, 6.0, 2.0, 1.0));
        assert_eq!(of("<f8", "True", "(6, 4)", &body).unwrap().values[..3], [0.0, 6.0, 12.0]);
        assert_eq!(of("<f8", "True", "(24,)", &body).unwrap().values[5], 5.0);
        assert_eq!(of("<f8", "False", "()", &1.5_f64.to_le_bytes()).unwrap().values, [1.5]);
        assert_eq!(of("<i2", "False", "(2,)", &[255, 255, 7, 0]).unwrap().values, [-1.0, 7.0]);
        assert_eq!(of("<u4", "False", "(1,)", &[255; 4]).unwrap().values, [4_294_967_295.0]);
        assert!(of("<f8", "True", "(0, 3)", &[]).unwrap().values.is_empty());
        for (descr, order, shape) in
            [("|O", "False", "(4,)"), (">f8", "False", "(4,)"), ("<f8", "maybe", "(4,)"), ("<f8", "False", "4"), ("<f8", "False", "(5,)")]
        {
            assert!(of(descr, order, shape, &[0; 32]).is_err(), "{descr} {order} {shape}");
        }
        assert!(of("<f8", "False", "(4294967296, 4294967296, 3)", &[]).is_err());
        assert!(read("x", &npy("", &[0; 32])).is_err());
        let whole = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (24,)}", &body);
        assert!((0..whole.len()).all(|cut| read("x", &whole[..cut]).is_err()));
    }
}
