//! One line of a PDB file, column by column.

use std::ops::Range;

use super::Cell;
use crate::io::elements::Element;

/// Residues whose atoms are named after their element: amino acids, nucleotides, caps, water.
#[rustfmt::skip]
pub(super) const POLYMER: [&str; 52] = [
    "ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE", "LEU", "LYS", "MET", "PHE", "PRO", "SER", "THR", "TRP", "TYR",
    "VAL", "ACE", "NME", "NMA", "NH2", "NHE", "HID", "HIE", "HIP", "HSD", "HSE", "HSP", "CYX", "CYM", "ASH", "GLH", "LYN", "MSE", "A", "C",
    "G", "U", "DA", "DC", "DG", "DT", "HOH", "WAT", "SOL", "TIP", "TIP3", "HYP", "SEC",
];

/// A line without its end, and where it starts in the text.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
}

/// Who an atom is.
pub(super) struct Identity<'a> {
    pub(super) serial: &'a str,
    pub(super) name: &'a str,
    pub(super) residue_name: &'a str,
    pub(super) chain: char,
    pub(super) residue_number: i32,
    pub(super) number_overflowed: bool,
    pub(super) insertion: Option<char>,
    pub(super) element: Option<Element>,
    pub(super) deduced: bool,
}

impl<'a> Line<'a> {
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The record's name: the first six columns.
    pub(super) fn record(&self) -> &'a str {
        let word = self.text.get(..6).unwrap_or(self.text).trim_end();
        // A serial of six digits touches ATOM.
        match word.strip_prefix("ATOM") {
            Some(rest) if rest.trim_start().bytes().all(|b| b.is_ascii_digit()) => "ATOM",
            _ => word,
        }
    }

    /// Columns `from..to`, 0-based; what of them the line has. `None` if the line is not ASCII there.
    pub(super) fn columns(&self, from: usize, to: usize) -> Option<&'a str> {
        let end = to.min(self.text.len());
        if from >= end { Some("") } else { self.text.get(from..end).filter(|s| s.is_ascii()) }
    }

    /// A finite number in columns `from..to`; otherwise where and what is wrong, in the user's 1-based columns.
    fn number(&self, from: usize, to: usize, what: &str) -> Result<f64, (Range<usize>, String)> {
        let span = (self.start + from).min(self.span().end)..(self.start + to).min(self.span().end);
        let field = self.columns(from, to).unwrap_or("(not ASCII)");
        match field.trim().parse::<f64>() {
            Ok(v) if v.is_finite() => Ok(v),
            _ if field.trim().is_empty() => Err((span, format!("{what} is missing (columns {}-{to})", from + 1))),
            _ => Err((span, format!("{what} is {:?}, not a finite number (columns {}-{to})", field, from + 1))),
        }
    }

    /// Position, nm.
    pub(super) fn position(&self) -> Result<[f64; 3], (Range<usize>, String)> {
        Ok([self.number(30, 38, "x")? / 10.0, self.number(38, 46, "y")? / 10.0, self.number(46, 54, "z")? / 10.0])
    }

    /// CRYST1.
    pub(super) fn cell(&self) -> Result<Cell, (Range<usize>, String)> {
        let (mut lengths, mut angles) = ([0.0; 3], [0.0; 3]);
        for (k, name) in ["a", "b", "c"].iter().enumerate() {
            lengths[k] = self.number(6 + 9 * k, 15 + 9 * k, name)? / 10.0;
        }
        for (k, name) in ["alpha", "beta", "gamma"].iter().enumerate() {
            angles[k] = self.number(33 + 7 * k, 40 + 7 * k, name)?;
        }
        Ok(Cell { lengths, angles })
    }

    /// Names, numbers and element of an atom; otherwise where, what, and what to do.
    pub(super) fn identity(&self) -> Result<Identity<'a>, (Range<usize>, String, &'static str)> {
        let wrong = |from: usize, to: usize, what: String, remedy| {
            Err(((self.start + from).min(self.span().end)..(self.start + to).min(self.span().end), what, remedy))
        };
        if !self.text.is_ascii() {
            return wrong(0, 6, "an atom's line with letters that are not ASCII".into(), "PDB files are plain ASCII: mend the names");
        }
        let field = |from, to| self.columns(from, to).unwrap_or_default();
        let name = field(12, 16).trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return wrong(
                12,
                16,
                format!("{:?} is no atom name (columns 13-16)", field(12, 16)),
                "shift the line so that the name stands there",
            );
        }
        // Column 21 belongs to four-letter residue names (TIP3).
        let residue_name = field(17, 21).trim();
        if residue_name.contains(char::is_whitespace) {
            return wrong(
                17,
                21,
                format!("{:?} is no residue name (columns 18-21)", field(17, 21)),
                "shift the line so that the name stands there",
            );
        }
        let number = field(22, 26).trim();
        let (residue_number, number_overflowed) = match number.parse::<i32>() {
            Ok(n) => (n, false),
            Err(_) if !number.is_empty() && number.bytes().all(|b| b == b'*') => (0, true),
            Err(_) => match hybrid36(number) {
                Some(n) => (n, true),
                None => {
                    let what = format!("residue number is {:?} (columns 23-26)", field(22, 26));
                    return wrong(22, 26, what, "a whole number is needed; number the residues");
                }
            },
        };
        let chain = field(21, 22).chars().next().unwrap_or(' ');
        let insertion = field(26, 27).chars().next().filter(|c| !c.is_whitespace());
        let symbol = field(76, 78).trim();
        let (element, deduced) = match symbol {
            "" => (deduce(field(12, 16), residue_name), true),
            _ => match Element::of_symbol(symbol) {
                Some(e) => (Some(e), false),
                None if matches!(symbol, "X" | "VS" | "EP") => (None, false),
                None => {
                    let what = format!("{symbol:?} is no element (columns 77-78)");
                    return wrong(76, 78, what, "write the symbol right-justified there, or leave the columns blank");
                }
            },
        };
        Ok(Identity {
            serial: field(6, 11).trim(),
            name,
            residue_name,
            chain,
            residue_number,
            number_overflowed,
            insertion,
            element,
            deduced,
        })
    }
}

