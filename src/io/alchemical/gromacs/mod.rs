//! GROMACS `dhdl.xvg`, as written by `mdrun -dhdl` and `gmx energy -odh`.
//!
//! ```text
//! @ subtitle "T = 300 (K) \xl\f{} state 4: (coul-lambda, vdw-lambda) = (1.0000, 0.0000)"     or only  "T = 300 (K) "
//! @ s0 legend "dH/d\xl\f{} coul-lambda = 1.0000"
//! @ s2 legend "\xD\f{}H \xl\f{} to (0.0000, 0.2500)"
//! @ s9 legend "pV (kJ/mol)"          "Total Energy (kJ/mol)"   "Potential Energy (kJ/mol)"   "Thermodynamic state"
//! ```
//!
//! then rows of time (ps) and the columns. A row's state is its "Thermodynamic state" (expanded ensemble), else the subtitle's, else
//! the values in the dH/dlambda legends (replica exchange).
//! Source: GROMACS reference manual, "Free energy output", and files of versions 4.6 to 2023.

mod header;
mod layout;

use super::lines::{Line, Lines, excerpt, number, word, wrong, wrong_file};
use super::unpack::Text;
use super::{Clock, GAS_CONSTANT, Part, Program, Table};
use crate::Result;
use header::{Header, header};
use layout::layout;

/// kT at the file's temperature: H_sampled - H_sampled, which is 0 but for single-precision rounding, must be below this.
const OWN: f64 = 0.5;
/// kT: most that two columns of one name may differ by. Programs print lambdas with four decimals, so close states can share a name.
const SAME: f64 = 0.1;
/// Simulations in one file, each of which begins where times do not rise.
const MOST_PARTS: usize = 1_000;

/// The parts of a file: one, or several where files were put together or a restart repeats times.
pub(super) fn read(text: &Text) -> Result<Vec<Part>> {
    let mut lines = Lines::new(&text.text);
    let mut parts = Vec::new();
    while let Some(header) = header(text, &mut lines)? {
        rows(text, &mut lines, &header, &mut parts)?;
    }
    if parts.iter().all(|p: &Part| p.gradients.is_empty() && p.energies.is_empty()) {
        let remedy = "leave the file out, or copy it again: the run wrote nothing, or the file was cut in its header";
        return Err(wrong_file(text, "there are no complete rows of numbers in the file", remedy));
    }
    Ok(parts)
}

