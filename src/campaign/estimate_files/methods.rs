//! The estimators on the windows of a leg.

use super::answer::{Answer, LegAnalysis, Point, WindowRow};
use super::choose::{Chosen, RunChoice, inefficiency, thinned};
use super::{Analysis, Method, doubt};
use crate::estimate::{
    Bar, BarChain, CovarianceMethod, Delta, FreeEnergyError, Gradients, Mbar, MbarOptions, ReducedPotentialsBuilder, Ti, TiRule, Warning,
    WarningKind, Works, bar_chain, exp_forward, exp_reverse, mbar, thermodynamic_integration, ti_rule,
};
use crate::io::alchemical::{Leg, Run, state_name};
use crate::{Error, Result};

/// Why there is no answer.
pub(super) enum Trouble {
    /// The files do not hold what the method needs.
    Absent { what: String, remedy: String },
    /// They do, and it does not carry.
    Failed(Error),
}

type Answered<T> = std::result::Result<T, Trouble>;

fn absent<T>(what: impl Into<String>, remedy: impl Into<String>) -> Answered<T> {
    Err(Trouble::Absent { what: what.into(), remedy: remedy.into() })
}

fn failed(what: impl Into<String>, remedy: impl Into<String>) -> Trouble {
    Trouble::Failed(Error::Diagnostics { what: what.into(), remedy: remedy.into() })
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Absent { what, remedy } => Error::input(what, remedy),
            Trouble::Failed(error) => error,
        }
    }
}

/// Everything `method` asks of a leg.
pub(super) fn analyse(method: Method, leg: &Leg, chosen: &Chosen, out: &mut Analysis) -> Result<LegAnalysis> {
    out.warnings.extend(leg.notes.iter().cloned());
    let windows = windows(leg, chosen);
    for w in &windows {
        if w.energies_missing > 0 {
            let what =
                format!("state {}: {} of {} samples have no energy in a state that is needed", w.name, w.energies_missing, w.energies);
            out.warnings.push(format!("{what}, and are left out of MBAR"));
        }
        if w.gradients_missing > 0 {
            let all = w.gradients + w.gradients_missing;
            out.warnings
                .push(format!("state {}: {} of {all} samples have no gradient, and are left out of TI", w.name, w.gradients_missing));
        }
    }
    let answers = match method {
        Method::Ti => ti(leg, chosen)?,
        Method::Bar => vec![bar(leg, chosen)?],
        Method::Mbar => vec![multistate(leg, chosen)?],
        Method::Exp => exponential(leg, chosen)?,
        Method::All => all(leg, chosen, out)?,
        Method::Timeseries => Vec::new(),
        Method::Work => {
            let what = format!("`work` needs arrays of work values, not {} files", leg.program);
            return Err(Error::input(what, "for these files: ergodica estimate all, bar, mbar, ti or exp"));
        }
    };
    Ok(LegAnalysis {
        name: None,
        source: String::new(),
        temperature: Some(leg.temperature),
        states: (0..leg.states.len()).map(|k| leg.name(k)).collect(),
        components: chosen.moving.iter().map(|&c| leg.components[c].clone()).collect(),
        windows,
        answers,
    })
}

/// TI, BAR and MBAR; what is missing is a warning, what fails makes exit code 3.
fn all(leg: &Leg, chosen: &Chosen, out: &mut Analysis) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    let mut first: Option<Trouble> = None;
    for (name, result) in
        [("TI", ti(leg, chosen)), ("BAR", bar(leg, chosen).map(|a| vec![a])), ("MBAR", multistate(leg, chosen).map(|a| vec![a]))]
    {
        match result {
            Ok(more) => answers.extend(more),
            Err(trouble) => {
                match &trouble {
                    Trouble::Absent { what, remedy } => out.warnings.push(format!("no {name}: {what} ({remedy})")),
                    Trouble::Failed(error) => {
                        out.failed.push(format!("no {name}: {}", error.to_string().replace("\n  help: ", " (")) + ")")
                    }
                }
                first.get_or_insert(trouble);
            }
        }
    }
    match first {
        Some(trouble) if answers.is_empty() => Err(trouble.into()),
        _ => Ok(answers),
    }
}

