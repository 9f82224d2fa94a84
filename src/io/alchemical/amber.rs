//! AMBER `mdout` of sander and pmemd, with TI (`icfe = 1`) and energies of other states (`ifmbar = 1`).
//!
//! ```text
//!    2.  CONTROL  DATA  FOR  THE  RUN        temp0, clambda, ifmbar, bar_intervall, dt
//!     MBAR - lambda values considered:       12 total:  0.0000 0.0479 ...
//!    4.  RESULTS
//! MBAR Energy analysis:
//! Energy at 0.0000 = -144350.8491            kcal/mol; **** is an overflow: no overlap, +infinity
//!  NSTEP =     1000   TIME(PS) =      22.000
//!  DV/DL  =         0.4288                   printed for TI region 1 and 2: counted once
//! ```
//!
//! Averages and fluctuations, which repeat the layout, are not samples.
//! Source: Amber reference manual, "Free energies", and files of versions 16 to 22.

use super::lines::{Line, Lines, excerpt, number, wrong, wrong_file};
use super::states::States;
use super::unpack::Text;
use super::{Clock, KCAL, Lambdas, Part, Program, Table, key};
use crate::error::Complaint;
use crate::{Error, Result};

/// What section 2 says.
#[derive(Default)]
struct Control {
    temperature: Option<f64>,
    lambda: Option<f64>,
    interval: Option<f64>,
    timestep: Option<f64>,
    begin: Option<f64>,
    mbar: bool,
    lambdas: Lambdas,
}

/// The one part of a file.
pub(super) fn read(text: &Text) -> Result<Part> {
    let mut lines = Lines::new(&text.text);
    let mut refused = None;
    let control = control(text, &mut lines, &mut refused)?;
    let Some(lambda) = control.lambda else {
        let remedy = "run with icfe = 1 and a clambda; other output has no free energies";
        return Err(wrong_file(text, "no clambda in \"2. CONTROL DATA FOR THE RUN\"", remedy));
    };
    if !(0.0..=1.0).contains(&lambda) {
        return Err(wrong_file(text, format!("clambda is {lambda}, and lies between 0 and 1"), "copy the file again"));
    }
    let own = control.lambdas.iter().position(|l| key(&[*l]) == key(&[lambda]));
    if control.mbar && own.is_none() && refused.is_none() {
        let what = format!("{}: clambda {lambda} is not among the lambdas that MBAR energies are for", text.name);
        refused = complaint(what, "put clambda into mbar_lambda");
    }
    let mut states: Vec<Lambdas> = if own.is_some() { control.lambdas.iter().map(|l| vec![*l]).collect() } else { Vec::new() };
    let fixed = own.unwrap_or_else(|| {
        states.push(vec![lambda]);
        states.len() - 1
    });
    let mut part = Part {
        file: text.name.clone(),
        program: Program::Amber,
        temperature: control.temperature,
        clock: Clock::Picoseconds,
        components: vec!["lambda".to_owned()],
        states,
        fixed: Some(fixed as u32),
        gradients: Table::new(1),
        energies: Table::new(if own.is_some() { control.lambdas.len() } else { 0 }),
        base: Vec::new(),
        totals: true,
        refused,
        notes: Vec::new(),
    };
    results(text, &mut lines, &control, &mut part)?;
    if part.refused.is_some() {
        part.energies = Table::new(0);
        part.base.clear();
    }
    match part.refused.clone() {
        Some(complaint) if part.gradients.is_empty() => Err(Error::Input(vec![complaint])),
        None if part.gradients.is_empty() && part.energies.is_empty() => {
            let remedy = "the run wrote no DV/DL: check icfe = 1, ntpr, and that the run began";
            Err(wrong_file(text, "no complete DV/DL after \"4. RESULTS\"", remedy))
        }
        _ => Ok(part),
    }
}

fn complaint(what: String, remedy: &str) -> Option<Complaint> {
    Some(Complaint { what, at: None, remedy: format!("{remedy}; the method ti needs no such energies") })
}

/// Makes an error of the energies something that TI can live with.
fn refuse(error: Error, to: &mut Option<Complaint>) {
    if let Error::Input(mut all) = error
        && to.is_none()
        && let Some(mut first) = all.pop()
    {
        first.remedy.push_str("; the method ti needs no such energies");
        *to = Some(first);
    }
}

