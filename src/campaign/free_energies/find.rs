//! Free energies of some of the frames with everything that is known of their errors, method by method.

use super::Answer;
use super::found::Found;
use super::part::Part;
use super::solve::{How, integrate, one_pair, solve};
use super::theory::{self, chained, fitted, integrated};
use crate::campaign::config::Method;
use crate::campaign::copies::{COPIES, without_each_group};
use crate::campaign::estimate_files::block_of;
use crate::estimate::{Bar, Bootstrap, MbarOptions, TiRule, Warning, WarningKind, exp_forward, exp_reverse, mbar};

/// Free energies of a part of the frames, which are correlated by `g`.
pub(super) fn find(how: How, part: &Part<'_>, g: f64) -> Answer<Found> {
    let k = part.states();
    let f = solve(how, part)?;
    let left_out = without_each_group(part.copies.len(), COPIES).and_then(|sets| {
        // a group without which there is no number leaves the theory alone to speak
        sets.iter().map(|s| solve(how, &Part { copies: s, draws: part.draws.clone(), ..*part })).collect::<Answer<Vec<_>>>().ok()
    });
    let mut found = Found { f, left_out, ..Found::default() };
    // what neighbours share is a matter of pairs, whatever the method
    let pairs: Vec<Answer<Bar>> = if how.ends { Vec::new() } else { (0..k - 1).map(|i| one_pair(part, i)).collect() };
    found.overlap = pairs.iter().map(|b| b.as_ref().map_or(0.0, |b| 0.5 * b.overlap)).collect();
    found.shared = pairs.iter().map(|b| b.as_ref().map_or(0.0, |b| b.shared / g)).collect();
    match how.method {
        Method::Mbar | Method::LogZ => all_states(how, part, g, &mut found)?,
        Method::Ti => gradients(how, part, g, &mut found)?,
        Method::Exp => one_sided(part, g, &mut found)?,
        _ => {
            let pairs = pairs.into_iter().collect::<Answer<Vec<_>>>()?;
            found.theory = chained(part, g)?;
            found.warnings = pairs.into_iter().flat_map(|b| b.warnings).collect();
        }
    }
    Ok(found)
}

/// MBAR.
fn all_states(how: How, part: &Part<'_>, g: f64, found: &mut Found) -> Answer<()> {
    let u = part.potentials()?;
    let fit = mbar(&u, &MbarOptions::default())?;
    found.theory = fitted(part, &fit, g);
    if how.ends {
        return Ok(());
    }
    found.matrix = fit.overlap().matrix.chunks(part.states()).map(<[f64]>::to_vec).collect();
    found.warnings = fit.warnings().to_vec();
    if let Some((replicates, seed)) = how.bootstrap {
        let how = Bootstrap { replicates, seed, block: block_of(g, u.n_k().iter().copied().filter(|n| *n > 0).min().unwrap_or(1)) };
        found.redrawn = Some((how, fit.bootstrap(&how)?));
    }
    Ok(())
}

/// Thermodynamic integration.
fn gradients(how: How, part: &Part<'_>, g: f64, found: &mut Found) -> Answer<()> {
    let k = part.states();
    let (ti, means) = integrate(part, how.rule, g)?;
    found.before = usize::from(ti.lambda[0][0] != part.read.states[0].lambda);
    found.rule = Some(ti.rule);
    found.theory = integrated(part, &ti, g)?;
    found.warnings = ti.warnings;
    found.gradients = means;
    if how.ends {
        return Ok(());
    }
    let stderr = found.theory.error(found.before, found.before + k - 1);
    found.against = across(part, ti.rule, stderr, g);
    // no pair of states need overlap
    found.overlap.clear();
    found.shared = (0..k - 1).map(|i| part.at_state(i, |_, _| 0.0).len() as f64 / g).collect();
    Ok(())
}

/// Exponential averages from each state to the next, held against those the other way.
fn one_sided(part: &Part<'_>, g: f64, found: &mut Found) -> Answer<()> {
    let k = part.states();
    let forward = (0..k - 1).map(|i| exp_forward(&part.works(i, i + 1))).collect::<Answer<Vec<_>>>()?;
    let back = (0..k - 1).map(|i| exp_reverse(&part.works(i + 1, i))).collect::<Answer<Vec<_>>>()?;
    found.theory = theory::one_sided(part, &forward, g);
    found.shared = forward.iter().map(|d| d.n_eff / g).collect();
    found.overlap.clear();
    for (i, (a, b)) in forward.iter().zip(&back).enumerate() {
        found.warnings.extend(a.warnings.iter().cloned());
        let z = (a.value - b.value) / ((a.stderr * a.stderr + b.stderr * b.stderr) * g).sqrt();
        if z.is_nan() || z.abs() > 4.0 {
            let (from, to) = (&part.read.names[i], &part.read.names[i + 1]);
            let message = format!("forward and reverse averages between {from} and {to} disagree by {z:.1} standard errors");
            found.warnings.push(Warning::new(WarningKind::ErrorsDisagree, message));
        }
    }
    Ok(())
}

/// What holds an integral between the first and the last state against the states being too far apart: BAR, where every pair of
/// neighbours overlaps; else straight lines instead of the spline or the other way round, with the rule's own error.
fn across(part: &Part<'_>, rule: TiRule, stderr: f64, g: f64) -> Vec<(&'static str, f64, f64)> {
    let mut all = Vec::new();
    if let Ok(f) = solve(How { method: Method::Bar, rule: None, bootstrap: None, ends: true }, part) {
        let error = chained(part, g).map_or(f64::NAN, |theory| theory.error(0, f.len() - 1));
        all.push(("BAR", f[f.len() - 1], (error * error + stderr * stderr).sqrt()));
    }
    let (name, other) = match rule {
        TiRule::Trapezoid | TiRule::GaussLegendre => ("the spline", TiRule::NaturalCubic),
        _ => ("the trapezoid", TiRule::Trapezoid),
    };
    if all.is_empty()
        && let Ok((ti, _)) = integrate(part, Some(other), 1.0)
    {
        all.push((name, ti.total().0, stderr));
    }
    all
}