fn windows(leg: &Leg, chosen: &Chosen) -> Vec<WindowRow> {
    let mut rows = Vec::new();
    for state in leg.sampled() {
        let (runs, choices) = (&leg.windows[state].runs, &chosen.windows[state]);
        let (draws, g_gradient) = gradients(runs, choices, &chosen.moving);
        let n = draws.len() / chosen.moving.len().max(1);
        let mean_gradient = (0..chosen.moving.len())
            .map(|c| {
                let column: Vec<f64> = draws.iter().skip(c).step_by(chosen.moving.len()).copied().collect();
                let mean = column.iter().sum::<f64>() / n as f64;
                let squares: f64 = column.iter().map(|v| (v - mean) * (v - mean)).sum();
                (mean, (g_gradient * squares / (n as f64 - 1.0) / n as f64).sqrt())
            })
            .collect();
        let count = |of: fn(&RunChoice) -> usize| choices.iter().map(of).sum::<usize>();
        let (complete, effective) =
            choices.iter().fold((0.0, 0.0), |(n, e), c| (n + c.complete.len() as f64, e + c.complete.len() as f64 / c.g_energy));
        rows.push(WindowRow {
            state,
            name: leg.name(state),
            lambdas: chosen.moving.iter().map(|&c| leg.states[state][c]).collect(),
            gradients: n,
            gradients_missing: count(|c| c.gradients_missing),
            g_gradient,
            mean_gradient: if n == 0 { Vec::new() } else { mean_gradient },
            energies: count(|c| c.after.len()),
            energies_missing: count(|c| c.after.len() - c.complete.len()),
            g_energy: if effective > 0.0 { complete / effective } else { 1.0 },
            used: count(|c| c.used.len()),
            equilibrated: choices.iter().filter_map(|c| c.equilibrated).max(),
        });
    }
    rows
}

/// Gradients of all runs, `[draw][moving component]`, and the inefficiency of them together.
fn gradients(runs: &[Run], choices: &[RunChoice], moving: &[usize]) -> (Vec<f64>, f64) {
    let mut draws = Vec::new();
    let (mut n, mut effective) = (0.0, 0.0);
    for (run, choice) in runs.iter().zip(choices) {
        for &row in &choice.gradients {
            draws.extend(moving.iter().map(|&c| run.gradients.row(row)[c]));
        }
        n += choice.gradients.len() as f64;
        effective += choice.gradients.len() as f64 / choice.g_gradient;
    }
    (draws, if effective > 0.0 { n / effective } else { 1.0 })
}

/// Thermodynamic integration by the rule that fits the states first, then others for comparison.
fn ti(leg: &Leg, chosen: &Chosen) -> Answered<Vec<Answer>> {
    let c = chosen.moving.len();
    let (mut states, mut draws, mut g) = (Vec::new(), Vec::new(), Vec::new());
    for state in leg.sampled() {
        let (values, inefficiency) = gradients(&leg.windows[state].runs, &chosen.windows[state], &chosen.moving);
        if !values.is_empty() {
            states.push(state);
            draws.push(values);
            g.push(inefficiency);
        }
    }
    if states.len() < leg.sampled().len() || states.is_empty() {
        let missing: Vec<String> = leg.sampled().into_iter().filter(|s| !states.contains(s)).map(|s| leg.name(s)).collect();
        let of = if states.is_empty() { "any state".to_owned() } else { format!("state {}", missing.join("; ")) };
        let what = format!("no gradients of {of}");
        return absent(what, format!("TI needs dH/dlambda in every file: {}", gradients_advice(leg)));
    }
    if c == 0 {
        return absent(format!("all samples are of the one state {}", leg.name(states[0])), "give the files of other states too");
    }
    let lambda: Vec<f64> = states.iter().flat_map(|&s| chosen.moving.iter().map(move |&m| leg.states[s][m])).collect();
    let slices: Vec<&[f64]> = draws.iter().map(Vec::as_slice).collect();
    if let Some(k) = draws.iter().position(|d| d.len() < 2 * c) {
        return Err(failed(format!("TI: state {} has one sample", leg.name(states[k])), "sample longer or discard less"));
    }
    let why = |e: crate::estimate::Unusable| Trouble::Failed(Error::input(format!("TI: {e}"), "look at the gradients of that state"));
    let gradients = Gradients::from_draws(c, &lambda, &slices, &g).map_err(why)?;
    let n_eff = draws.iter().zip(&g).map(|(d, g)| (d.len() / c) as f64 / g).fold(f64::INFINITY, f64::min);
    let mut rules = vec![ti_rule(&gradients)];
    rules.extend([TiRule::Trapezoid, TiRule::NaturalCubic].into_iter().filter(|r| *r != rules[0]).collect::<Vec<_>>());
    let mut answers = Vec::new();
    for (k, rule) in rules.into_iter().enumerate() {
        let ti = thermodynamic_integration(&gradients, rule).map_err(why)?;
        answers.push(ti_answer(leg, chosen, &states, ti, n_eff, k == 0));
    }
    Ok(answers)
}

