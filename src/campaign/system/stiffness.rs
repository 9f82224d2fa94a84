//! The fastest vibration of a system at its start.

use crate::energy::Potential;
use crate::real::Octet;

/// Largest angular frequency about `x`: the square root of the largest |eigenvalue| of M^-1/2 H M^-1/2, by power
/// iteration, H v by central differences of the force. None when forces there are not finite or there is no curvature.
pub(super) fn omega_max(potential: &dyn Potential, masses: &[f64], x: &[f64]) -> Option<(f64, String)> {
    let dof = x.len();
    let scale = 1.0 + x.iter().fold(0.0, |a: f64, v| a.max(v.abs()));
    let h = 1e-5 * scale;
    let (mut octets, mut f) = (vec![Octet::of(0.0); dof], vec![Octet::of(0.0); dof]);
    let mut v: Vec<f64> = (0..dof).map(|i| 1.0 - 0.61803398875 * (i % 7) as f64).collect();
    let mut largest = 0.0;
    for _ in 0..60 {
        let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        if !norm.is_finite() || norm == 0.0 {
            return None;
        }
        for i in 0..dof {
            let step = h * v[i] / norm / masses[i].sqrt();
            octets[i] = Octet::of(x[i] + step);
            octets[i].0[1] = x[i] - step;
        }
        potential.eval_block(&octets, Octet::of(1.0), &mut f, None);
        for i in 0..dof {
            v[i] = (f[i].0[1] - f[i].0[0]) / (2.0 * h) / masses[i].sqrt();
        }
        largest = v.iter().map(|v| v * v).sum::<f64>().sqrt();
    }
    let omega = largest.max(0.0).sqrt();
    (omega.is_finite() && omega > 0.0).then(|| (omega, "largest curvature at the start".to_owned()))
}
