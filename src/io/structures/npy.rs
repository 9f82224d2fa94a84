//! Structures as NumPy's `.npy` arrays.

use super::Structure;
use crate::io::numpy;
use crate::{Error, Result};

/// Reads an array of shape (n, atoms, d), (n, dof), (atoms, d) or (dof) as n structures.
///
/// `name` is for messages. Errors: `Error::Input` for another type or shape, or a file that is cut short.
pub fn read_npy(name: &str, bytes: &[u8], dof: usize) -> Result<Vec<Structure>> {
    let array = numpy::read(name, bytes)?;
    let fits = match array.shape[..] {
        _ if dof == 0 => false,
        [n] => n == dof,
        [n, m] => m == dof || n.checked_mul(m) == Some(dof),
        [_, atoms, d] => atoms.checked_mul(d) == Some(dof),
        _ => false,
    };
    if !fits || array.values.is_empty() {
        let what = format!("{name}: an array of shape {:?} holds no structures of {dof} coordinates", array.shape);
        return Err(Error::input(what, "the shape is (n, atoms, 3), or (n, dof)"));
    }
    let frames = array.values.chunks_exact(dof).enumerate();
    Ok(frames.map(|(k, x)| Structure { id: k.to_string(), x: x.to_vec() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::numpy::tests::npy;

    #[test]
    fn shapes() {
        let body: Vec<u8> = (0..12).flat_map(|v| f64::from(v).to_le_bytes()).collect();
        let file = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2, 3), }\n", &body);
        let s = read_npy("x", &file, 6).unwrap();
        assert_eq!((s.len(), s[1].x.clone()), (2, vec![6.0, 7.0, 8.0, 9.0, 10.0, 11.0]));
        assert!(read_npy("x", &file, 4).is_err());
        assert!(read_npy("x", &file[..file.len() - 1], 6).is_err());
        let body: Vec<u8> = (0..4_u8).flat_map(|v| f32::from(v).to_le_bytes()).collect();
        let file = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", &body);
        assert_eq!(read_npy("x", &file, 4).unwrap()[0].x, [0.0, 1.0, 2.0, 3.0]);
        assert!(read_npy("x", &file, 0).is_err());
    }
}
