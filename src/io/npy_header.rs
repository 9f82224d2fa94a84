//! What stands before the numbers of a `.npy` file.
//!
//! Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".

/// Longest header that is looked at.
const MAX_HEADER: usize = 65_536;

/// Header text and the bytes after it.
pub(super) fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
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
pub(super) fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let after = header.split_once(&format!("'{name}':"))?.1;
    Some(after.split([',', '}']).next()?.trim())
}

/// The numbers of `'shape': (2, 3)`.
pub(super) fn shape(header: &str) -> Option<Vec<usize>> {
    let inside = header.split_once("'shape':")?.1.trim_start().strip_prefix('(')?.split_once(')')?.0;
    inside.split(',').map(str::trim).filter(|s| !s.is_empty()).map(|s| s.parse().ok()).collect()
}
