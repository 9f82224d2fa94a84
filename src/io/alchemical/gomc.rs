//! GOMC `Free_Energy_BOX_0_*.dat`.
//!
//! ```text
//! #T = 298.0000(K), Lambda State 1: (lambda Coulomb, lambda VDW) = (0.0000,0.0500)
//! #Steps  Total_En(kJ/mol)  dU/dL(Coulomb=0.0000)  dU/dL(VDW=0.0500)  DelE(L->(0.0000,0.0000)) ...  PV(kJ/mol)
//! 50000   -41027.4404950908  27.3951759307 ...
//! ```
//!
//! kJ/mol; time is Monte Carlo steps. Source: GOMC manual, "Free energy calculation".

use super::lines::{Lines, excerpt, few, number, word, wrong};
use super::states::States;
use super::unpack::Text;
use super::{Clock, GAS_CONSTANT, Lambdas, Part, Program, Table, is_lambda};
use crate::Result;

enum Column {
    Gradient,
    Energy,
    Base,
    Other,
}

/// The one part of a file.
pub(super) fn read(text: &Text) -> Result<Part> {
    let mut lines = Lines::new(&text.text);
    let remedy = "the header is damaged; copy the file again";
    let first = lines.find(|l| l.text.trim_start().starts_with("#T = "));
    let Some(first) = first else {
        return Err(super::lines::wrong_file(text, "no line \"#T = ...\"", remedy));
    };
    let damaged = |what: &str| wrong(text, first, what.to_owned(), remedy);
    let temperature = first.text.split_once("#T = ").and_then(|(_, r)| number(r.split('(').next()?.trim().as_bytes()));
    let temperature = temperature.filter(|t| *t > 0.0 && t.is_finite()).ok_or_else(|| damaged("the temperature is no positive number"))?;
    let (names, own) =
        first.text.split_once(": (").and_then(|(_, r)| r.split_once(") = (")).ok_or_else(|| damaged("no lambdas in the line"))?;
    let components: Vec<String> = names.split(',').map(|n| n.trim().trim_start_matches("lambda").trim().to_owned()).collect();
    if let Some(k) = (1..components.len()).find(|&k| components[..k].contains(&components[k])) {
        return Err(damaged(&format!("two lambdas are called {}", components[k])));
    }
    let own = list(own).filter(|o| o.len() == components.len()).ok_or_else(|| damaged("not one lambda for each name"))?;
    let Some(head) = lines.next().filter(|l| l.ended && l.text.trim_start().starts_with("#Steps")) else {
        return Err(damaged("the line \"#Steps ...\" does not follow"));
    };
    let wrong_head = |what: String| wrong(text, head, what, remedy);
    let (mut columns, mut states, mut gradients) = (Vec::new(), States::default(), Vec::new());
    for name in head.text.split_whitespace().skip(1) {
        columns.push(if let Some(rest) = name.strip_prefix("dU/dL(") {
            let component = rest.split('=').next().unwrap_or_default().to_owned();
            if gradients.contains(&component) {
                return Err(wrong_head(format!("a second column dU/dL of {component}")));
            }
            gradients.push(component);
            Column::Gradient
        } else if let Some(rest) = name.strip_prefix("DelE(L->(") {
            let to = list(rest).filter(|l| l.len() == components.len()).ok_or_else(|| wrong_head(format!("no lambdas in {name}")))?;
            if !states.place(to).1 {
                return Err(wrong_head(format!("a second column {name}")));
            }
            Column::Energy
        } else if name.starts_with("Total_En") || name.starts_with("PV") {
            Column::Base
        } else {
            Column::Other
        });
    }
    let places: Option<Vec<usize>> = gradients.iter().map(|g| components.iter().position(|c| c == g)).collect();
    let places = places.filter(|p| p.is_empty() || p.len() == components.len());
    let places = places.ok_or_else(|| wrong_head(format!("dU/dL of {} does not fit the lambdas {}", few(&gradients), few(&components))))?;
    let columns_of_states = !states.list().is_empty();
    let (fixed, _) = states.place(own);
    // without a column of its own a state has energy 0 there by definition
    let width = if columns_of_states { states.list().len() } else { 0 };
    let mut part = Part {
        file: text.name.clone(),
        program: Program::Gomc,
        temperature: Some(temperature),
        clock: Clock::Steps,
        components,
        states: states.list().to_vec(),
        fixed: Some(fixed as u32),
        gradients: Table::new(places.len()),
        energies: Table::new(width),
        base: Vec::new(),
        totals: head.text.contains("Total_En"),
        refused: None,
        notes: Vec::new(),
    };
    rows(text, lines, &columns, &places, &mut part)?;
    if part.gradients.is_empty() && part.energies.is_empty() {
        return Err(super::lines::wrong_file(text, "no complete rows of numbers", "leave the file out, or copy it again"));
    }
    Ok(part)
}

/// `0.0000,0.4000)` as numbers.
fn list(text: &str) -> Option<Lambdas> {
    let inside = text.split(')').next()?;
    inside.split(',').map(|w| number(w.trim().as_bytes()).filter(|l| is_lambda(*l))).collect()
}

fn rows(text: &Text, lines: Lines<'_>, columns: &[Column], places: &[usize], part: &mut Part) -> Result<()> {
    let kt = GAS_CONSTANT * part.temperature.unwrap_or(300.0);
    let fixed = part.fixed.unwrap_or(0);
    let (mut gradient, mut energy) = (vec![0.0; places.len()], vec![0.0; part.energies.width]);
    for line in lines {
        let bytes = line.text.as_bytes();
        if line.text.trim().is_empty() || line.text.trim_start().starts_with('#') {
            continue;
        }
        if !line.ended {
            part.notes.push(format!("{}: the last line is incomplete and was left out", text.name));
            break;
        }
        let damaged = |what: String| wrong(text, line, what, "the file is damaged here: copy it again, or remove the line");
        let mut at = 0;
        let mut next = |k: usize| {
            let word = word(bytes, &mut at).ok_or_else(|| damaged(format!("the row ends after {k} of {} columns", columns.len() + 1)))?;
            number(word).ok_or_else(|| damaged(format!("{:?} is no number", excerpt(&String::from_utf8_lossy(word)))))
        };
        let time = next(0)?;
        let (mut g, mut e, mut base) = (0, 0, 0.0);
        for (k, column) in columns.iter().enumerate() {
            let value = next(k + 1)?;
            match column {
                Column::Gradient => {
                    gradient[places[g]] = value;
                    g += 1;
                }
                Column::Energy => {
                    energy[e] = value;
                    e += 1;
                }
                Column::Base => base += value,
                Column::Other => {}
            }
        }
        if word(bytes, &mut at).is_some() || !time.is_finite() {
            return Err(damaged("more columns than the header names, or a step that is no number".into()));
        }
        if part.energies.time.last().or(part.gradients.time.last()).is_some_and(|t| *t >= time) {
            return Err(damaged(format!("step {time} stands after a later one")));
        }
        let itself = energy.get(fixed as usize).copied().unwrap_or(0.0);
        if itself.abs() > 0.5 * kt || energy.contains(&f64::NEG_INFINITY) {
            let what =
                format!("the energy of the sampled state relative to itself is {itself} kJ/mol, which must be 0, or one is minus infinity");
            return Err(damaged(what));
        }
        if !gradient.is_empty() {
            part.gradients.push(time, fixed, &gradient);
        }
        if !energy.is_empty() {
            part.energies.push(time, fixed, &energy);
            part.base.push(base);
        }
    }
    Ok(())
}
