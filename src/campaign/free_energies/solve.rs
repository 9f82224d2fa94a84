//! Free energies of all states from some of the frames, without errors.

use super::Answer;
use super::part::Part;
use crate::campaign::config::Method;
use crate::estimate::{
    Bar, FreeEnergyError, Gradients, MbarOptions, Ti, TiRule, Unusable, bar, exp_forward, mbar, thermodynamic_integration, ti_rule,
};

/// How free energies are made of frames.
#[derive(Clone, Copy)]
pub(super) struct How {
    pub(super) method: Method,
    /// Of integration; none: as the states suggest.
    pub(super) rule: Option<TiRule>,
    /// Of MBAR: how often frames are drawn again, and the seed.
    pub(super) bootstrap: Option<(usize, u64)>,
    /// The difference of the ends alone is asked for, and nothing that holds it against other ways to it.
    pub(super) ends: bool,
}

/// f of each point less that of the first; the points are the states, and around them the ends that only a quadrature reaches.
pub(super) fn solve(how: How, part: &Part<'_>) -> Answer<Vec<f64>> {
    let total = |differences: Vec<f64>| {
        let mut f = vec![0.0];
        for d in differences {
            f.push(f[f.len() - 1] + d);
        }
        f
    };
    let k = part.states();
    match how.method {
        Method::Mbar | Method::LogZ => {
            let u = part.potentials()?;
            let fit = mbar(&u, &MbarOptions::default())?;
            Ok(fit.f_k().iter().map(|f| f - fit.f_k()[0]).collect())
        }
        Method::Bar => (0..k - 1).map(|i| one_pair(part, i).map(|b| b.delta_f)).collect::<Answer<Vec<_>>>().map(total),
        Method::Exp => (0..k - 1).map(|i| exp_forward(&part.works(i, i + 1)).map(|d| d.value)).collect::<Answer<Vec<_>>>().map(total),
        Method::Ti => integrate(part, how.rule, 1.0).map(|(ti, _)| ti.profile),
        other => Err(FreeEnergyError::Argument { what: format!("{} does not read a ladder", other.name()) }),
    }
}

/// Thermodynamic integration by the rule, by default quadrature on its own points and else splines, with the mean and error of the
/// gradient at each state.
pub(super) fn integrate(part: &Part<'_>, rule: Option<TiRule>, g: f64) -> Answer<(Ti, Vec<(f64, f64)>)> {
    let k = part.states();
    let draws: Vec<Vec<f64>> = (0..k).map(|i| part.at_state(i, |r, d| part.read.gradient_of(r, d))).collect();
    let lambda: Vec<f64> = part.read.states.iter().map(|t| t.lambda).collect();
    let argument = |why: Unusable| FreeEnergyError::Argument { what: format!("thermodynamic integration: {why}") };
    let rows: Vec<&[f64]> = draws.iter().map(Vec::as_slice).collect();
    let gradients = Gradients::from_draws(1, &lambda, &rows, &vec![g; k]).map_err(argument)?;
    let fitting = if ti_rule(&gradients) == TiRule::GaussLegendre { TiRule::GaussLegendre } else { TiRule::NaturalCubic };
    let ti = thermodynamic_integration(&gradients, rule.unwrap_or(fitting)).map_err(argument)?;
    let mut means = Vec::with_capacity(k);
    for values in &draws {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        means.push((mean, (square / (n - 1.0) / n * g).sqrt()));
    }
    Ok((ti, means))
}

/// BAR between state `i` and the next.
pub(super) fn one_pair(part: &Part<'_>, i: usize) -> Answer<Bar> {
    let names = &part.read.names;
    bar(&part.works(i, i + 1), &part.works(i + 1, i)).map_err(|why| match why {
        FreeEnergyError::Disconnected { shared, .. } => {
            FreeEnergyError::Disconnected { groups: vec![vec![names[i].clone()], vec![names[i + 1].clone()]], shared }
        }
        FreeEnergyError::NoSamples { .. } => FreeEnergyError::NoSamples { what: format!("state {} or {}", names[i], names[i + 1]) },
        other => other,
    })
}
