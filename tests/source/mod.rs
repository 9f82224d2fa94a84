//! Just enough of a Rust scanner for the tests that read the sources: comments and literals blanked, test modules cut,
//! brackets matched. Positions never move, so a byte offset in the blanked text is one in the original.

use std::fs;
use std::path::{Path, PathBuf};

/// Every `.rs` file under `src/`, as (path relative to `src/` with forward slashes, text), in a fixed order.
pub(crate) fn all() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    assert!(paths.len() > 10, "the scan of {} found only {} files", root.display(), paths.len());
    let name = |p: &PathBuf| p.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
    paths.iter().map(|p| (name(p), fs::read_to_string(p).unwrap())).collect()
}

fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The text with comments, string and character literals replaced by spaces, and `#[cfg(test)]` modules cut.
pub(crate) fn code(text: &str) -> String {
    let mut out = blank(text).into_bytes();
    while let Some(at) = find(&out, b"#[cfg(test)]") {
        let end = item_end(&out, at);
        erase(&mut out, at, end);
    }
    String::from_utf8(out).unwrap()
}

/// The end of the item that starts at `at`: behind its `;` or its closing brace.
fn item_end(text: &[u8], at: usize) -> usize {
    let mut i = at + b"#[cfg(test)]".len();
    while i < text.len() && text[i] != b'{' && text[i] != b';' {
        i = if matches!(text[i], b'[' | b'(') { closing(text, i) + 1 } else { i + 1 };
    }
    if i < text.len() && text[i] == b'{' { closing(text, i) + 1 } else { (i + 1).min(text.len()) }
}

/// The index of the bracket that closes the one at `open`; the end of the text when there is none.
pub(crate) fn closing(text: &[u8], open: usize) -> usize {
    let mut depth = 0_i32;
    for (i, b) in text.iter().enumerate().skip(open) {
        match b {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i;
        }
    }
    text.len() - 1
}

/// The line number, from 1, of a byte offset.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1
}

/// True for the bytes of an identifier (`$` as in the names that macros paste).
pub(crate) fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'$'
}

/// All offsets at which `word` stands as a whole identifier.
pub(crate) fn words(text: &str, word: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let whole = |at: &usize| (*at == 0 || !is_word(bytes[at - 1])) && bytes.get(at + word.len()).is_none_or(|b| !is_word(*b));
    text.match_indices(word).map(|(at, _)| at).filter(whole).collect()
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|w| w == needle)
}

fn erase(text: &mut [u8], from: usize, to: usize) {
    for b in &mut text[from..to] {
        if *b != b'\n' {
            *b = b' ';
        }
    }
}

fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut i = 0;
    while i < bytes.len() {
        let end = match bytes[i] {
            b'/' if bytes[i..].starts_with(b"//") => bytes[i..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| i + n),
            b'/' if bytes[i..].starts_with(b"/*") => block_comment(bytes, i),
            b'"' => string(bytes, i),
            b'r' | b'b' if i == 0 || !is_word(bytes[i - 1]) => raw_string(bytes, i).unwrap_or(i),
            b'\'' => character(bytes, i),
            _ => i,
        };
        if end > i {
            erase(&mut out, i, end);
            i = end;
        } else {
            i += 1;
        }
    }
    // Only whole literals and comments were overwritten, byte for byte, with ASCII.
    String::from_utf8(out).unwrap()
}

fn block_comment(bytes: &[u8], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i < bytes.len() {
        if bytes[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if bytes[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    i
}

fn string(bytes: &[u8], at: usize) -> usize {
    let mut i = at + 1;
    while i < bytes.len() && bytes[i] != b'"' {
        i += if bytes[i] == b'\\' { 2 } else { 1 };
    }
    (i + 1).min(bytes.len())
}

/// The end of `r"..."`, `r#"..."#`, `br"..."`, or nothing when no raw string starts here.
fn raw_string(bytes: &[u8], at: usize) -> Option<usize> {
    let mut i = at + usize::from(bytes[at] == b'b');
    if bytes.get(i) != Some(&b'r') {
        return None;
    }
    i += 1;
    let hashes = bytes[i..].iter().take_while(|b| **b == b'#').count();
    if bytes.get(i + hashes) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    find(&bytes[i + hashes + 1..], &close).map(|n| i + hashes + 1 + n + close.len())
}

/// The end of a character literal; `at` itself for a lifetime.
fn character(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at + 1) {
        Some(b'\\') => bytes[at + 3..].iter().position(|b| *b == b'\'').map_or(bytes.len(), |n| at + n + 4),
        Some(_) => {
            // One character, of any length in bytes, then the quote.
            let width = (1..=4).find(|n| bytes.get(at + 1 + n) == Some(&b'\'') && std::str::from_utf8(&bytes[at + 1..at + 1 + n]).is_ok());
            width.map_or(at, |n| at + n + 2)
        }
        None => at,
    }
}
