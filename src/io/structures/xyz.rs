//! XYZ files: a count, a comment, then one line `symbol x y z` for each atom; frames follow one another.

use super::{Expected, Structure};
use crate::error::Source;
use crate::io::elements::Element;
use crate::{Error, Result};

/// Reads every frame. Molecules are in angstroms, everything else in the system's own unit.
///
/// Errors: `Error::Input` naming line and value; another number of atoms; an element that is not the system's.
pub fn read_xyz(source: &Source, expected: Expected<'_>) -> Result<Vec<Structure>> {
    let scale = if expected.molecule { 0.1 } else { 1.0 };
    let mut start = 0;
    let mut lines = source.text.split_inclusive('\n').map(|raw| {
        let at = start..start + raw.trim_end().len();
        start += raw.len();
        (raw.trim(), at)
    });
    let mut out: Vec<Structure> = Vec::new();
    while let Some((line, at)) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let atoms = expected.dof / 3;
        match line.parse::<usize>() {
            Ok(n) if n == atoms && atoms * 3 == expected.dof && n > 0 => {}
            Ok(n) => {
                let what = format!("a frame of {n} atoms; the system has {} coordinates", expected.dof);
                return Err(Error::input_at(
                    source,
                    at,
                    what,
                    "check that the file belongs to this system; XYZ holds three coordinates for each atom",
                ));
            }
            Err(_) => {
                let what = format!("{:?} is no number of atoms", shortened(line));
                return Err(Error::input_at(source, at, what, "a frame begins with the number of its atoms, then one line of comment"));
            }
        }
        let cut = || Error::input(format!("{}: the last frame is cut short", source.name), "the file ends before all its atoms");
        lines.next().ok_or_else(cut)?;
        let mut x = Vec::with_capacity(expected.dof);
        for i in 0..atoms {
            let (line, at) = lines.next().ok_or_else(cut)?;
            let position = position(line).map_err(|what| Error::input_at(source, at.clone(), what, "a line is: symbol x y z"))?;
            if let Some(top) = expected.topology {
                let (symbol, theirs) = (line.split_whitespace().next().unwrap_or_default(), top.atoms[i].element);
                // Some programs write atomic numbers instead of symbols.
                let ours = Element::of_symbol(symbol).or_else(|| symbol.parse().ok().and_then(Element::of_number));
                if theirs.is_some() && ours != theirs && symbol != top.atoms[i].name {
                    let what = format!("atom {i} is {:?} in this file and {} in the system", shortened(symbol), top.label(i));
                    return Err(Error::input_at(source, at, what, "the atoms must be the same, in the same order"));
                }
            }
            x.extend(position.map(|v| scale * v));
        }
        out.push(Structure { id: out.len().to_string(), x });
    }
    Ok(out)
}

/// Three finite numbers after the symbol.
fn position(line: &str) -> std::result::Result<[f64; 3], String> {
    let mut words = line.split_whitespace();
    let _symbol = words.next();
    let mut out = [0.0; 3];
    for (slot, axis) in out.iter_mut().zip(["x", "y", "z"]) {
        let word = words.next().ok_or_else(|| format!("{axis} is missing"))?;
        *slot = word
            .parse()
            .ok()
            .filter(|v: &f64| v.is_finite())
            .ok_or_else(|| format!("{axis} is {:?}, not a finite number", shortened(word)))?;
    }
    match words.next() {
        None => Ok(out),
        Some(word) => Err(format!("more than three numbers: {:?}", shortened(word))),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
