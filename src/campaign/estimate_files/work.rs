//! Free energies from arrays of work: both ways together, each alone, and where two Gaussians cross.

use super::answer::{Answer, LegAnalysis, Point};
use super::arrays::{correlated, row};
use super::choose::inefficiency;
use super::convergence::{Parts, converging};
use super::neighbours::{bar_answer, chain_answer};
use super::{Analysis, Method, Request};
use crate::estimate::{Delta, Works, bar_chain, crossed_gaussians, cumulant2, exp_forward, exp_reverse};
use crate::{Error, Result};

/// Crooks as BAR on work, Jarzynski each way, the second cumulant, the crossing of Gaussians.
pub(super) fn work(request: &Request, forward: &[f64], reverse: &[f64], out: &mut Analysis) -> Result<LegAnalysis> {
    let points = || vec![Point { name: "initial".into(), state: Some(0) }, Point { name: "final".into(), state: Some(1) }];
    let method = request.method;
    let mut answers = Vec::new();
    let links = || {
        let works = |w: &[f64]| Works { sample: (0..w.len()).collect(), work: w.to_vec() };
        [(works(forward), works(reverse))]
    };
    if !reverse.is_empty() && method != Method::Exp {
        match bar_chain(&links()) {
            Ok(chain) => answers.push(Answer { label: "Crooks (BAR on work)".into(), ..bar_answer(points(), &chain) }),
            Err((_, why)) => match Error::from(why) {
                error @ Error::Diagnostics { .. } if method != Method::Bar => out.failed.push(format!("no BAR: {error}")),
                error => return Err(error),
            },
        }
    } else if method == Method::Bar {
        return Err(Error::input("BAR needs work in both directions: w_f and w_r", "one direction alone: the method exp"));
    }
    if method != Method::Bar {
        answers.push(chain_answer("exp forward", "Jarzynski, forward", points(), &[exp_forward(forward)?]));
        if !reverse.is_empty() {
            answers.push(chain_answer("exp reverse", "Jarzynski, reverse", points(), &[exp_reverse(reverse)?]));
        }
        if method != Method::Exp && forward.len() > 1 && forward.iter().all(|w| w.is_finite()) {
            answers.push(chain_answer("cumulant", "second cumulant, forward", points(), &[cumulant2(forward)?]));
        }
        if !reverse.is_empty() && method != Method::Exp {
            match crossing(forward, reverse) {
                Ok(delta) => answers.push(chain_answer("gaussian crossing", "Gaussian crossing", points(), &[delta])),
                Err(why) => out.warnings.push(format!("no Gaussian crossing: {why}")),
            }
        }
    }
    for (name, works) in [("initial", forward), ("final", reverse)] {
        let sound = works.len() > 1 && works.iter().all(|w| w.is_finite());
        out.warnings.extend(sound.then(|| inefficiency(works)).and_then(|g| correlated(name, g, false)));
    }
    let mut windows = vec![row(0, "initial", forward.len(), 1.0, None)];
    if !reverse.is_empty() {
        windows.push(row(1, "final", reverse.len(), 1.0, None));
    }
    let parts = |key: &str| (key == "bar").then(|| Parts::of_links(links().to_vec()));
    let convergence = converging(&mut answers, request.convergence, parts, out);
    let states = vec!["initial".into(), "final".into()];
    let works = Some((forward.to_vec(), reverse.to_vec()));
    Ok(LegAnalysis { states, windows, answers, works, convergence, ..LegAnalysis::default() })
}

/// Where the Gaussians cross, or why that says nothing.
fn crossing(forward: &[f64], reverse: &[f64]) -> std::result::Result<Delta, String> {
    let crossed = crossed_gaussians(forward, reverse, 0, 0).map_err(|why| why.to_string())?;
    if crossed.gaussian() {
        return Ok(crossed.delta);
    }
    let (f, r) = crossed.normality;
    Err(format!(
        "the work is not Gaussian (Kolmogorov-Smirnov {f:.2} forward, {r:.2} reverse; Gaussian work stays below 1.035 in 99 % of cases)"
    ))
}