/// Sections 2 and 3, up to "4. RESULTS".
fn control(text: &Text, lines: &mut Lines<'_>, refused: &mut Option<Complaint>) -> Result<Control> {
    let mut out = Control::default();
    let (mut section, mut any) = (0, false);
    while let Some(line) = lines.next() {
        let words = line.text.trim();
        if let Some((n, _)) = words.split_once(".  ").filter(|(n, rest)| n.len() == 1 && rest.starts_with(|c: char| c.is_ascii_uppercase()))
        {
            section = n.parse().unwrap_or(section);
            any |= section == 2;
            if section == 4 {
                if !any {
                    break;
                }
                return Ok(out);
            }
        } else if section == 2 && words.starts_with("MBAR - lambda values considered") {
            if let Err(e) = considered(text, line, lines, &mut out.lambdas) {
                refuse(e, refused);
                out.lambdas.clear();
            }
        } else if section == 2 {
            settings(text, line, &mut out)?;
        } else if words.starts_with("begin time read from input coords") {
            out.begin = words.rsplit('=').next().and_then(|v| number(v.split_whitespace().next()?.as_bytes()));
        }
    }
    let missing = if any { "4. RESULTS" } else { "2. CONTROL DATA FOR THE RUN" };
    let remedy = "the run stopped before it wrote anything, or this is not mdout; leave the file out, or copy it again";
    Err(wrong_file(text, format!("no section \"{missing}\""), remedy))
}

/// `name = value` pairs of a line.
fn settings(text: &Text, line: Line<'_>, to: &mut Control) -> Result<()> {
    if !line.text.contains('=') || line.text.starts_with('|') {
        return Ok(());
    }
    let spaced = line.text.replace('=', " = ").replace(',', " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    for triple in words.windows(3).filter(|t| t[1] == "=") {
        let place = match triple[0] {
            "temp0" => &mut to.temperature,
            "clambda" => &mut to.lambda,
            "bar_intervall" => &mut to.interval,
            "dt" => &mut to.timestep,
            "ifmbar" => {
                to.mbar = triple[2] != "0";
                continue;
            }
            _ => continue,
        };
        let value = number(triple[2].as_bytes()).filter(|v| v.is_finite());
        let value = value.ok_or_else(|| wrong(text, line, format!("{} is no number: {}", triple[0], triple[2]), "copy the file again"))?;
        *place = Some(value);
    }
    Ok(())
}

/// The list of lambdas that energies are computed for; it may take several lines.
fn considered(text: &Text, head: Line<'_>, lines: &mut Lines<'_>, to: &mut Lambdas) -> Result<()> {
    let mut expected = None;
    let mut known = States::default();
    while let Some(line) = lines.peek().filter(|l| !l.text.trim_start().starts_with("Extra") && l.ended) {
        lines.next();
        let list = match line.text.split_once("total:") {
            Some((count, list)) => {
                expected = count.trim().parse::<usize>().ok();
                list
            }
            None => line.text,
        };
        for word in list.split_whitespace() {
            match number(word.as_bytes()).filter(|l| (0.0..=1.0).contains(l)) {
                Some(lambda) if known.place(vec![lambda]).1 => to.push(lambda),
                _ => {
                    let what = format!("{} is not a new lambda between 0 and 1 in the list of MBAR states", excerpt(word));
                    return Err(wrong(text, line, what, "correct mbar_lambda and run again"));
                }
            }
        }
    }
    if expected != Some(to.len()) || to.is_empty() {
        let what = format!(
            "the list of MBAR states holds {} lambdas and announces {}",
            to.len(),
            expected.map_or("none".into(), |n| n.to_string())
        );
        return Err(wrong(text, head, what, "copy the file again"));
    }
    Ok(())
}

