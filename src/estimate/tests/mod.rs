//! Tests of the estimators against other programs, against exact answers, and of their coverage.

mod basins;
mod coverage;
mod inefficiencies;
mod integration;
mod limits;
mod references;
mod stability;
mod surfaces;
mod weighted;
mod work;

use super::Series;
use super::normal_quantile;

/// SplitMix64: one line of integer arithmetic that Python repeats bit for bit.
pub(super) struct SplitMix(pub(super) u64);

impl SplitMix {
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 * 2f64.powi(-53)
    }

    pub(super) fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform() + 2f64.powi(-54))
    }
}

/// Stationary AR(1) chains of unit variance, x' = rho x + sqrt(1 - rho^2) xi: exact tau = (1 + rho) / (2 (1 - rho)).
pub(super) fn ar1(seed: u64, replicas: usize, draws: usize, rho: f64) -> Vec<f64> {
    let mut rng = SplitMix(seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(77));
    let step = (1.0 - rho * rho).sqrt();
    let mut out = Vec::with_capacity(replicas * draws);
    for _ in 0..replicas {
        let mut x = rng.normal();
        for _ in 0..draws {
            out.push(x);
            x = rho * x + step * rng.normal();
        }
    }
    out
}

/// Mean and standard error of independent values, as a z against an exact answer.
pub(super) fn z_of(values: &[f64], exact: f64) -> f64 {
    let n = values.len() as f64;
    assert!(n >= 32.0, "a z needs 32 independent replicas");
    let mean = values.iter().sum::<f64>() / n;
    let spread = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    (mean - exact) / (spread / n).sqrt()
}

pub(super) fn series(values: &[f64], replicas: usize) -> Series<'_> {
    Series::new(values, replicas).unwrap()
}
