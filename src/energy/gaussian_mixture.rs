//! Mixtures of Gaussians.

use super::Energy;
use super::formula::{Built, Formula, Kind, Parameter, Parameters};
use crate::Result;
use crate::real::Real;

/// U = -ln sum_k w_k N(x; m_k, C_k), weights normalised: log Z = 0 at beta = 1.
///
/// The sum is taken relative to its largest term, so that U is right far from all modes. Shapes: means `[component, d]`;
/// `whiten` holds, for each component, the lower triangle of the inverse Cholesky factor of C_k, row by row.
#[derive(Clone, Debug)]
pub struct GaussianMixture {
    dimension: usize,
    means: Vec<f64>,
    /// ln w_k - ln det(2 pi C_k) / 2.
    offsets: Vec<f64>,
    whiten: Vec<f64>,
}

/// The formula by name.
pub const FORMULA: Formula = Formula {
    name: "gaussian_mixture",
    equation: "U = -ln sum_k w_k N(x; m_k, C_k)",
    paper: "",
    parameters: &[
        Parameter::required("means", Kind::Rows, "means m_k, one row for each component"),
        Parameter::optional("weights", Kind::List, "weights w_k, normalised to 1 by us; left out: all equal"),
        Parameter::optional("scale", Kind::Positive, "standard deviation of every component in every direction"),
        Parameter::optional("covariances", Kind::Rows, "instead of scale: covariances C_k, one row of d x d numbers for each component"),
    ],
    build,
};

fn build(p: &Parameters) -> Result<Built> {
    let means = p.rows("means")?;
    let (n, d) = (means.len(), means[0].len());
    let weights = if p.has("weights") { p.list("weights")? } else { vec![1.0; n] };
    if weights.len() != n || weights.iter().any(|w| *w <= 0.0) {
        return Err(p.unfit("weights", &format!("must be {n} numbers above 0, one for each mean")));
    }
    let covariances = match (p.has("scale"), p.has("covariances")) {
        (true, false) => {
            let variance = p.number("scale")? * p.number("scale")?;
            let mut c = vec![0.0; d * d];
            for i in 0..d {
                c[i * d + i] = variance;
            }
            vec![c; n]
        }
        (false, true) => p.rows("covariances")?,
        _ => return Err(p.unfit("scale", "must be given, or `covariances`, and not both")),
    };
    if covariances.len() != n || covariances[0].len() != d * d {
        return Err(p.unfit("covariances", &format!("must be {n} rows of {} numbers", d * d)));
    }
    let mixture = GaussianMixture::new(&means, &weights, &covariances);
    let mixture = mixture.ok_or_else(|| p.unfit("covariances", "has a matrix that is not symmetric and positive definite"))?;
    Ok(Built::of(mixture, 1, d))
}

const LN_2PI: f64 = 1.8378770664093453;

impl GaussianMixture {
    /// Of means `[k][d]`, weights above 0, and covariances `[k][d * d]`; none if one is not symmetric positive definite.
    pub fn new(means: &[Vec<f64>], weights: &[f64], covariances: &[Vec<f64>]) -> Option<Self> {
        let d = means.first()?.len();
        let total: f64 = weights.iter().sum();
        let (mut offsets, mut whiten) = (Vec::new(), Vec::new());
        for (c, w) in covariances.iter().zip(weights) {
            let l = inverse_cholesky(c, d)?;
            let mut offset = Real::ln(w / total) - 0.5 * LN_2PI * d as f64;
            for i in 0..d {
                offset += Real::ln(l[i * (i + 1) / 2 + i]);
            }
            offsets.push(offset);
            whiten.extend(l);
        }
        Some(GaussianMixture { dimension: d, means: means.concat(), offsets, whiten })
    }

    /// ln w_k N(x; m_k, C_k) = offset_k - |L_k^-1 (x - m_k)|^2 / 2.
    #[inline(always)]
    fn log_term<T: Real>(&self, k: usize, x: &[T]) -> T {
        let d = self.dimension;
        let mean = &self.means[k * d..(k + 1) * d];
        let whiten = &self.whiten[k * (d * (d + 1) / 2)..];
        let mut sum = T::of(0.0);
        for i in 0..d {
            let mut z = T::of(0.0);
            for j in 0..=i {
                z = T::of(whiten[i * (i + 1) / 2 + j]).mul_add(x[j] - T::of(mean[j]), z);
            }
            sum = z.mul_add(z, sum);
        }
        T::of(-0.5).mul_add(sum, T::of(self.offsets[k]))
    }
}

/// The inverse of the Cholesky factor of a symmetric matrix, `[d (d + 1) / 2]`; none if it is not positive definite.
fn inverse_cholesky(c: &[f64], d: usize) -> Option<Vec<f64>> {
    let at = |i: usize, j: usize| i * (i + 1) / 2 + j;
    let (mut l, mut inverse) = (vec![0.0; at(d, 0)], vec![0.0; at(d, 0)]);
    for i in 0..d {
        for j in 0..=i {
            if (c[i * d + j] - c[j * d + i]).abs() > 1e-12 * (c[i * d + j].abs() + c[j * d + i].abs()) {
                return None;
            }
            let mut sum = c[i * d + j];
            for k in 0..j {
                sum -= l[at(i, k)] * l[at(j, k)];
            }
            l[at(i, j)] = if i == j { sum.sqrt() } else { sum / l[at(j, j)] };
        }
        if !(l[at(i, i)].is_finite() && l[at(i, i)] > 0.0) {
            return None;
        }
        for j in 0..=i {
            let mut sum = if i == j { 1.0 } else { 0.0 };
            for k in j..i {
                sum -= l[at(i, k)] * inverse[at(k, j)];
            }
            inverse[at(i, j)] = sum / l[at(i, i)];
        }
    }
    Some(inverse)
}

impl Energy for GaussianMixture {
    fn dof(&self) -> usize {
        self.dimension
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let d = self.dimension;
        let mut largest = T::of(-f64::MAX); // finite, so that the energy of a point at infinity is +inf
        for k in 0..self.offsets.len() {
            largest = largest.max(self.log_term(k, x));
        }
        for i in 0..d {
            f[i] = T::of(0.0);
        }
        let mut sum = T::of(0.0);
        for k in 0..self.offsets.len() {
            let p = (self.log_term(k, x) - largest).exp();
            sum += p;
            let mean = &self.means[k * d..(k + 1) * d];
            let whiten = &self.whiten[k * (d * (d + 1) / 2)..];
            for i in 0..d {
                let mut z = T::of(0.0);
                for j in 0..=i {
                    z = T::of(whiten[i * (i + 1) / 2 + j]).mul_add(x[j] - T::of(mean[j]), z);
                }
                let pz = -(p * z);
                for j in 0..=i {
                    f[j] = T::of(whiten[i * (i + 1) / 2 + j]).mul_add(pz, f[j]);
                }
            }
        }
        let per_sum = sum.recip();
        for i in 0..d {
            f[i] *= per_sum;
        }
        -(largest + sum.ln())
    }
}
