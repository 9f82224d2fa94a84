//! Errors of the estimators over a ladder, whose frames are correlated in time and across its states.

use super::Answer;
use super::part::Part;
use crate::campaign::moments::Shape;
use crate::estimate::{CovarianceMethod, Delta, Gradients, Mbar, Ti, Works, bar_chain, thermodynamic_integration};
use crate::real::Real;

/// What an estimator says of the errors of f_j - f_i; the correlation of two points is looked at when it is asked for.
#[derive(Default)]
pub(super) struct Theory {
    /// Errors of independent frames, `[i][j]`.
    independent: Vec<Vec<f64>>,
    /// What every moment has moved each point by, `[point][moment]`; empty for a point that no frame was at.
    psi: Vec<Vec<f64>>,
    shape: Shape,
    /// Statistical inefficiency where the moments do not speak.
    g: f64,
}

impl Theory {
    /// Standard error of f_j - f_i: of independent frames, or of the moments of the copies if they are larger.
    pub(super) fn error(&self, i: usize, j: usize) -> f64 {
        let (independent, a, b) = (self.independent[i][j], &self.psi[i], &self.psi[j]);
        let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
        match self.shape.error(&difference) {
            _ if i == j => 0.0,
            correlated if a.len() == b.len() && !a.is_empty() && !correlated.is_nan() => independent.max(correlated),
            _ => independent * self.g.sqrt(),
        }
    }
}

/// Of MBAR. A state that no frame was at has the inefficiency of the others.
pub(super) fn fitted(part: &Part<'_>, fit: &Mbar<'_>, g: f64) -> Theory {
    let (k, shape, influences, covariance) = (part.states(), part.shape(), fit.influences(), fit.covariance(CovarianceMethod::Asymptotic));
    let phi = influences.summed(shape.moments(), |n| shape.moment(n));
    let sampled = influences.states.len();
    let row = |i: usize| influences.states.binary_search(&i).map_or(Vec::new(), |a| phi.iter().skip(a).step_by(sampled).copied().collect());
    let independent = (0..k).map(|i| (0..k).map(|j| covariance.stderr(i, j)).collect()).collect();
    Theory { independent, psi: (0..k).map(row).collect(), shape, g }
}

/// Of BAR from neighbour to neighbour, which share the samples of the state between them.
pub(super) fn chained(part: &Part<'_>, g: f64) -> Answer<Theory> {
    let (k, shape) = (part.states(), part.shape());
    let works = |i: usize, j: usize| {
        let work = part.works(i, j);
        Works { sample: (0..work.len()).collect(), work }
    };
    let links: Vec<(Works, Works)> = (0..k - 1).map(|i| (works(i, i + 1), works(i + 1, i))).collect();
    let chain = bar_chain(&links).map_err(|(_, why)| why)?;
    let mut psi = vec![vec![0.0; shape.moments()]];
    for (i, (forward, reverse)) in chain.influences.iter().enumerate() {
        psi.push(next(part, &psi[i], &[(i, forward), (i + 1, reverse)]));
    }
    let c = chain.f_k_covariance();
    let independent = |i: usize, j: usize| (c[i * k + i] + c[j * k + j] - 2.0 * c[i * k + j]).max(0.0).sqrt();
    Ok(Theory { independent: (0..k).map(|i| (0..k).map(|j| independent(i, j)).collect()).collect(), psi, shape, g })
}

/// Of exponential averages from each state to the next: sample n of N has moved -ln <exp(-w)> by -(exp(-w_n)/<exp(-w)> - 1)/N.
pub(super) fn one_sided(part: &Part<'_>, links: &[Delta], g: f64) -> Theory {
    let (k, shape) = (part.states(), part.shape());
    let mut psi = vec![vec![0.0; shape.moments()]];
    for (i, link) in links.iter().enumerate() {
        let works = part.works(i, i + 1);
        let n = works.len() as f64;
        let phi: Vec<f64> = works.iter().map(|w| (1.0 - Real::exp(link.value - w)) / n).collect();
        psi.push(next(part, &psi[i], &[(i, &phi)]));
    }
    let variance = |i: usize, j: usize| links[i.min(j)..i.max(j)].iter().map(|l| l.stderr * l.stderr).sum::<f64>();
    Theory { independent: (0..k).map(|i| (0..k).map(|j| variance(i, j).sqrt()).collect()).collect(), psi, shape, g }
}

/// The moments of the next point: of the one before, and what the frames at some states have added, (state, phi).
fn next(part: &Part<'_>, before: &[f64], added: &[(usize, &Vec<f64>)]) -> Vec<f64> {
    let mut psi = before.to_vec();
    for (state, phi) in added {
        part.moments_at(*state).into_iter().zip(*phi).for_each(|(m, phi)| psi[m] += phi);
    }
    psi
}

/// Of integration, points as in the profile. A rule is linear in the means, and what it makes of one of them alone is its weight.
pub(super) fn integrated(part: &Part<'_>, ti: &Ti, g: f64) -> Answer<Theory> {
    let (k, shape, points) = (part.states(), part.shape(), ti.profile.len());
    let lambda: Vec<f64> = part.read.states.iter().map(|t| t.lambda).collect();
    let mut psi = vec![vec![0.0; shape.moments()]; points];
    for i in 0..k {
        let alone: Vec<f64> = (0..k).map(|j| f64::from(u8::from(i == j))).collect();
        let weights = thermodynamic_integration(&Gradients::new(1, &lambda, &alone, &vec![0.0; k])?, ti.rule)?.profile;
        let values = part.at_state(i, |r, d| part.read.gradient_of(r, d));
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        for (m, v) in part.moments_at(i).into_iter().zip(values) {
            psi.iter_mut().zip(&weights).for_each(|(psi, w)| psi[m] += w * (v - mean) / n);
        }
    }
    let independent = (0..points).map(|i| (0..points).map(|j| ti.delta(i, j).1 / g.sqrt()).collect()).collect();
    Ok(Theory { independent, psi, shape, g })
}
