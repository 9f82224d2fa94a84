//! Step-size adaptation during a declared warm-up.

use crate::Result;
use crate::batch::{Resume, Snapshot};
use crate::real::Real;

/// Dual averaging of the logarithm of the step towards a target acceptance.
///
///   H_t = (1 - 1/(t + t0)) H_t-1 + (target - alpha_t)/(t + t0)
///   ln dt_t = mu - sqrt(t)/g H_t,   ln dt_bar_t = t^-kappa ln dt_t + (1 - t^-kappa) ln dt_bar_t-1
///
/// with g = 0.05, t0 = 10, kappa = 0.75, mu = ln(10 dt_0). alpha_t is the acceptance probability averaged over all replicas
/// that are well, in the order of the replicas: one step for the whole batch, the same for any number of threads.
/// Source: Hoffman and Gelman, J. Mach. Learn. Res. 15, 1593 (2014), section 3.2.
#[derive(Clone, Debug, PartialEq)]
pub struct DualAveraging {
    target: f64,
    mu: f64,
    count: u64,
    error: f64,
    log_step: f64,
    log_mean: f64,
}

impl DualAveraging {
    /// Starts at `step`.
    pub fn new(step: f64, target: f64) -> Self {
        let log_step = Real::ln(step);
        DualAveraging { target, mu: Real::ln(10.0 * step), count: 0, error: 0.0, log_step, log_mean: log_step }
    }

    /// Learns from one step's acceptance probability.
    pub fn update(&mut self, acceptance: f64) {
        const SHRINK: f64 = 0.05;
        const DELAY: f64 = 10.0;
        const FORGET: f64 = 0.75;
        self.count += 1;
        let t = self.count as f64;
        let eta = 1.0 / (t + DELAY);
        self.error = (1.0 - eta) * self.error + eta * (self.target - acceptance);
        self.log_step = self.mu - t.sqrt() / SHRINK * self.error;
        let weight = Real::exp(-FORGET * Real::ln(t));
        self.log_mean = weight * self.log_step + (1.0 - weight) * self.log_mean;
    }

    /// The step to try next.
    pub fn step(&self) -> f64 {
        Real::exp(self.log_step)
    }

    /// The averaged step, to be kept when the warm-up ends.
    pub fn mean(&self) -> f64 {
        Real::exp(self.log_mean)
    }

    /// Updates so far.
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl Resume for DualAveraging {
    fn save(&self, to: &mut Snapshot) {
        to.put("count", self.count);
        to.put("error", self.error);
        to.put("log_step", self.log_step);
        to.put("log_mean", self.log_mean);
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.count = from.u64("count")?;
        self.error = from.f64("error")?;
        self.log_step = from.f64("log_step")?;
        self.log_mean = from.f64("log_mean")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With acceptance e^-step the target is met at step = -ln(target).
    #[test]
    fn finds_the_step_of_the_target() {
        let mut a = DualAveraging::new(0.01, 0.8);
        for _ in 0..2000 {
            let acceptance = Real::exp(-a.step());
            a.update(acceptance);
        }
        assert!((a.mean() / -Real::ln(0.8) - 1.0).abs() < 0.01, "{}", a.mean());
    }

    #[test]
    fn a_snapshot_continues() {
        let mut a = DualAveraging::new(0.1, 0.8);
        a.update(0.3);
        let mut s = Snapshot::default();
        a.save(&mut s);
        let mut b = DualAveraging::new(0.1, 0.8);
        b.load(&s).unwrap();
        assert_eq!(a, b);
    }
}
