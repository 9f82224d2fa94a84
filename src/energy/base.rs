//! A normalised density that can be drawn from exactly: the start of a path.

use super::harmonic::Harmonic;
use super::{Batched, Potential};
use crate::batch::Coords;
use crate::real::Real;
use crate::stream::Stream;
use crate::{Error, Result};
use std::f64::consts::TAU;
use std::sync::Arc;

/// p_0(x) = prod_i exp(-(x_i - m_i)^2 / (2 s_i^2)) / (s_i sqrt(2 pi)).
///
/// Its reduced energy is u_0(x) = sum_i (x_i - m_i)^2 / (2 s_i^2), whose log Z_0 = sum_i ln(s_i sqrt(2 pi)) is [`GaussianBase::log_z`]:
/// log p_0 = -u_0 - log Z_0.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianBase {
    mean: Vec<f64>,
    sd: Vec<f64>,
}

impl GaussianBase {
    /// Mean and standard deviation of each degree of freedom, both `[dof]`.
    ///
    /// # Errors
    /// `Error::Shape` unless both have the same length; `Error::Input` unless means are finite and deviations finite and above 0.
    pub fn new(mean: Vec<f64>, sd: Vec<f64>) -> Result<Self> {
        if mean.len() != sd.len() {
            return Err(Error::Shape { what: "standard deviations of the base", expected: mean.len(), found: sd.len() });
        }
        for (i, (m, s)) in mean.iter().zip(&sd).enumerate() {
            if !m.is_finite() || !(s.is_finite() && *s > 0.0) {
                let what = format!("the base has mean {m} and standard deviation {s} in coordinate {i}");
                return Err(Error::input(what, "give finite means and standard deviations above 0"));
            }
        }
        Ok(GaussianBase { mean, sd })
    }

    /// The same standard deviation everywhere.
    ///
    /// # Errors
    /// As [`GaussianBase::new`].
    pub fn isotropic(mean: Vec<f64>, sd: f64) -> Result<Self> {
        let n = mean.len();
        Self::new(mean, vec![sd; n])
    }

    /// Degrees of freedom.
    pub fn dof(&self) -> usize {
        self.mean.len()
    }

    /// Means, `[dof]`.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Standard deviations, `[dof]`.
    pub fn sd(&self) -> &[f64] {
        &self.sd
    }

    /// ln of the integral of exp(-u_0).
    pub fn log_z(&self) -> f64 {
        let mut log_z = 0.5 * self.dof() as f64 * Real::ln(TAU);
        for s in &self.sd {
            log_z += Real::ln(*s);
        }
        log_z
    }

    /// u_0(x) = sum (x - m)^2 / (2 s^2).
    pub fn reduced(&self, x: &[f64]) -> f64 {
        let mut sum = 0.0;
        for ((x, m), s) in x.iter().zip(&self.mean).zip(&self.sd) {
            let z = (x - m) / s;
            sum += z * z;
        }
        0.5 * sum
    }

    /// log p_0(x), normalised.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        -self.reduced(x) - self.log_z()
    }

    /// Independent exact draws, one for each of `replicas`: the numbers of (step, replica) in `stream`.
    pub fn draw(&self, replicas: usize, stream: &Stream, step: u64) -> Coords {
        let mut x = Coords::zeros(replicas, self.dof());
        let mut row = vec![0.0; self.dof()];
        for r in 0..replicas {
            stream.normals::<f64>(step, r as u32, &mut row);
            for ((x, m), s) in row.iter_mut().zip(&self.mean).zip(&self.sd) {
                *x = x.mul_add(*s, *m);
            }
            x.set_row(r, &row);
        }
        x
    }

    /// The potential whose Boltzmann density at `beta` is p_0: U_0 = sum (x - m)^2 / (2 beta s^2), so that beta U_0 = u_0.
    ///
    /// # Errors
    /// `Error::Input` unless beta is finite and above 0.
    pub fn potential(&self, beta: f64) -> Result<Arc<dyn Potential>> {
        if !(beta.is_finite() && beta > 0.0) {
            return Err(Error::input(format!("a Gaussian base at beta = {beta}"), "give a beta above 0"));
        }
        let k = self.sd.iter().map(|s| 1.0 / (beta * s * s)).collect();
        Ok(Arc::new(Batched(Harmonic { k, centre: self.mean.clone() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Purpose, Root};

    fn base() -> GaussianBase {
        GaussianBase::new(vec![1.0, -2.0, 0.5], vec![0.5, 2.0, 1.0]).unwrap()
    }

    #[test]
    fn the_density_is_normalised_and_its_potential_is_the_same() {
        let b = base();
        // a product of midpoint rules of one factor each: exp(log p) over a grid of 12 standard deviations
        let mut log_integral = 0.0;
        for (m, s) in b.mean.iter().zip(&b.sd) {
            let one = GaussianBase::new(vec![*m], vec![*s]).unwrap();
            let h = s * 12.0 / 400.0;
            let sum: f64 = (0..400).map(|i| Real::exp(one.log_density(&[m - 6.0 * s + (f64::from(i) + 0.5) * h]))).sum();
            log_integral += Real::ln(sum * h);
        }
        assert!(log_integral.abs() < 1e-8, "{log_integral:e}");
        let (x, beta) = ([0.3, 1.7, -0.2], 0.7);
        let mut f = [0.0; 3];
        let u = b.potential(beta).unwrap().eval_one(&x, 0.3, &mut f, &mut [0.0]);
        assert!((beta * u - b.reduced(&x)).abs() < 1e-14);
        assert!((beta * f[1] + (x[1] + 2.0) / 4.0).abs() < 1e-15);
    }

    /// 4000 replicas: a mean off by 0.07 standard deviations is seen at z = 4; a base of twice the width fails.
    #[test]
    fn draws_have_its_moments() {
        let b = base();
        let n = 4000;
        let x = b.draw(n, &Root::new(7, "base", "").stream(0, Purpose::Start), 0);
        for d in 0..3 {
            let z: Vec<f64> = (0..n).map(|r| (x.get(r, d) - b.mean[d]) / b.sd[d]).collect();
            let (first, second) = (z.iter().sum::<f64>() / n as f64, z.iter().map(|z| z * z).sum::<f64>() / n as f64);
            let z_of = |value: f64, exact: f64, variance: f64| (value - exact) / (variance / n as f64).sqrt();
            assert!(z_of(first, 0.0, 1.0).abs() < 4.0 && z_of(second, 1.0, 2.0).abs() < 4.0, "{first} {second}");
            assert!(z_of(second / 4.0, 1.0, 2.0).abs() > 8.0, "twice the width passes");
        }
    }

    #[test]
    fn what_is_no_density_is_refused() {
        assert!(GaussianBase::new(vec![0.0], vec![]).is_err());
        assert!(GaussianBase::isotropic(vec![0.0], 0.0).unwrap_err().to_string().contains("above 0"));
        assert!(GaussianBase::isotropic(vec![f64::NAN], 1.0).is_err());
        assert!(base().potential(0.0).is_err());
    }
}