fn rows(text: &Text, lines: &mut Lines<'_>, header: &Header<'_>, parts: &mut Vec<Part>) -> Result<()> {
    let Some(first) = lines.peek() else { return Ok(()) };
    let layout = layout(text, header, first)?;
    let columns = header.columns.len();
    let named: Vec<&Vec<usize>> = layout.energies.iter().filter(|columns| !columns.is_empty()).collect();
    let kt = GAS_CONSTANT * header.temperature.unwrap_or(300.0);
    // A state that was sampled without a column of its own has energy 0 there by definition.
    let own = layout.fixed.is_some_and(|f| layout.energies[f as usize].is_empty()) && !named.is_empty();
    let width = named.len() + usize::from(own);
    let fresh = || Part {
        file: text.name.clone(),
        program: Program::Gromacs,
        temperature: header.temperature,
        clock: Clock::Picoseconds,
        components: layout.components.clone(),
        states: layout.states.list().to_vec(),
        fixed: layout.fixed,
        gradients: Table::new(layout.gradients.len()),
        energies: Table::new(width),
        base: Vec::new(),
        totals: layout.totals,
        refused: None,
        notes: Vec::new(),
    };
    let mut part = fresh();
    let mut row = vec![0.0; columns];
    let (mut gradient, mut energy) = (vec![0.0; layout.gradients.len()], vec![0.0; width]);
    let (mut differ, mut elsewhere) = (0.0_f64, 0_usize);
    let mut last = f64::NEG_INFINITY;
    while let Some(line) = lines.peek() {
        match line.text.as_bytes().first() {
            Some(b'@') => break,
            Some(b'#') => {
                lines.next();
                continue;
            }
            Some(b'&') => return Err(wrong(text, line, "a second data set in the file", "give each data set as a file of its own")),
            _ => {}
        }
        lines.next();
        if line.text.trim().is_empty() {
            continue;
        }
        if !line.ended {
            part.notes.push(format!("{}: the last line is incomplete and was left out", text.name));
            break;
        }
        let time =
            fill(line, &mut row).map_err(|what| wrong(text, line, what, "the file is damaged here: copy it again, or remove the line"))?;
        let state = match layout.state {
            None => layout.fixed.unwrap_or(0),
            Some(column) => {
                let index = row[column];
                let found = (index >= 0.0 && index.fract() == 0.0).then(|| layout.by_index.get(index as usize)).flatten();
                *found.ok_or_else(|| {
                    let what = format!("thermodynamic state {index} has no energy column: there are {}", layout.by_index.len());
                    wrong(text, line, what, "the header and the rows do not belong together; copy the file again")
                })?
            }
        };
        for (to, columns) in energy.iter_mut().zip(&named) {
            *to = row[columns[0]];
            for &other in &columns[1..] {
                differ = differ.max((row[other] - *to).abs());
            }
        }
        let itself = energy.get(state as usize).copied().unwrap_or(0.0);
        if itself.abs() > OWN * kt {
            // A row may carry another state than its energies are relative to; some state's energy must still be 0.
            if layout.state.is_none() || energy.iter().all(|e| e.abs() > OWN * kt) {
                let what = format!("the energy of the sampled state relative to itself is {itself} kJ/mol, which must be 0");
                return Err(wrong(text, line, what, "legends and columns do not belong together; copy the file again"));
            }
            elsewhere += 1;
            energy.iter_mut().for_each(|e| *e -= itself);
        }
        if differ > SAME * kt {
            let what = format!("two columns have the same lambdas in their legends and differ by {differ} kJ/mol");
            let remedy = "lambdas are printed with four decimals: choose states that differ there, or remove one column";
            return Err(wrong(text, line, what, remedy));
        }
        if energy.contains(&f64::NEG_INFINITY) {
            return Err(wrong(
                text,
                line,
                "an energy of minus infinity",
                "the simulation broke down here: leave the rows out from this line on",
            ));
        }
        if time <= last {
            if parts.len() >= MOST_PARTS {
                let what = format!("the time does not rise in more than {MOST_PARTS} rows");
                return Err(wrong(text, line, what, "a restart repeats times, but not so often: copy the file again"));
            }
            parts.push(std::mem::replace(&mut part, fresh())); // a restart repeats times
        }
        last = time;
        if !gradient.is_empty() {
            for (to, &column) in gradient.iter_mut().zip(&layout.gradients) {
                *to = row[column];
            }
            part.gradients.push(time, state, &gradient);
        }
        if width > 0 {
            part.energies.push(time, state, &energy);
            if !layout.base.is_empty() {
                let shift = if itself.abs() > OWN * kt { itself } else { 0.0 };
                part.base.push(layout.base.iter().map(|&c| row[c]).sum::<f64>() + shift);
            }
        }
    }
    if differ > 1e-3 * kt {
        part.notes.push(format!("{}: columns with the same lambdas differ by up to {differ:.3} kJ/mol; the first was taken", text.name));
    }
    if elsewhere > 0 {
        let what = format!(
            "{}: in {elsewhere} rows the energies are relative to another state than the one in \"Thermodynamic state\"",
            text.name
        );
        part.notes.push(format!("{what}, which is taken as the one that was sampled"));
    }
    parts.push(part);
    Ok(())
}

/// Time and columns of a row.
fn fill(line: Line<'_>, row: &mut [f64]) -> std::result::Result<f64, String> {
    let bytes = line.text.as_bytes();
    let (columns, mut at) = (row.len(), 0);
    let mut next = || -> Option<std::result::Result<f64, String>> {
        let word = word(bytes, &mut at)?;
        Some(number(word).ok_or_else(|| format!("{:?} is no number", excerpt(&String::from_utf8_lossy(word)))))
    };
    let time = next().ok_or("an empty row")??;
    if !time.is_finite() {
        return Err(format!("the time is {time}"));
    }
    for (k, to) in row.iter_mut().enumerate() {
        *to = match next() {
            Some(value) => value?,
            None => return Err(format!("the row ends after {k} of {} columns", columns)),
        };
    }
    match next() {
        None => Ok(time),
        Some(_) => Err(format!("the row has more than the {columns} columns of the header")),
    }
}
