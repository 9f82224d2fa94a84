//! NAMD `fepout`, with interleaved double-wide sampling (IDWS) or without.
//!
//! ```text
//! #NEW FEP WINDOW: LAMBDA SET TO 0.1 LAMBDA2 0.2 [LAMBDA_IDWS 0]
//! #STARTING COLLECTION OF ENSEMBLE AVERAGE               what stands before it is equilibration
//! FepEnergy:  step  Elec(l) Elec(l+dl)  vdW(l) vdW(l+dl)  dE ...     kcal/mol, H(LAMBDA2) - H(LAMBDA)
//! FepE_back:  the same for LAMBDA_IDWS
//! #Free energy change for lambda window [ 0.1 0.2 ] is ...           ends the window
//! ```
//!
//! A window may run on from file to file; a restart repeats steps, and what it repeats counts once. Only energies of neighbours are there,
//! so that EXP and BAR are possible, TI and MBAR are not. The temperature that was asked for is not in the file.
//! Source: NAMD user's guide, "Alchemical free energy methods".

use super::lines::{Line, Lines, excerpt, number, wrong, wrong_file};
use super::unpack::Text;
use super::{Clock, KCAL, Lambdas, Part, Program, Table, key, natural_order};
use crate::Result;

/// A window while it is read.
struct Open<'a> {
    part: Part,
    from: (&'a Text, Line<'a>),
    superseded: usize,
}

/// The windows in files that are read one after another in natural order of their names.
pub(super) fn read(texts: &[Text]) -> Result<Vec<Part>> {
    let mut order: Vec<&Text> = texts.iter().collect();
    order.sort_by(|a, b| natural_order(&a.name, &b.name));
    let mut parts = Vec::new();
    let mut open: Option<Open<'_>> = None;
    for text in order {
        for line in Lines::new(&text.text) {
            let body = line.text.trim_start();
            // Cut: the window lacks its end as well, or goes on in the next file.
            let whole = line.ended || (body.starts_with("#Free energy change") && body.contains(']'));
            if !whole {
                break;
            }
            if let Some(rest) = body.strip_prefix("#NEW FEP WINDOW:") {
                start(text, line, rest, &mut open)?;
            } else if body.starts_with("#STARTING COLLECTION") {
                if let Some(window) = &mut open {
                    window.part.energies = Table::new(window.part.energies.width);
                }
            } else if body.starts_with("#Free energy change") {
                let mut window = open.take().ok_or_else(|| lost(text, line))?;
                close(text, line, body, &window.part)?;
                if window.superseded > 0 {
                    let note = format!("{}: {} steps repeated by a restart were counted once", window.part.file, window.superseded);
                    window.part.notes.push(note);
                }
                parts.push(window.part);
            } else if body.starts_with("FepEnergy:") || body.starts_with("FepE_back:") {
                row(text, line, body, open.as_mut().ok_or_else(|| lost(text, line))?)?;
            }
        }
    }
    if let Some(window) = open {
        let states = &window.part.states;
        let what = format!("the window from lambda {} to {} is cut: no \"#Free energy change\" ends it", states[0][0], states[1][0]);
        let remedy = "give the file that continues it, or leave this file out; a window that still runs has to finish";
        return Err(wrong(window.from.0, window.from.1, what, remedy));
    }
    match texts.first() {
        Some(text) if parts.is_empty() => Err(wrong_file(text, "no complete FEP window", "the run was cut before its first window ended")),
        _ => Ok(parts),
    }
}

fn lost(text: &Text, line: Line<'_>) -> crate::Error {
    let remedy = "give the files from the window's beginning on; files are read in natural order of their names";
    wrong(text, line, "energies outside of any window: no \"#NEW FEP WINDOW\" before them", remedy)
}

