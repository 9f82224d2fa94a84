//! Errors of the estimators over a ladder, whose frames are correlated in time and across its states.

use super::Answer;
use super::part::Part;
use crate::campaign::copies::larger;
use crate::estimate::{CovarianceMethod, Gradients, Mbar, Ti, Works, bar_chain, thermodynamic_integration};

/// Errors of f_j - f_i by MBAR: of independent frames, or of the moments of the copies if they are larger; those of a state that no frame
/// was at by the inefficiency g of the others.
pub(super) fn fitted(part: &Part<'_>, fit: &Mbar<'_>, g: f64) -> Vec<Vec<f64>> {
    let (k, influences, covariance) = (part.states(), fit.influences(), fit.covariance(CovarianceMethod::Asymptotic));
    let shape = part.shape();
    let correlated = shape.errors(&shape.sums(&influences.phi, influences.states.len()));
    let error = |i: usize, j: usize| {
        let (independent, of) = (covariance.stderr(i, j), |k: usize| influences.states.binary_search(&k));
        match (of(i), of(j)) {
            (Ok(a), Ok(b)) => larger(independent, correlated[a][b]),
            _ => independent * g.sqrt(),
        }
    };
    (0..k).map(|i| (0..k).map(|j| error(i, j)).collect()).collect()
}

/// Errors of f_j - f_i by BAR from neighbour to neighbour, which share the samples of the state between them: of independent frames, or
/// of the moments of the copies if they are larger.
pub(super) fn chained(part: &Part<'_>) -> Answer<Vec<Vec<f64>>> {
    let (k, shape) = (part.states(), part.shape());
    let works = |i: usize, j: usize| {
        let work = part.works(i, j);
        Works { sample: (0..work.len()).collect(), work }
    };
    let links: Vec<(Works, Works)> = (0..k - 1).map(|i| (works(i, i + 1), works(i + 1, i))).collect();
    let chain = bar_chain(&links).map_err(|(_, why)| why)?;
    let mut psi = vec![vec![0.0; shape.moments()]];
    for (i, (forward, reverse)) in chain.influences.iter().enumerate() {
        let mut next = psi[i].clone();
        for (k, phi) in [(i, forward), (i + 1, reverse)] {
            part.moments_at(k).into_iter().zip(phi).for_each(|(m, phi)| next[m] += phi);
        }
        psi.push(next);
    }
    let (c, correlated) = (chain.f_k_covariance(), shape.errors(&psi));
    let independent = |i: usize, j: usize| (c[i * k + i] + c[j * k + j] - 2.0 * c[i * k + j]).max(0.0).sqrt();
    Ok((0..k).map(|i| (0..k).map(|j| larger(independent(i, j), correlated[i][j])).collect()).collect())
}

/// Errors of F_j - F_i by integration, points as in the profile: of independent frames, or of the moments of the copies if they are
/// larger. A rule is linear in the means, and what it makes of one of them alone is its weight.
pub(super) fn integrated(part: &Part<'_>, ti: &Ti, g: f64) -> Answer<Vec<Vec<f64>>> {
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
    let correlated = shape.errors(&psi);
    Ok((0..points).map(|i| (0..points).map(|j| larger(ti.delta(i, j).1 / g.sqrt(), correlated[i][j])).collect()).collect())
}
