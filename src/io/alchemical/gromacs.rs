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

use super::lines::{Line, Lines, excerpt, number, word, wrong, wrong_file};
use super::unpack::Text;
use super::{Clock, GAS_CONSTANT, Lambdas, Part, Program, Table, key};
use crate::Result;

/// kT at the file's temperature: H_sampled - H_sampled, which is 0 but for single-precision rounding, must be below this.
const OWN: f64 = 0.5;
/// kT: most that two columns of one name may differ by. Programs print lambdas with four decimals, so close states can share a name.
const SAME: f64 = 0.1;

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
enum Column {
    Gradient { component: String, at: f64 },
    Energy(Lambdas),
    Base { energy: bool },
    State,
    Other(String),
}

/// The header of one run of rows.
struct Header<'a> {
    temperature: Option<f64>,
    state: Option<(Vec<String>, Lambdas)>,
    columns: Vec<Option<Column>>,
    places: Vec<Option<Line<'a>>>,
}

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

fn header<'a>(text: &Text, lines: &mut Lines<'a>) -> Result<Option<Header<'a>>> {
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
    let all: Option<Lambdas> = inside.split(',').map(|w| number(w.trim().as_bytes()).filter(|l| l.is_finite())).collect();
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
        let at = number(at.trim().as_bytes()).filter(|l| l.is_finite()).ok_or_else(|| bad("the legend's lambda is no number"))?;
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
    if index > 100_000 {
        return Err(bad("more columns than a file can have"));
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

/// Where the numbers of a row go.
struct Layout {
    components: Vec<String>,
    /// Columns of dH/dlambda, by component; none or all of them.
    gradients: Vec<usize>,
    /// The named states with the columns that carry the name, the first of which is taken.
    states: Vec<(Lambdas, Vec<usize>)>,
    /// State of the n-th energy column, as "Thermodynamic state" counts.
    by_index: Vec<u32>,
    base: Vec<usize>,
    /// Whether one of them is an energy.
    totals: bool,
    state: Option<usize>,
    fixed: Option<u32>,
}

fn layout(text: &Text, header: &Header<'_>, first: Line<'_>) -> Result<Layout> {
    let mut out = Layout {
        components: Vec::new(),
        gradients: Vec::new(),
        states: Vec::new(),
        by_index: Vec::new(),
        base: Vec::new(),
        totals: false,
        state: None,
        fixed: None,
    };
    let mut here = Lambdas::new();
    for (index, column) in header.columns.iter().enumerate() {
        let place = header.places[index].unwrap_or(first);
        match column {
            None => {
                let what = format!("column s{index} has no legend, so nobody knows what it holds");
                return Err(wrong(text, first, what, "the header is damaged; copy the file again"));
            }
            Some(Column::Gradient { component, at }) => {
                if out.components.contains(component) {
                    let what = format!("a second column of dH/dlambda for {component}");
                    return Err(wrong(text, place, what, "remove one of the two columns with its legend"));
                }
                out.components.push(component.clone());
                here.push(*at);
                out.gradients.push(index);
            }
            Some(Column::Energy(lambdas)) => {
                let at = out.states.iter().position(|(s, _)| key(s) == key(lambdas));
                let at = at.unwrap_or_else(|| {
                    out.states.push((lambdas.clone(), Vec::new()));
                    out.states.len() - 1
                });
                out.states[at].1.push(index);
                out.by_index.push(at as u32);
            }
            Some(Column::Base { energy }) => {
                out.base.push(index);
                out.totals |= *energy;
            }
            Some(Column::State) => {
                if out.state.replace(index).is_some() {
                    return Err(wrong(text, place, "a second column \"Thermodynamic state\"", "remove one of the two columns"));
                }
            }
            Some(Column::Other(_)) => {}
        }
    }
    if let Some((names, lambdas)) = &header.state {
        if !out.components.is_empty() && (out.components != *names || key(&here) != key(lambdas)) {
            return agree(text, first, out, names, lambdas);
        }
        out.components = names.clone();
        here = lambdas.clone();
    }
    place_state(text, first, out, here)
}

/// The dH/dlambda legends name other components or values than the subtitle: reorder, or say that they contradict.
fn agree(text: &Text, first: Line<'_>, mut out: Layout, names: &[String], lambdas: &[f64]) -> Result<Layout> {
    let order: Option<Vec<usize>> = names.iter().map(|n| out.components.iter().position(|c| c == n)).collect();
    match order.filter(|o| o.len() == out.components.len()) {
        Some(order) => {
            out.gradients = order.iter().map(|&k| out.gradients[k]).collect();
            out.components = names.to_vec();
            place_state(text, first, out, lambdas.to_vec())
        }
        None => {
            let what = format!("the subtitle names {} and the legends of dH/dlambda {}", names.join(", "), out.components.join(", "));
            Err(wrong(text, first, what, "the header is damaged, or a column of dH/dlambda is missing; copy the file again"))
        }
    }
}

fn place_state(text: &Text, first: Line<'_>, mut out: Layout, here: Lambdas) -> Result<Layout> {
    let expected = if here.is_empty() { out.states.first().map_or(0, |(s, _)| s.len()) } else { here.len() };
    if let Some((odd, columns)) = out.states.iter().find(|(s, _)| s.len() != expected) {
        let what = format!("the legend of column s{} has {} lambdas, others {expected}", columns[0], odd.len());
        return Err(wrong(text, first, what, "the header is damaged; copy the file again"));
    }
    if out.components.is_empty() {
        out.components = (0..expected).map(|k| if expected == 1 { "lambda".to_owned() } else { format!("lambda {}", k + 1) }).collect();
    }
    if out.state.is_none() {
        if here.is_empty() {
            let what = "nothing says which state was sampled: no state in the subtitle, no dH/dlambda legends, no column of states";
            return Err(wrong(text, first, what, "write the file with GROMACS 4.6 or newer and dhdl-derivatives = yes"));
        }
        let known = out.states.iter().position(|(s, _)| key(s) == key(&here));
        let at = known.unwrap_or_else(|| {
            out.states.push((here, Vec::new()));
            out.states.len() - 1
        });
        out.fixed = Some(at as u32);
    } else if out.by_index.is_empty() {
        let what = "there is a column of states but no energies to tell their lambdas";
        return Err(wrong(text, first, what, "write the energies of all states: calc-lambda-neighbors = -1"));
    }
    Ok(out)
}

fn rows(text: &Text, lines: &mut Lines<'_>, header: &Header<'_>, parts: &mut Vec<Part>) -> Result<()> {
    let Some(first) = lines.peek() else { return Ok(()) };
    let layout = layout(text, header, first)?;
    let columns = header.columns.len();
    let named: Vec<&(Lambdas, Vec<usize>)> = layout.states.iter().filter(|(_, c)| !c.is_empty()).collect();
    let kt = GAS_CONSTANT * header.temperature.unwrap_or(300.0);
    // A state that was sampled without a column of its own has energy 0 there by definition.
    let own = layout.fixed.filter(|f| layout.states[*f as usize].1.is_empty()).is_some() && !named.is_empty();
    let width = named.len() + usize::from(own);
    let fresh = || Part {
        file: text.name.clone(),
        program: Program::Gromacs,
        temperature: header.temperature,
        clock: Clock::Picoseconds,
        components: layout.components.clone(),
        states: layout.states.iter().map(|(s, _)| s.clone()).collect(),
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
        for (to, (_, columns)) in energy.iter_mut().zip(&named) {
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
