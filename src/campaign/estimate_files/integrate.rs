//! Thermodynamic integration on the windows of a leg.

use super::answer::{Answer, Point};
use super::choose::Chosen;
use super::trouble::{Answered, Trouble, absent, failed};
use super::windows::gradients;
use crate::Error;
use crate::estimate::{Gradients, Ti, TiRule, Unusable, thermodynamic_integration, ti_rule};
use crate::io::alchemical::{Leg, state_name};

/// Gradients of the sampled states.
pub(super) struct Drawn {
    pub(super) states: Vec<usize>,
    /// Components that move.
    pub(super) components: usize,
    /// `[state][component]`.
    pub(super) lambda: Vec<f64>,
    /// Of each state `[draw][component]`.
    pub(super) draws: Vec<Vec<f64>>,
    /// Statistical inefficiency of each state.
    pub(super) g: Vec<f64>,
}

impl Drawn {
    /// Mean gradients of the draws, or of a part of them.
    pub(super) fn gradients(&self, draws: &[&[f64]]) -> Result<Gradients, Unusable> {
        Gradients::from_draws(self.components, &self.lambda, draws, &self.g)
    }
}

/// The gradients of all states that have samples, two draws of each at least.
pub(super) fn drawn(leg: &Leg, chosen: &Chosen) -> Answered<Drawn> {
    let c = chosen.moving.len();
    if c == 0 {
        let only = leg.sampled().first().map_or(String::new(), |&s| leg.name(s));
        return absent(format!("all samples are of the one state {only}"), "TI needs the files of other states too");
    }
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
    let lambda: Vec<f64> = states.iter().flat_map(|&s| chosen.moving.iter().map(move |&m| leg.states[s][m])).collect();
    if let Some(k) = draws.iter().position(|d| d.len() < 2 * c) {
        return Err(failed(format!("TI: state {} has one sample", leg.name(states[k])), "sample longer or discard less"));
    }
    Ok(Drawn { states, components: c, lambda, draws, g })
}

/// Thermodynamic integration by the rule asked for, or the one that fits the states, first; then others for comparison.
pub(super) fn ti(leg: &Leg, chosen: &Chosen, rule: Option<TiRule>) -> Answered<Vec<Answer>> {
    let drawn = drawn(leg, chosen)?;
    let Drawn { states, components: c, draws, g, .. } = &drawn;
    let slices: Vec<&[f64]> = draws.iter().map(Vec::as_slice).collect();
    let why = |e: Unusable| Trouble::Failed(Error::input(format!("TI: {e}"), "look at the gradients of that state"));
    let gradients = drawn.gradients(&slices).map_err(why)?;
    let n_eff = draws.iter().zip(g).map(|(d, g)| (d.len() / c) as f64 / g).fold(f64::INFINITY, f64::min);
    let mut rules = vec![rule.unwrap_or_else(|| ti_rule(&gradients))];
    rules.extend([TiRule::Trapezoid, TiRule::NaturalCubic].into_iter().filter(|r| *r != rules[0]).collect::<Vec<_>>());
    let mut answers = Vec::new();
    for (k, rule) in rules.into_iter().enumerate() {
        let ti = thermodynamic_integration(&gradients, rule).map_err(why)?;
        answers.push(ti_answer(leg, chosen, states, ti, n_eff, k == 0));
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
        left: Vec::new(),
        redrawn: None,
        decomposition: None,
    }
}
