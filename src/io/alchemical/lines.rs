//! Lines and numbers of a text, at some hundred megabytes a second, with places for messages.

use super::unpack::Text;
use crate::Error;
use crate::error::Source;

/// One line without its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Its text.
    pub(super) text: &'a str,
    /// Offset of its first byte.
    pub(super) start: usize,
    /// Whether a line break ends it. The last line of a file that was cut has none, and its last number may have lost digits.
    pub(super) ended: bool,
}

/// Lines of a text one after another.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lines<'a> {
    /// From the beginning.
    pub(super) fn new(text: &'a str) -> Self {
        Lines { text, at: 0 }
    }

    /// The line that comes next, without taking it.
    pub(super) fn peek(&self) -> Option<Line<'a>> {
        self.clone().next()
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|r| !r.is_empty())?;
        let (line, ended) = match find_break(rest.as_bytes()) {
            Some(n) => (&rest[..n], true),
            None => (rest, false),
        };
        self.at = start + line.len() + usize::from(ended);
        Some(Line { text: line.strip_suffix('\r').unwrap_or(line), start, ended })
    }
}

/// Position of the first line break, eight bytes at a time.
fn find_break(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    for word in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes([word[0], word[1], word[2], word[3], word[4], word[5], word[6], word[7]]) ^ (ONES * u64::from(b'\n'));
        let zero = word.wrapping_sub(ONES) & !word & HIGHS;
        if zero != 0 {
            return Some(at + zero.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    bytes[at..].iter().position(|b| *b == b'\n').map(|n| at + n)
}

/// The next word of `bytes` from `at` on, separated by spaces and tabs; `at` moves behind it.
#[inline]
pub(super) fn word<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let mut from = *at;
    while from < bytes.len() && (bytes[from] == b' ' || bytes[from] == b'\t') {
        from += 1;
    }
    let mut to = from;
    while to < bytes.len() && bytes[to] != b' ' && bytes[to] != b'\t' {
        to += 1;
    }
    *at = to;
    (to > from).then(|| &bytes[from..to])
}

const TENS: [f64; 23] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

/// A decimal number, `nan` and `inf` in any case with a sign; the nearest f64. `None`: no number.
///
/// Up to 15 digits and small powers of ten need one exact multiplication or division (Clinger, PLDI 1990); the rest is std's.
#[inline]
pub(super) fn number(word: &[u8]) -> Option<f64> {
    let (negative, digits) = match word {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, word),
    };
    let (mut mantissa, mut fraction, mut count, mut at) = (0_u64, 0_i32, 0_usize, 0_usize);
    while at < digits.len() && digits[at].is_ascii_digit() {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digits[at] - b'0'));
        count += 1;
        at += 1;
    }
    if at < digits.len() && digits[at] == b'.' {
        at += 1;
        let first = at;
        while at < digits.len() && digits[at].is_ascii_digit() {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digits[at] - b'0'));
            at += 1;
        }
        fraction = (at - first) as i32;
        count += at - first;
    }
    if count == 0 || count > 19 {
        return slow(word);
    }
    let mut power = -fraction;
    if at < digits.len() {
        if !matches!(digits[at], b'e' | b'E' | b'd' | b'D') {
            return None;
        }
        let exponent = std::str::from_utf8(&digits[at + 1..]).ok()?;
        let exponent: i32 = exponent.parse().ok().filter(|e: &i32| e.unsigned_abs() < 10_000)?;
        power += exponent;
    }
    // Zeros at the end of a fraction cost nothing.
    while power < 0 && mantissa >= 1 << 53 && mantissa.is_multiple_of(10) {
        mantissa /= 10;
        power += 1;
    }
    if mantissa >= 1 << 53 || power.unsigned_abs() > 22 {
        return slow(word);
    }
    let value = mantissa as f64;
    let value = if power < 0 { value / TENS[power.unsigned_abs() as usize] } else { value * TENS[power as usize] };
    Some(if negative { -value } else { value })
}

/// Everything else: long mantissas, far exponents, words.
#[cold]
fn slow(word: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(word).ok()?;
    // Rust accepts "infinity" too; Fortran writes exponents with D.
    if text.contains(['d', 'D']) { text.replace(['d', 'D'], "e").parse().ok() } else { text.parse().ok() }
}

/// An error at a line of a text.
#[cold]
pub(super) fn wrong(text: &Text, line: Line<'_>, what: impl Into<String>, remedy: impl Into<String>) -> Error {
    let source = Source::new(text.name.as_str(), text.text.as_str());
    Error::input_at(&source, line.start..line.start + line.text.len(), what, remedy)
}

/// An error about a whole text.
#[cold]
pub(super) fn wrong_file(text: &Text, what: impl std::fmt::Display, remedy: impl Into<String>) -> Error {
    Error::input(format!("{}: {what}", text.name), remedy)
}

/// Names for a message: of many the first.
pub(super) fn few(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(6).map(String::as_str).collect();
    let more = names.len().saturating_sub(shown.len());
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// The first words of a line, for a message.
pub(super) fn excerpt(text: &str) -> String {
    let short: String = text.trim().chars().take(40).collect();
    if short.len() < text.trim().len() { format!("{short}...") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_nearest() {
        let mut seed = 1_u64;
        for k in 0..200_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (a, b) = ((seed >> 20) % 10_u64.pow(1 + k % 9), (seed >> 8) % 100_000_000);
            let text = match k % 5 {
                0 => format!("{a}.{b:08}"),
                1 => format!("-{a}.{b:010}00"),
                2 => format!("{a}.{b}e{}", (seed >> 33) as i32 % 40 - 20),
                3 => format!("{}", f64::from_bits(seed & !(0x7ff << 52) | (1000 + seed % 50) << 52)),
                _ => format!("{a}"),
            };
            assert_eq!(number(text.as_bytes()).map(f64::to_bits), text.parse::<f64>().ok().map(f64::to_bits), "{text}");
        }
        assert!(number(b"nan").unwrap().is_nan() && number(b"-NaN").unwrap().is_nan());
        assert_eq!(number(b"-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(number(b"1.5D+02"), Some(150.0));
        assert_eq!(number(b".5"), Some(0.5));
        for bad in ["", "-", ".", "1e", "1.2.3", "12-3", "abc", "1,5", "0x10", "1e+", "1e-2147483648", "*****"] {
            assert_eq!(number(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn lines_and_words() {
        let all: Vec<_> = Lines::new("one\r\n\nlonger than eight bytes\nlast").map(|l| (l.text, l.start, l.ended)).collect();
        assert_eq!(all, [("one", 0, true), ("", 5, true), ("longer than eight bytes", 6, true), ("last", 30, false)]);
        let mut at = 0;
        let line = b" a\tbc  d ";
        let words: Vec<_> = std::iter::from_fn(|| word(line, &mut at)).collect();
        assert_eq!(words, [&b"a"[..], b"bc", b"d"]);
    }
}
