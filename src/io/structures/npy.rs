//! NumPy's `.npy` arrays of floats, little-endian, C order.

use super::Structure;
use crate::io::npy_header::{field, shape, split};
use crate::{Error, Result};

/// Reads an array of shape (n, atoms, d), (n, dof), (atoms, d) or (dof), of `<f8` or `<f4`, as n structures.
///
/// `name` is for messages. Errors: `Error::Input` for another type, order or shape, or a file that is cut short.
/// Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
pub fn read_npy(name: &str, bytes: &[u8], dof: usize) -> Result<Vec<Structure>> {
    let bad = |what: &str, remedy: &str| Error::input(format!("{name}: {what}"), remedy);
    let save = "write it with numpy.save(\"x.npy\", numpy.ascontiguousarray(x, dtype=\"<f8\"))";
    let (header, body) = split(bytes).ok_or_else(|| bad("not a NumPy .npy file", save))?;
    let descr = field(header, "descr").unwrap_or_default();
    let width = match descr.trim_matches(['\'', '"']) {
        "<f8" => 8,
        "<f4" => 4,
        other => return Err(bad(&format!("the array's type is {:?}", other.chars().take(20).collect::<String>()), save)),
    };
    if field(header, "fortran_order") != Some("False") {
        return Err(bad("the array is in Fortran order", save));
    }
    let shape = shape(header).ok_or_else(|| bad("the header names no shape", save))?;
    let count = shape.iter().try_fold(1_usize, |a, &b| a.checked_mul(b));
    let Some(count) = count.filter(|c| c.checked_mul(width) == Some(body.len())) else {
        let what = format!("the shape {shape:?} does not fit the {} bytes of numbers that follow", body.len());
        return Err(bad(&what, "the file is cut short or damaged; save it again"));
    };
    let fits = match shape[..] {
        _ if dof == 0 => false,
        [n] => n == dof,
        [n, m] => m == dof || n.checked_mul(m) == Some(dof),
        [_, atoms, d] => atoms.checked_mul(d) == Some(dof),
        _ => false,
    };
    if !fits || count == 0 {
        let what = format!("an array of shape {shape:?} holds no structures of {dof} coordinates");
        return Err(bad(&what, "the shape is (n, atoms, 3), or (n, dof)"));
    }
    let number = |b: &[u8]| match b {
        [a, b, c, d] => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        _ => f64::NAN,
    };
    let frames = body.chunks_exact(dof * width).enumerate();
    Ok(frames.map(|(k, f)| Structure { id: k.to_string(), x: f.chunks_exact(width).map(number).collect() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, body: &[u8]) -> Vec<u8> {
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        out.extend(header.as_bytes());
        out.extend(body);
        out
    }

    #[test]
    fn shapes_and_types() {
        let body: Vec<u8> = (0..12).flat_map(|v| f64::from(v).to_le_bytes()).collect();
        let file = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2, 3), }\n", &body);
        let s = read_npy("x", &file, 6).unwrap();
        assert_eq!((s.len(), s[1].x.clone()), (2, vec![6.0, 7.0, 8.0, 9.0, 10.0, 11.0]));
        assert!(read_npy("x", &file, 4).is_err());
        assert!(read_npy("x", &file[..file.len() - 1], 6).is_err());
        let body: Vec<u8> = (0..4_u8).flat_map(|v| f32::from(v).to_le_bytes()).collect();
        let file = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", &body);
        assert_eq!(read_npy("x", &file, 4).unwrap()[0].x, [0.0, 1.0, 2.0, 3.0]);
        let huge = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 3), }", &[]);
        assert!(read_npy("x", &huge, 3).is_err());
        for header in
            ["{'descr': '|O', 'fortran_order': False, 'shape': (4,), }", "{'descr': '<f8', 'fortran_order': True, 'shape': (4,)}", ""]
        {
            assert!(read_npy("x", &npy(header, &[0; 32]), 4).is_err());
        }
    }
}
