//! The zip archives that numpy.savez and savez_compressed write: stored or deflated members.

use crate::{Error, Result};
use std::io::Read;

/// Most bytes that the members may unpack to together: what more would be, is a mistake or an attack.
const MOST: u64 = 16 << 30;

/// Names and contents of the members whose names are wanted, in order; nothing else is unpacked.
/// Source: PKWARE APPNOTE.TXT: end of central directory (PK 5 6), central headers (PK 1 2), local headers (PK 3 4).
pub(super) fn members(name: &str, bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, Vec<u8>)>> {
    let damaged =
        || Error::input(format!("{name}: the archive is cut short or damaged"), "save it again with numpy.savez, or copy it again");
    let end = bytes.len().checked_sub(22).ok_or_else(damaged)?;
    let lowest = end.saturating_sub(65_536);
    let end = (lowest..=end).rev().find(|&at| bytes[at..].starts_with(b"PK\x05\x06")).ok_or_else(damaged)?;
    let (count, mut at) = (short(bytes, end + 10).ok_or_else(damaged)?, long(bytes, end + 16).ok_or_else(damaged)?);
    let mut found = Vec::new();
    let mut left = MOST;
    for _ in 0..count {
        let entry = entry(bytes, at).ok_or_else(damaged)?;
        at = entry.next;
        if !wanted(&entry.name) {
            continue;
        }
        left = left.checked_sub(entry.size).ok_or_else(|| {
            Error::input(
                format!("{name}: its arrays unpack to more than {} GiB", MOST >> 30),
                "save fewer samples, or each array as an .npy",
            )
        })?;
        let body = match entry.method {
            0 if entry.packed.len() as u64 == entry.size => entry.packed.to_vec(),
            8 => {
                let mut out = Vec::new();
                let read = flate2::bufread::DeflateDecoder::new(entry.packed).take(entry.size + 1).read_to_end(&mut out);
                if read.is_err() || out.len() as u64 != entry.size {
                    return Err(damaged());
                }
                out
            }
            0 => return Err(damaged()),
            other => {
                let what = format!("{name}: member {} is packed with method {other}", entry.name);
                return Err(Error::input(what, "save it with numpy.savez or numpy.savez_compressed"));
            }
        };
        let mut check = flate2::Crc::new();
        check.update(&body);
        if check.sum() != entry.check {
            return Err(damaged());
        }
        found.push((entry.name, body));
    }
    Ok(found)
}

struct Entry<'a> {
    name: String,
    method: usize,
    check: u32,
    size: u64,
    packed: &'a [u8],
    next: usize,
}

fn entry(bytes: &[u8], at: usize) -> Option<Entry<'_>> {
    bytes.get(at..at + 4).filter(|m| *m == b"PK\x01\x02")?;
    let (packed, size) = (long(bytes, at + 20)?, long(bytes, at + 24)?);
    let (names, extra, comment) = (short(bytes, at + 28)?, short(bytes, at + 30)?, short(bytes, at + 32)?);
    let local = long(bytes, at + 42)?;
    if [packed, size, local].contains(&0xffff_ffff) {
        return None; // beyond 4 GiB
    }
    bytes.get(local..local + 4).filter(|m| *m == b"PK\x03\x04")?;
    let start = local + 30 + short(bytes, local + 26)? + short(bytes, local + 28)?;
    Some(Entry {
        name: String::from_utf8_lossy(bytes.get(at + 46..at + 46 + names)?).into_owned(),
        method: short(bytes, at + 10)?,
        check: long(bytes, at + 16)? as u32,
        size: size as u64,
        packed: bytes.get(start..start.checked_add(packed)?)?,
        next: at + 46 + names + extra + comment,
    })
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}
