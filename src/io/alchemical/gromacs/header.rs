//! The header of a `dhdl.xvg`: subtitle and legends.

use super::super::lines::{Line, Lines, number, wrong};
use super::super::unpack::Text;
use super::super::{Lambdas, is_lambda};
use crate::Result;

/// Columns beyond which a legend's number is a mistake.
const MOST_COLUMNS: usize = 10_000;

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Column {
    Gradient { component: String, at: f64 },
    Energy(Lambdas),
    Base { energy: bool },
    State,
    Other(String),
}

/// The header of one run of rows.
pub(super) struct Header<'a> {
    /// K.
    pub(super) temperature: Option<f64>,
    /// What the subtitle says: components and their values.
    pub(super) state: Option<(Vec<String>, Lambdas)>,
    /// By index of their legends.
    pub(super) columns: Vec<Option<Column>>,
    /// Their legends' lines.
    pub(super) places: Vec<Option<Line<'a>>>,
}

/// The header that begins here; none at the end of the text.
pub(super) fn header<'a>(text: &Text, lines: &mut Lines<'a>) -> Result<Option<Header<'a>>> {
    let mut found = Header { temperature: None, state: None, columns: Vec::new(), places: Vec::new() };
    let mut any = false;
    while let Some(line) = lines.peek() {
        let body = line.text.trim();
        match body.as_bytes().first() {
            Some(b'@') => {
                let body = body[1..].trim_start();
                if let Some(rest) = body.strip_prefix("subtitle") {
                    subtitle(text, line, quoted(rest), &mut found)?;
                } else if let Some((index, rest)) = series(body) {
                    legend(text, line, index, quoted(rest), &mut found)?;
                }
            }
            Some(b'#') | None => {}
            Some(_) if any => break,
            Some(_) => return Err(wrong(text, line, "numbers before any header", "the file's beginning is missing; copy it again")),
        }
        any = true;
        lines.next();
    }
    Ok((!found.columns.is_empty() || found.temperature.is_some()).then_some(found))
}

/// `s12 legend "..."`: 12 and the rest.
fn series(body: &str) -> Option<(usize, &str)> {
    let rest = body.strip_prefix('s')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let index = rest[..digits].parse().ok()?;
    Some((index, rest[digits..].trim_start().strip_prefix("legend")?))
}

fn quoted(rest: &str) -> String {
    let inside = rest.trim().trim_start_matches('"').trim_end_matches('"');
    // Grace's codes for Greek letters: \xl\f{} and \xD\f{}.
    inside.replace("\\xl\\f{}", "lambda").replace("\\xD\\f{}", "Delta")
}

/// `(0.1, 0.2)` or `0.1`.
fn values(words: &str) -> Option<Lambdas> {
    let inside = words.trim().trim_start_matches('(').trim_end_matches(')');
    let all: Option<Lambdas> = inside.split(',').map(|w| number(w.trim().as_bytes()).filter(|l| is_lambda(*l))).collect();
    all.filter(|l| !l.is_empty())
}

fn subtitle(text: &Text, line: Line<'_>, words: String, to: &mut Header<'_>) -> Result<()> {
    let after = words.split_once("T =").map(|(_, rest)| rest.trim_start());
    to.temperature = after.and_then(|rest| number(rest.split_whitespace().next()?.as_bytes())).filter(|t| *t > 0.0 && t.is_finite());
    if after.is_some() && to.temperature.is_none() {
        return Err(wrong(text, line, "the subtitle's temperature is no positive number", "copy the file again, or correct the line"));
    }
    let Some((names, lambdas)) = words.split_once("state ").and_then(|(_, s)| s.split_once(':')).and_then(|(_, s)| s.split_once('='))
    else {
        return Ok(());
    };
    let names: Vec<String> = names.trim().trim_start_matches('(').trim_end_matches(')').split(',').map(|n| n.trim().to_owned()).collect();
    if let Some(k) = (1..names.len()).find(|&k| names[..k].contains(&names[k])) {
        let what = format!("the subtitle's state names {} twice", names[k]);
        return Err(wrong(text, line, what, "the header is damaged; copy the file again"));
    }
    match values(lambdas) {
        Some(lambdas) if lambdas.len() == names.len() => to.state = Some((names, lambdas)),
        _ => {
            let remedy = "correct the line: state N: (name, name) = (value, value)";
            return Err(wrong(text, line, "the subtitle's state has not one value for each name", remedy));
        }
    }
    Ok(())
}

fn legend<'a>(text: &Text, line: Line<'a>, index: usize, words: String, to: &mut Header<'a>) -> Result<()> {
    let bad = |what: &str| wrong(text, line, what.to_owned(), "the header is damaged; copy the file again");
    let column = if let Some(rest) = words.strip_prefix("dH/dlambda") {
        let (component, at) = rest.split_once('=').ok_or_else(|| bad("a dH/dlambda legend without its lambda"))?;
        let at = number(at.trim().as_bytes()).filter(|l| is_lambda(*l)).ok_or_else(|| bad("the legend's lambda is no number"))?;
        Column::Gradient { component: component.trim().to_owned(), at }
    } else if let Some((_, rest)) = words.strip_prefix("DeltaH").and_then(|r| r.split_once("to ")) {
        Column::Energy(values(rest).ok_or_else(|| bad("the legend's lambdas are no numbers"))?)
    } else if words.starts_with("pV") || words.starts_with("Total Energy") || words.starts_with("Potential Energy") {
        Column::Base { energy: !words.starts_with("pV") }
    } else if words.starts_with("Thermodynamic state") {
        Column::State
    } else {
        Column::Other(words)
    };
    if index >= MOST_COLUMNS {
        return Err(bad("a column of a number that no file has"));
    }
    if to.columns.len() <= index {
        to.columns.resize(index + 1, None);
        to.places.resize(index + 1, None);
    }
    if to.columns[index].is_some() {
        return Err(wrong(text, line, format!("a second legend for column s{index}"), "remove the wrong one of the two lines"));
    }
    to.columns[index] = Some(column);
    to.places[index] = Some(line);
    Ok(())
}
