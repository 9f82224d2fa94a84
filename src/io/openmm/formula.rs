//! Recognition of formulas: a text is compared, token by token, with a known one. Space does not matter, numbers may be
//! printed differently (0.008999999999999999 for 0.009), and a `#` in the known formula catches the number that stands there.

use super::document::LARGEST;

/// Longest formula that is looked at; OpenMM's longest is about 400 characters.
const MAX_LENGTH: usize = 4096;

/// A piece of a formula.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    Number(f64),
    Name(&'a str),
    Sign(u8),
}

/// Splits a text into tokens; `None` if it has a character that no formula has.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let b = text.as_bytes();
    let (mut out, mut i) = (Vec::new(), 0);
    while i < b.len() {
        let start = i;
        match b[i] {
            c if c.is_ascii_whitespace() => i += 1,
            c if c.is_ascii_digit() || c == b'.' => {
                i = number_end(b, i);
                out.push(Token::Number(text[start..i].parse().ok().filter(|v: &f64| v.abs() <= LARGEST)?));
            }
            c if c.is_ascii_alphabetic() || c == b'_' => {
                while i < b.len() && (b[i].is_ascii_alphanumeric() || b[i] == b'_') {
                    i += 1;
                }
                out.push(Token::Name(&text[start..i]));
            }
            c @ (b'+' | b'-' | b'*' | b'/' | b'^' | b'(' | b')' | b',' | b'#') => {
                out.push(Token::Sign(c));
                i += 1;
            }
            _ => return None,
        }
    }
    Some(out)
}

/// End of the number that starts at `i`: digits, point, exponent.
fn number_end(b: &[u8], mut i: usize) -> usize {
    while i < b.len() && (b[i].is_ascii_digit() || b[i] == b'.') {
        i += 1;
    }
    if i < b.len() && (b[i] == b'e' || b[i] == b'E') {
        let sign = usize::from(i + 1 < b.len() && (b[i + 1] == b'+' || b[i + 1] == b'-'));
        if i + 1 + sign < b.len() && b[i + 1 + sign].is_ascii_digit() {
            i += 1 + sign;
            while i < b.len() && b[i].is_ascii_digit() {
                i += 1;
            }
        }
    }
    i
}

/// A formula as OpenMM takes it: an expression, then definitions `name = expression`, split by semicolons.
pub(super) struct Formula<'a> {
    main: Vec<Token<'a>>,
    definitions: Vec<(&'a str, Vec<Token<'a>>)>,
}

impl<'a> Formula<'a> {
    /// Takes a text apart; `None` if it is no formula, or defines a name twice.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let mut parts = text.split(';');
        let main = tokens(parts.next()?)?;
        let mut definitions: Vec<(&str, Vec<Token<'_>>)> = Vec::new();
        for part in parts {
            if part.trim().is_empty() {
                continue;
            }
            let (name, value) = part.split_once('=')?;
            let name = name.trim();
            if definitions.iter().any(|(n, _)| *n == name) {
                return None;
            }
            definitions.push((name, tokens(value)?));
        }
        Some(Formula { main, definitions })
    }

    /// Whether this is the `known` formula: the same expression, and each definition either among `known`'s (in any order),
    /// or one of `constants` with a plain number. Returns what the `#` signs of the expression caught, or `None`.
    pub(super) fn matches(&self, known: &str, constants: &[&str]) -> Option<Vec<f64>> {
        let known = Formula::read(known)?;
        let caught = same(&self.main, &known.main)?;
        for (name, value) in &known.definitions {
            let (_, ours) = self.definitions.iter().find(|(n, _)| n == name)?;
            same(ours, value)?;
        }
        for (name, value) in &self.definitions {
            let fixed = known.definitions.iter().any(|(n, _)| n == name);
            let constant = constants.contains(name) && matches!(value[..], [Token::Number(_)]);
            if !fixed && !constant {
                return None;
            }
        }
        Some(caught)
    }

    /// The value of a definition that is a plain number.
    pub(super) fn constant(&self, name: &str) -> Option<f64> {
        match self.definitions.iter().find(|(n, _)| *n == name)?.1[..] {
            [Token::Number(v)] => Some(v),
            _ => None,
        }
    }
}

/// Compares tokens; the numbers caught by `#`, or `None` if they differ.
fn same(ours: &[Token<'_>], known: &[Token<'_>]) -> Option<Vec<f64>> {
    let mut caught = Vec::new();
    if ours.len() != known.len() {
        return None;
    }
    for (a, b) in ours.iter().zip(known) {
        match (a, b) {
            (Token::Number(v), Token::Sign(b'#')) => caught.push(*v),
            (Token::Number(v), Token::Number(w)) if close(*v, *w) => {}
            _ if a == b && *a != Token::Sign(b'#') => {}
            _ => return None,
        }
    }
    Some(caught)
}

/// Equal but for the last digits of a print.
pub(super) fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_and_digits_do_not_matter_but_everything_else_does() {
        let f = Formula::read("1/(1/or - I) ; or=radius - 0.008999999999999999; offset = 9e-3").unwrap();
        assert_eq!(f.matches("1/(1/or-I);or=radius-0.009", &["offset"]), Some(vec![]));
        assert_eq!(f.constant("offset"), Some(0.009));
        assert!(f.matches("1/(1/or-I);or=radius-0.009", &[]).is_none(), "a definition nobody asked for");
        assert!(f.matches("1/(1/or-I);or=radius-0.0090001", &["offset"]).is_none());
        assert!(f.matches("1/(1/or+I);or=radius-0.009", &["offset"]).is_none());
        assert_eq!(Formula::read("2*(1/f-0.5)").unwrap().matches("2*(1/f-#)", &[]), Some(vec![0.5]));
        assert!(Formula::read("2*(1/f-#)").unwrap().matches("2*(1/f-#)", &[]).is_none());
        assert!(Formula::read("a; b=1; b=2").is_none());
        assert!(Formula::read("a; b").is_none());
    }
}