/// Residue numbers beyond 9999 as hybrid-36 writes them: A000 is 10000. Source: cctbx, "hybrid-36".
fn hybrid36(field: &str) -> Option<i32> {
    let b = field.as_bytes();
    if b.len() != 4 || !b[0].is_ascii_alphabetic() || !b.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let upper = b[0].is_ascii_uppercase();
    if b[1..].iter().any(|c| c.is_ascii_alphabetic() && c.is_ascii_uppercase() != upper) {
        return None;
    }
    let value = i32::from_str_radix(field, 36).ok()?;
    let base = 36_i32.pow(3);
    Some(value - 10 * base + 10_000 + if upper { 0 } else { 26 * base })
}

/// The element that an atom's name means. A one-letter symbol stands in column 14 and a two-letter one begins in column 13;
/// in amino acids, nucleotides and water the first letter decides, however the name is shifted.
fn deduce(field: &str, residue: &str) -> Option<Element> {
    let letters = field.trim().trim_start_matches(|c: char| c.is_ascii_digit());
    let first = letters.get(..1)?;
    if POLYMER.contains(&residue) {
        return match (residue, letters.get(..2)) {
            ("MSE" | "SEC", Some("SE")) => Element::of_symbol("Se"),
            _ => Element::of_symbol(first),
        };
    }
    let starts_in_13 = field.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let two = letters.get(..2).and_then(Element::of_symbol);
    // Four letters fill the field: HG11 is hydrogen, not mercury.
    if starts_in_13 && two.is_some() && (letters.len() < 4 || !first.eq_ignore_ascii_case("H")) {
        return two;
    }
    Element::of_symbol(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_from_names() {
        let symbol = |field, residue| deduce(field, residue).map(Element::symbol);
        assert_eq!(symbol(" CA ", "ALA"), Some("C"));
        assert_eq!(symbol("CA  ", "ALA"), Some("C"));
        assert_eq!(symbol("CA  ", "CA"), Some("Ca"));
        assert_eq!(symbol("HG11", "VAL"), Some("H"));
        assert_eq!(symbol("HG11", "LIG"), Some("H"));
        assert_eq!(symbol("1HB ", "ALA"), Some("H"));
        assert_eq!(symbol("CL  ", "CL"), Some("Cl"));
        assert_eq!(symbol("SE  ", "MSE"), Some("Se"));
        assert_eq!(symbol(" X  ", "X"), None);
    }

    #[test]
    fn residue_numbers_beyond_9999() {
        assert_eq!(hybrid36("A000"), Some(10_000));
        assert_eq!(hybrid36("A001"), Some(10_001));
        assert_eq!(hybrid36("ZZZZ"), Some(1_223_055));
        assert_eq!(hybrid36("a000"), Some(1_223_056));
        assert_eq!(hybrid36("Aa00"), None);
    }
}
