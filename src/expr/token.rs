//! The words of a formula.

use super::Mistake;
use std::ops::Range;

/// A word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Name,
    /// One of `+ - * / ^ ( ) ,`.
    Symbol(u8),
    End,
}

/// A word and its bytes.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) token: Token,
    pub(super) span: Range<usize>,
}

/// All words of a text, `End` last.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Mistake> {
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let token = match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'*' if bytes.get(at + 1) == Some(&b'*') => {
                return Err(Mistake::new(at..at + 2, "`**` is no operator here", "write ^ for a power"));
            }
            symbol @ (b'+' | b'-' | b'*' | b'/' | b'^' | b'(' | b')' | b',') => {
                at += 1;
                Token::Symbol(symbol)
            }
            b'0'..=b'9' | b'.' => {
                at = end_of_number(bytes, at);
                Token::Number(number(text, start..at)?)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
                    at += 1;
                }
                Token::Name
            }
            _ => return Err(stranger(text, at)),
        };
        words.push(Word { token, span: start..at });
    }
    words.push(Word { token: Token::End, span: text.len()..text.len() });
    Ok(words)
}

/// Digits, a point, digits, an exponent.
fn end_of_number(bytes: &[u8], mut at: usize) -> usize {
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    at = digits(at);
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    at
}

fn number(text: &str, span: Range<usize>) -> Result<f64, Mistake> {
    let written = &text[span.clone()];
    match written.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(Mistake::new(span, format!("{written} is too large"), "numbers go up to 1.7e308")),
        Err(_) => Err(Mistake::new(span, format!("`{written}` is no number"), "write numbers as 2, 0.5 or 1e-3")),
    }
}

/// A character that has no meaning, and what may have been meant.
fn stranger(text: &str, at: usize) -> Mistake {
    let c = text[at..].chars().next().unwrap_or(' ');
    let remedy = match c {
        '²' => "write ^2",
        '³' => "write ^3",
        '·' | '×' | '∙' | '⋅' => "write *",
        '−' | '–' | '—' => "write the plain minus -",
        '÷' => "write /",
        'π' => "write pi",
        'λ' => "write lambda",
        '√' => "write sqrt(x)",
        '[' | '{' => "group with parentheses ( )",
        ']' | '}' => "group with parentheses ( )",
        '=' | '<' | '>' | '!' => "a formula is one expression: no equations and no comparisons; step(x) is 1 for x > 0 and else 0",
        ';' => "arguments are separated by commas, and a formula is one expression",
        '|' => "write abs(x)",
        '"' | '\'' => "names stand without quotes",
        '%' => "write mod(x, y)",
        _ => "a formula is made of numbers, names (letters, digits and _), + - * / ^, parentheses and commas",
    };
    Mistake::new(at..at + c.len_utf8(), format!("`{}` means nothing in a formula", c.escape_debug()), remedy)
}