fn gradients_advice(leg: &Leg) -> &'static str {
    use crate::io::alchemical::Program;
    match leg.program {
        Program::Gromacs => "dhdl-derivatives = yes",
        Program::Amber => "icfe = 1",
        Program::Namd => "NAMD writes none to fepout; use bar or exp",
        Program::Gomc => "write dU/dL",
    }
}

fn ti_answer(leg: &Leg, chosen: &Chosen, states: &[usize], ti: Ti, n_eff: f64, main: bool) -> Answer {
    let (name, label) = match ti.rule {
        TiRule::Trapezoid => ("trapezoid", "trapezoid"),
        TiRule::NaturalCubic => ("natural_cubic", "natural cubic"),
        TiRule::Simpson => ("simpson", "Simpson"),
        TiRule::GaussLegendre => ("gauss_legendre", "Gauss-Legendre"),
    };
    let names: Vec<String> = chosen.moving.iter().map(|&c| leg.components[c].clone()).collect();
    let points: Vec<Point> = ti
        .lambda
        .iter()
        .map(|at| {
            let same = |s: &&usize| chosen.moving.iter().zip(at).all(|(&c, l)| leg.states[**s][c] == *l);
            match states.iter().find(same) {
                Some(&s) => Point { name: leg.name(s), state: Some(s) },
                None => Point { name: format!("{} (by quadrature)", state_name(&names, at)), state: None },
            }
        })
        .collect();
    let last = points.len() - 1;
    Answer {
        key: if main { "ti".into() } else { format!("ti {name}") },
        label: format!("TI, {label}"),
        points,
        f: ti.profile,
        covariance: ti.covariance,
        n_eff,
        ends: (0, last),
        effective: Vec::new(),
        overlap: Vec::new(),
        // The other rules are there for comparison.
        warnings: if main { ti.warnings } else { Vec::new() },
    }
}

/// Works of the samples of `from` towards `to`, nearly independent.
fn works(leg: &Leg, chosen: &Chosen, from: usize, to: usize) -> Works {
    let mut out = Works::default();
    let mut base = 0;
    for (run, choice) in leg.windows[from].runs.iter().zip(&chosen.windows[from]) {
        if !run.energies.is_empty() {
            let there: Vec<usize> = choice.after.iter().copied().filter(|&n| !run.energies.row(n)[to].is_nan()).collect();
            let rows = if there.len() == choice.complete.len() {
                choice.used.clone()
            } else if chosen.thin {
                let series: Vec<f64> = there.iter().map(|&n| run.energies.row(n)[to]).collect();
                thinned(&there, inefficiency(&series))
            } else {
                there
            };
            for n in rows {
                let row = run.energies.row(n);
                out.sample.push(base + n);
                out.work.push(row[to] - row[from]);
            }
        }
        base += run.energies.len();
    }
    out
}

/// Neighbouring sampled states with the works between them.
pub(super) type Links = (Vec<usize>, Vec<(Works, Works)>);

fn links(leg: &Leg, chosen: &Chosen, both: bool) -> Answered<Links> {
    if let Some(complaint) = leg.refused.first() {
        return absent(complaint.what.clone(), complaint.remedy.clone());
    }
    let states = leg.sampled();
    if states.len() < 2 {
        return absent(
            "fewer than two states have samples",
            "give the files of other states too; one state alone allows MBAR's prediction",
        );
    }
    let mut all = Vec::new();
    for pair in states.windows(2) {
        let (forward, reverse) = (works(leg, chosen, pair[0], pair[1]), works(leg, chosen, pair[1], pair[0]));
        for (works, from, to) in [(&forward, pair[0], pair[1]), (&reverse, pair[1], pair[0])] {
            if both && works.work.is_empty() {
                let what = format!("no sample of state {} has its energy in state {}", leg.name(from), leg.name(to));
                return absent(what, "energies of both neighbours are needed; one direction alone: ergodica estimate exp");
            }
        }
        all.push((forward, reverse));
    }
    Ok((states, all))
}

