//! NumPy's `.npy`: integers and floats of any order, little-endian.

use super::Array;
use crate::io::npy_header::{field, shape, split};
use crate::{Error, Result};

/// The array in a file.
/// Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
pub(super) fn read(from: &str, name: String, bytes: &[u8]) -> Result<Array> {
    let bad = |what: &str| Error::input(format!("{from}: {what}"), "save it again: numpy.save(\"x.npy\", numpy.asarray(x, dtype=\"<f8\"))");
    let (header, body) = split(bytes).ok_or_else(|| bad("not a whole NumPy array"))?;
    let descr = field(header, "descr").unwrap_or_default().trim_matches(['\'', '"']);
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
    let mut values: Vec<f64> = body.chunks_exact(width).map(number).collect();
    match field(header, "fortran_order") {
        Some("False") => {}
        Some("True") if shape.len() < 2 => {}
        Some("True") if shape.len() == 2 => {
            let (rows, columns) = (shape[0], shape[1]);
            values = (0..values.len()).map(|i| values[i % columns * rows + i / columns]).collect();
        }
        _ => return Err(bad("the order of its numbers is not one that can be read")),
    }
    Ok(Array { name, from: from.to_owned(), shape, values })
}

/// As many bytes as the type needs; the caller cuts them to length.
fn bytes_of<const N: usize>(b: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&b[..N]);
    out
}
