//! Files as they lie on the disk to texts: plain, gzip, bzip2, and tar archives of these.

use super::bzip2::{self, Flaw, Room};
use crate::{Error, Result};
use std::io::Read;
use std::path::Path;

/// Most bytes that a file may unpack to: what more would be, is a mistake or an attack.
const MOST: u64 = 4 << 30;

/// One text with the name that messages use; members of an archive are `archive/member`.
#[derive(Clone, Debug)]
pub struct Text {
    /// Path, as the user gave it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// The bytes of a file, unpacked by what it is, not by what it is called.
///
/// # Errors
/// `Error::Input` for a file that is not there, is cut short or damaged.
pub(super) fn unpacked(path: &Path, room: &mut Room) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).map_err(|e| Error::reading(path, "reading", &e))?;
    let name = path.display().to_string();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return gunzip(&name, &bytes);
    }
    if !bytes.starts_with(b"BZh") {
        return Ok(bytes);
    }
    bzip2::unpack(&bytes, MOST, room).map_err(|flaw| {
        let what = match flaw {
            Flaw::TooLong => return too_long(&name),
            Flaw::Cut => "is cut short",
            Flaw::Damaged => "is damaged",
        };
        Error::input(format!("{name}: the bzip2 file {what}"), format!("copy the file again; `bzip2 -t {name}` tests it"))
    })
}

fn gunzip(name: &str, packed: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let read = flate2::bufread::MultiGzDecoder::new(packed).take(MOST + 1).read_to_end(&mut out);
    if let Err(e) = read {
        let what = format!("{name}: the gzip file is cut short or damaged after {} bytes of text ({e})", out.len());
        return Err(Error::input(what, format!("copy the file again; `gzip -t {name}` tests it")));
    }
    if out.len() as u64 > MOST { Err(too_long(name)) } else { Ok(out) }
}

fn too_long(name: &str) -> Error {
    Error::input(format!("{name}: unpacks to more than 4 GiB"), "split the file, or keep fewer frames")
}

/// The texts in a file's unpacked bytes: one, or one for each member of a tar archive.
///
/// Bytes that are not UTF-8 (paths in headers, say) become replacement characters.
/// Errors: a file that is no text or empty, an archive that is damaged.
pub(super) fn texts(path: &Path, bytes: Vec<u8>) -> Result<Vec<Text>> {
    let name = path.display().to_string();
    if bytes.get(257..262) == Some(b"ustar") {
        return members(&name, &bytes)?.into_iter().map(|(member, body)| text(format!("{name}/{member}"), body.to_vec())).collect();
    }
    Ok(vec![text(name, bytes)?])
}

/// Bytes as text.
pub fn text(name: String, bytes: Vec<u8>) -> Result<Text> {
    if bytes.is_empty() {
        return Err(Error::input(format!("{name} is empty"), "leave it out, or copy it again"));
    }
    // Real output can hold a stray zero in a header; a file full of them is something else.
    let head = &bytes[..bytes.len().min(4096)];
    if head.iter().filter(|b| **b == 0).count() * 50 > head.len() {
        return Err(Error::input(format!("{name} is not a text file"), "give the program's text output: dhdl.xvg, mdout, fepout, dat"));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
    };
    Ok(Text { name, text })
}

/// Regular files of a tar archive with their bytes.
/// Source: POSIX.1-1988 ustar: blocks of 512, name at 0, size in octal at 124, type at 156.
fn members<'a>(name: &str, bytes: &'a [u8]) -> Result<Vec<(String, &'a [u8])>> {
    let cut = || Error::input(format!("{name}: the tar archive is cut short or damaged"), "copy the file again, or unpack it with tar");
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 512) {
        if head.iter().all(|b| *b == 0) {
            break;
        }
        let size = octal(&head[124..136]).ok_or_else(cut)?;
        let end = (at + 512).checked_add(size).ok_or_else(cut)?;
        let body = bytes.get(at + 512..end).ok_or_else(cut)?;
        let member: Vec<u8> = head[..100].iter().copied().take_while(|b| *b != 0).collect();
        let member = String::from_utf8_lossy(&member).into_owned();
        // macOS keeps attributes in files of their own.
        let hidden = member.rsplit('/').next().is_some_and(|n| n.starts_with("._"));
        if matches!(head[156], b'0' | 0) && !hidden && size > 0 {
            found.push((member, body));
        }
        at = end.div_ceil(512) * 512;
    }
    if found.is_empty() {
        return Err(Error::input(format!("{name}: the archive holds no files"), "give the program's text output"));
    }
    Ok(found)
}

fn octal(field: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    usize::from_str_radix(text, 8).ok()
}