fn named(leg: &Leg, states: &[usize]) -> Vec<Point> {
    states.iter().map(|&s| Point { name: leg.name(s), state: Some(s) }).collect()
}

fn bar(leg: &Leg, chosen: &Chosen) -> Answered<Answer> {
    let (states, links) = links(leg, chosen, true)?;
    let chain = bar_chain(&links).map_err(|(p, why)| between(leg, "BAR", (states[p], states[p + 1]), &why))?;
    Ok(bar_answer(named(leg, &states), &chain))
}

pub(super) fn bar_answer(points: Vec<Point>, chain: &BarChain) -> Answer {
    let warn = |(p, bar): (usize, &Bar)| -> Vec<_> {
        bar.warnings.iter().map(|w| doubt(format!("{} to {}: {}", points[p].name, points[p + 1].name, w.message))).collect()
    };
    let last = points.len() - 1;
    Answer {
        key: "bar".into(),
        label: "BAR".into(),
        f: chain.f_k(),
        covariance: chain.f_k_covariance(),
        n_eff: chain.links.iter().map(|l| l.shared).fold(f64::INFINITY, f64::min),
        ends: (0, last),
        effective: Vec::new(),
        overlap: Vec::new(),
        warnings: chain.links.iter().enumerate().flat_map(warn).collect(),
        points,
    }
}

/// An estimator's error about two neighbours.
fn between(leg: &Leg, method: &str, (a, b): (usize, usize), why: &FreeEnergyError) -> Trouble {
    let (a, b) = (leg.name(a), leg.name(b));
    match why {
        FreeEnergyError::Disconnected { shared, .. } => {
            let what = format!("{method}: no overlap between the states {a} and {b}: they share {shared:.1e} effective samples");
            failed(what, "add states between the two or sample longer")
        }
        other if other.is_bad_input() => Trouble::Failed(Error::input(format!("{method}, states {a} and {b}: {other}"), other.remedy())),
        other => failed(format!("{method}, states {a} and {b}: {other}"), other.remedy()),
    }
}

fn multistate(leg: &Leg, chosen: &Chosen) -> Answered<Answer> {
    if let Some(complaint) = leg.refused.first() {
        return absent(complaint.what.clone(), complaint.remedy.clone());
    }
    if !leg.complete() {
        let energies = leg.sampled().iter().any(|&k| leg.windows[k].runs.iter().any(|r| !r.energies.is_empty()));
        if !energies {
            return absent("the files hold no energies of other states", energies_advice(leg));
        }
        let what = "the energy of every sample in every state is needed, and the files have those of some states only";
        return absent(what, energies_advice(leg));
    }
    let columns = &chosen.columns;
    let names: Vec<String> = columns.iter().map(|&k| leg.name(k)).collect();
    let n_k: Vec<usize> = columns.iter().map(|&k| chosen.windows[k].iter().map(|c| c.used.len()).sum()).collect();
    let why = |e: FreeEnergyError| Trouble::Failed(e.into());
    let mut builder = ReducedPotentialsBuilder::new(&names, &n_k).map_err(why)?;
    let mut sample = vec![0.0; columns.len()];
    for &state in columns {
        for (run, choice) in leg.windows[state].runs.iter().zip(&chosen.windows[state]) {
            for &n in &choice.used {
                let row = run.energies.row(n);
                sample.iter_mut().zip(columns).for_each(|(to, &k)| *to = row[k]);
                builder.sample(&sample).map_err(why)?;
            }
        }
    }
    let u = builder.finish().map_err(why)?;
    let fit = mbar(&u, &MbarOptions::default()).map_err(why)?;
    Ok(mbar_answer(&named(leg, columns), &n_k, &fit))
}

fn energies_advice(leg: &Leg) -> &'static str {
    use crate::io::alchemical::Program;
    match leg.program {
        Program::Gromacs => "run with calc-lambda-neighbors = -1, which writes the energies of all states; TI and BAR do without",
        Program::Amber => "run with ifmbar = 1 and all lambdas in mbar_lambda; TI does without",
        Program::Namd => "NAMD writes the energies of neighbours only: use bar or exp",
        Program::Gomc => "write the energies of all states",
    }
}

/// Effective samples that a state without samples of its own needs before its free energy is told.
const REACHED: f64 = 50.0;