fn start<'a>(text: &'a Text, line: Line<'a>, rest: &str, open: &mut Option<Open<'a>>) -> Result<()> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let after = |name: &[&str]| words.windows(name.len() + 1).find(|w| w.starts_with(name)).and_then(|w| number(w[name.len()].as_bytes()));
    let lambdas = [after(&["LAMBDA", "SET", "TO"]), after(&["LAMBDA2"]), after(&["LAMBDA_IDWS"])];
    let sound = lambdas.iter().flatten().all(|l| (0.0..=1.0).contains(l));
    let states: Vec<Lambdas> = lambdas.iter().flatten().map(|l| vec![*l]).collect();
    let doubled = states.iter().enumerate().any(|(i, a)| states[..i].iter().any(|b| key(a) == key(b)));
    if lambdas[0].is_none() || lambdas[1].is_none() || !sound || doubled {
        return Err(wrong(
            text,
            line,
            format!("a window without its lambdas: {}", excerpt(rest)),
            "the line is damaged; copy the file again",
        ));
    }
    if let Some(window) = open {
        if window.part.states.iter().map(|s| key(s)).eq(states.iter().map(|s| key(s))) {
            return Ok(()); // a restart of the same window
        }
        let what = format!("a new window before the one at lambda {} has ended", window.part.states[0][0]);
        return Err(wrong(text, line, what, "a file between the two is missing, or the names do not sort in the order of the run"));
    }
    let part = Part {
        file: text.name.clone(),
        program: Program::Namd,
        temperature: None,
        clock: Clock::Steps,
        components: vec!["lambda".to_owned()],
        fixed: Some(0),
        gradients: Table::new(0),
        energies: Table::new(states.len()),
        states,
        base: Vec::new(),
        totals: false,
        refused: None,
        notes: Vec::new(),
    };
    *open = Some(Open { part, from: (text, line), superseded: 0 });
    Ok(())
}

/// The line that ends a window must name the same lambdas.
fn close(text: &Text, line: Line<'_>, body: &str, part: &Part) -> Result<()> {
    let inside = body.split_once('[').and_then(|(_, r)| r.split_once(']')).map_or("", |(inside, _)| inside);
    let found: Option<Vec<f64>> = inside.split_whitespace().map(|w| number(w.as_bytes())).collect();
    let same = found.is_some_and(|f| f.len() == 2 && key(&f[..1]) == key(&part.states[0]) && key(&f[1..]) == key(&part.states[1]));
    if !same {
        let what = format!("the window that began at lambda {} ends as [{inside}]", part.states[0][0]);
        return Err(wrong(text, line, what, "a file between the two is missing, or the line is damaged"));
    }
    if part.energies.is_empty() {
        return Err(wrong(text, line, "a window without any energies", "the run wrote none after its equilibration: see alchOutFreq"));
    }
    Ok(())
}

fn row(text: &Text, line: Line<'_>, body: &str, window: &mut Open<'_>) -> Result<()> {
    let words: Vec<&str> = body.split_ascii_whitespace().collect();
    let damaged = |what: String| wrong(text, line, what, "the file is damaged here: copy it again, or remove the line");
    if words.len() < 10 {
        return Err(damaged(format!("{} of 10 words in the line", words.len())));
    }
    let step = number(words[1].as_bytes()).filter(|s| s.is_finite()).ok_or_else(|| damaged(format!("{} is no step", excerpt(words[1]))))?;
    let energy = number(words[6].as_bytes()).map(|e| e * KCAL).filter(|e| *e > f64::NEG_INFINITY);
    let energy = energy.ok_or_else(|| damaged(format!("{} is no energy", excerpt(words[6]))))?;
    let column = if words[0] == "FepEnergy:" { 1 } else { 2 };
    let table = &mut window.part.energies;
    if column >= table.width {
        return Err(damaged("a FepE_back line in a window without LAMBDA_IDWS".into()));
    }
    if table.time.last().is_some_and(|t| *t >= step) {
        let before = table.len();
        table.retain_before(step);
        window.superseded += before - table.len();
    }
    let mut values = [0.0, f64::NAN, f64::NAN];
    values[column] = energy;
    table.push(step, 0, &values[..table.width]);
    Ok(())
}

impl Table {
    /// Drops the rows from `time` on; times must rise.
    pub(super) fn retain_before(&mut self, time: f64) {
        let keep = self.time.partition_point(|t| *t < time);
        self.time.truncate(keep);
        self.state.truncate(keep);
        self.values.truncate(keep * self.width);
    }
}