fn results(text: &Text, lines: &mut Lines<'_>, control: &Control, part: &mut Part) -> Result<()> {
    let state = part.fixed.unwrap_or(0);
    let width = part.energies.width;
    let mut pending: Option<(f64, f64)> = None;
    let (mut last, mut origin) = (f64::NEG_INFINITY, None);
    let (mut averages, mut ended, mut blocks) = (false, true, 0_usize);
    let mut row = vec![0.0; width];
    while let Some(line) = lines.next() {
        ended = line.ended;
        let words = line.text.trim_start();
        match words.as_bytes().first() {
            Some(b'M') if words.starts_with("MBAR Energy analysis") => {
                if width == 0 || part.refused.is_some() {
                    continue;
                }
                match block(text, line, lines, &control.lambdas, &mut row) {
                    Ok(true) => {
                        let base = row[state as usize];
                        if !base.is_finite() {
                            let e = wrong(text, line, "the sampled state's own energy is not finite", "the simulation broke down here");
                            refuse(e, &mut part.refused);
                            continue;
                        }
                        row.iter_mut().for_each(|e| *e = (*e - base) * KCAL);
                        if row.contains(&f64::NEG_INFINITY) {
                            let what = "an energy of minus infinity relative to the sampled state";
                            refuse(wrong(text, line, what, "the file is damaged here: copy it again"), &mut part.refused);
                            continue;
                        }
                        blocks += 1;
                        part.energies.push(blocks as f64, state, &row);
                        part.base.push(base * KCAL);
                    }
                    Ok(false) => ended = false,
                    Err(e) => refuse(e, &mut part.refused),
                }
            }
            Some(b'N') if words.starts_with("NSTEP") => {
                if std::mem::take(&mut averages) {
                    pending = None;
                    continue;
                }
                // a cut line may have lost digits
                pending = step(words).filter(|_| line.ended);
                if let Some((step, time)) = pending {
                    origin.get_or_insert(time - step * control.timestep.unwrap_or(0.0));
                } else if line.ended {
                    let what = "NSTEP and TIME(PS) are no numbers";
                    return Err(wrong(text, line, what, "the file is damaged here: copy it again"));
                }
            }
            Some(b'D') if words.starts_with("DV/DL") => {
                if words.contains("AVERAGES") {
                    averages = true;
                    continue;
                }
                let Some((step, time)) = pending.take() else { continue };
                if !line.ended {
                    continue;
                }
                let value = words.split_once('=').and_then(|(_, v)| number(v.trim().as_bytes()));
                let value = value.ok_or_else(|| {
                    let what = format!("DV/DL is no number: {}", excerpt(words));
                    wrong(text, line, what, "the file is damaged here: copy it again, or leave out what follows")
                })?;
                if !value.is_finite() {
                    return Err(wrong(text, line, "DV/DL is not finite", "the simulation broke down here: leave out what follows"));
                }
                // TI region 2 repeats region 1.
                if step > last {
                    if part.gradients.time.last().is_some_and(|t| *t >= time) {
                        let what = format!("NSTEP rises to {step}, but TIME(PS) = {time} is not later than before");
                        return Err(wrong(text, line, what, "the file is damaged here: copy it again, or leave out what follows"));
                    }
                    part.gradients.push(time, state, &[value * KCAL]);
                    last = step;
                }
            }
            Some(b'A') if words.starts_with("A V E R A G E S") => averages = true,
            Some(b'R') if words.starts_with("R M S") => averages = true,
            _ => {}
        }
    }
    if pending.is_some() || !ended {
        part.notes.push(format!("{}: the last sample is incomplete and was left out", text.name));
    }
    // The time of the n-th block of energies is n intervals after the start.
    let interval = control.interval.unwrap_or(1.0) * control.timestep.unwrap_or(1.0);
    let origin = origin.or(control.begin).unwrap_or(0.0);
    let times = &mut part.energies.time;
    times.iter_mut().for_each(|t| *t = origin + *t * interval);
    if times.iter().any(|t| !t.is_finite()) || times.windows(2).any(|w| w[0] >= w[1]) {
        let what = format!("the energies of other states have no times: bar_intervall times dt is {interval} ps from {origin} ps on");
        refuse(wrong_file(text, what, "copy the file again"), &mut part.refused);
    }
    Ok(())
}

/// Step and time of `NSTEP = 1000   TIME(PS) = 22.000`.
fn step(words: &str) -> Option<(f64, f64)> {
    let (step, rest) = words.split_once("TIME(PS)")?;
    let step = number(step.split_once('=')?.1.trim().as_bytes())?;
    let time = number(rest.split_once('=')?.1.split_whitespace().next()?.as_bytes())?;
    (step.is_finite() && time.is_finite()).then_some((step, time))
}

/// One block of energies; false: the file ends in it.
fn block(text: &Text, head: Line<'_>, lines: &mut Lines<'_>, lambdas: &[f64], to: &mut [f64]) -> Result<bool> {
    let wrong_at = |line: Line<'_>, what: String| Err(wrong(text, line, what, "the file is damaged here: copy it again"));
    let mut line = head;
    for (k, (lambda, to)) in lambdas.iter().zip(to).enumerate() {
        match lines.peek() {
            Some(next) if next.ended => line = next,
            _ => return Ok(false),
        }
        let Some((at, value)) = line.text.trim_start().strip_prefix("Energy at").and_then(|r| r.split_once('=')) else {
            return wrong_at(line, format!("the block of MBAR energies ends after {k} of {} states", lambdas.len()));
        };
        lines.next();
        let found = number(at.trim().as_bytes());
        if found.is_none_or(|f| key(&[f]) != key(&[*lambda])) {
            return wrong_at(line, format!("an energy at lambda {} where {lambda} is due", at.trim()));
        }
        let value = value.trim();
        *to = if value.starts_with('*') {
            f64::INFINITY
        } else {
            match number(value.as_bytes()).filter(|v| *v > f64::NEG_INFINITY) {
                Some(v) => v,
                None => return wrong_at(line, format!("the energy {:?} is no number", excerpt(value))),
            }
        };
    }
    if lines.peek().is_some_and(|l| l.ended && l.text.trim_start().starts_with("Energy at")) {
        return wrong_at(line, format!("the block holds more than the {} MBAR states", lambdas.len()));
    }
    Ok(true)
}