pub(super) fn mbar_answer(points: &[Point], n_k: &[usize], fit: &Mbar<'_>) -> Answer {
    let (effective, states) = (fit.effective_sample_numbers(), n_k.len());
    let (kept, left): (Vec<usize>, Vec<usize>) =
        (0..states).partition(|&k| n_k[k] > 0 || (effective[k] >= REACHED && fit.f_k()[k].is_finite()));
    let mut warnings = fit.warnings().to_vec();
    if !left.is_empty() {
        let names: Vec<String> = left.iter().map(|&k| format!("{} ({:.1})", points[k].name, effective[k])).collect();
        let what = "states without samples that too few samples of others reach (effective number below 50), left out";
        warnings.push(Warning::new(WarningKind::PoorOverlap, format!("{what}: {}", names.join("; "))));
    }
    let sampled: Vec<usize> = (0..kept.len()).filter(|&i| n_k[kept[i]] > 0).collect();
    let ends = (sampled[0], sampled[sampled.len() - 1]);
    let (theta, overlap) = (fit.covariance(CovarianceMethod::Asymptotic).theta, fit.overlap().matrix);
    let square = |m: &[f64]| kept.iter().flat_map(|&i| kept.iter().map(move |&j| m[i * states + j])).collect::<Vec<f64>>();
    Answer {
        key: "mbar".into(),
        label: "MBAR".into(),
        points: kept.iter().map(|&k| points[k].clone()).collect(),
        f: kept.iter().map(|&k| fit.f_k()[k] - fit.f_k()[kept[0]]).collect(),
        covariance: square(&theta),
        n_eff: fit.delta(kept[ends.0], kept[ends.1]).n_eff,
        ends,
        effective: kept.iter().map(|&k| effective[k]).collect(),
        overlap: square(&overlap),
        warnings,
    }
}

/// Exponential averages between neighbours: one answer from each direction that has samples.
fn exponential(leg: &Leg, chosen: &Chosen) -> Answered<Vec<Answer>> {
    let (states, links) = links(leg, chosen, false)?;
    let mut answers = Vec::new();
    for (key, label) in [("exp forward", "EXP, from each state to the next"), ("exp reverse", "EXP, from each state to the one before")] {
        let ahead = key == "exp forward";
        let works = |(f, r): &(Works, Works)| if ahead { f.work.clone() } else { r.work.clone() };
        let lists: Vec<Vec<f64>> = links.iter().map(works).collect();
        if lists.iter().any(Vec::is_empty) {
            continue;
        }
        let mut deltas = Vec::new();
        for (p, work) in lists.iter().enumerate() {
            let delta = if ahead { exp_forward(work) } else { exp_reverse(work) };
            deltas.push(delta.map_err(|why| between(leg, "EXP", (states[p], states[p + 1]), &why))?);
        }
        answers.push(chain_answer(key, label, named(leg, &states), &deltas));
    }
    if answers.is_empty() {
        return absent("no direction in which every state has the energies of its neighbour", "give the files of all windows");
    }
    Ok(answers)
}

/// Independent differences one after the other.
pub(super) fn chain_answer(key: &str, label: &str, points: Vec<Point>, deltas: &[Delta]) -> Answer {
    let k = points.len();
    let (mut f, mut covariance) = (vec![0.0; k], vec![0.0; k * k]);
    let mut variance = vec![0.0; k];
    for (p, delta) in deltas.iter().enumerate() {
        f[p + 1] = f[p] + delta.value;
        variance[p + 1] = variance[p] + delta.stderr * delta.stderr;
    }
    for i in 0..k {
        for j in 0..k {
            covariance[i * k + j] = variance[i.min(j)];
        }
    }
    let warn = |(p, d): (usize, &Delta)| -> Vec<_> {
        d.warnings.iter().map(|w| Warning::new(w.kind, format!("{} to {}: {}", points[p].name, points[p + 1].name, w.message))).collect()
    };
    let warnings = deltas.iter().enumerate().flat_map(warn).collect();
    let n_eff = deltas.iter().map(|d| d.n_eff).fold(f64::INFINITY, f64::min);
    Answer {
        key: key.into(),
        label: label.into(),
        points,
        f,
        covariance,
        n_eff,
        ends: (0, k - 1),
        effective: Vec::new(),
        overlap: Vec::new(),
        warnings,
    }
}
