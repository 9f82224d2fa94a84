//! The estimators on the windows of a leg.

use super::answer::{Answer, LegAnalysis};
use super::choose::Chosen;
use super::convergence::{Parts, converging};
use super::integrate::{drawn, ti};
use super::multistate::{multistate, samples};
use super::neighbours::{bar, exponential, links};
use super::trouble::Trouble;
use super::windows::windows;
use super::{Analysis, Method, Request};
use crate::io::alchemical::Leg;
use crate::{Error, Result};

/// Everything the request asks of a leg.
pub(super) fn analyse(request: &Request, leg: &Leg, chosen: &Chosen, out: &mut Analysis) -> Result<LegAnalysis> {
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
    let mut answers = match request.method {
        Method::Ti => ti(leg, chosen, request.rule)?,
        Method::Bar => vec![bar(leg, chosen)?],
        Method::Mbar => vec![multistate(leg, chosen, request)?],
        Method::Exp => exponential(leg, chosen)?,
        Method::All => all(request, leg, chosen, out)?,
        Method::Timeseries => Vec::new(),
        Method::Work | Method::Pmf => {
            let what = format!("`{}` needs arrays of work values, not {} files", request.method.name(), leg.program);
            return Err(Error::input(what, "for these files there are the methods mbar, bar, ti and exp"));
        }
    };
    let parts = |key: &str| match key {
        "ti" => drawn(leg, chosen).ok().map(|d| Parts::of_gradients(d, request.rule)),
        "bar" => links(leg, chosen).ok().map(|(_, links)| Parts::of_links(links)),
        "mbar" => {
            let (n_k, u_nk) = samples(leg, chosen);
            Some(Parts::of_samples(n_k, u_nk))
        }
        _ => None,
    };
    let convergence = converging(&mut answers, request.convergence, parts, out);
    Ok(LegAnalysis {
        name: None,
        source: String::new(),
        temperature: Some(leg.temperature),
        states: (0..leg.states.len()).map(|k| leg.name(k)).collect(),
        components: chosen.moving.iter().map(|&c| leg.components[c].clone()).collect(),
        windows,
        answers,
        convergence,
        ..LegAnalysis::default()
    })
}

/// TI, BAR and MBAR; what is missing is a warning, what fails makes exit code 3.
fn all(request: &Request, leg: &Leg, chosen: &Chosen, out: &mut Analysis) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    let mut first: Option<Trouble> = None;
    let results = [
        ("TI", ti(leg, chosen, request.rule)),
        ("BAR", bar(leg, chosen).map(|a| vec![a])),
        ("MBAR", multistate(leg, chosen, request).map(|a| vec![a])),
    ];
    for (name, result) in results {
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
