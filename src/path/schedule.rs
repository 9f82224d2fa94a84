//! The next level of an adaptive schedule.

use super::Target;
use crate::batch::{Ensemble, State, Thermo};
use crate::real::Real;
use crate::{Error, Result};

/// The knobs at `s` of the way along the knots, all pieces being equally long.
pub(super) fn at(knots: &[Thermo], s: f64) -> Thermo {
    let pieces = knots.len() - 1;
    let place = s * pieces as f64;
    let piece = (place as usize).min(pieces - 1);
    let (a, b, t) = (knots[piece], knots[piece + 1], place - piece as f64);
    if t >= 1.0 {
        return b;
    }
    Thermo { beta: (b.beta - a.beta).mul_add(t, a.beta), lambda: (b.lambda - a.lambda).mul_add(t, a.lambda), state: a.state }
}

/// A stride that gets nowhere.
const SHORTEST: f64 = 1e-12;

/// The farthest place beyond `from` where the conditional effective sample size
///
///   (sum_i W_i g_i)^2 / sum_i W_i g_i^2,   g_i = exp(u_from(x_i) - u_s(x_i)),   W_i the normalised weights
///
/// is at least `ess`, to one part in a hundred of the stride; and how many times the batch was evaluated for it. Twice the
/// last `stride` is tried first.
/// Source: Zhou, Johansen and Aston, J. Comput. Graph. Stat. 25, 701 (2016), section 3.3.
pub(super) fn next<S: State>(
    target: &dyn Target<S>,
    ens: &Ensemble<S>,
    knots: &[Thermo],
    from: f64,
    stride: f64,
    ess: f64,
) -> Result<(f64, u64)> {
    let n = ens.replicas();
    let (mut here, mut there) = (vec![0.0; n], vec![0.0; n]);
    target.reduced(ens.state(), ens.thermo(), &mut here)?;
    let mut tries = 1;
    let mut enough = |s: f64| -> Result<bool> {
        tries += 1;
        target.reduced(ens.state(), &vec![at(knots, s); n], &mut there)?;
        Ok(conditional(&ens.log_w, &here, &there) >= ess)
    };
    let (mut near, mut far) = (from, if stride > 0.0 { (from + 2.0 * stride).min(1.0) } else { 1.0 });
    while enough(far)? {
        if far >= 1.0 {
            return Ok((1.0, tries));
        }
        near = far;
        far = (from + 2.0 * (far - from)).min(1.0);
    }
    while far - near > 0.01 * (near - from) {
        if far - from < SHORTEST {
            break;
        }
        let middle = 0.5 * (near + far);
        if enough(middle)? { near = middle } else { far = middle }
    }
    if near <= from {
        return Err(Error::run(
            format!("no step from {from} of the way keeps a conditional effective sample size of {ess}"),
            "the energies there are not finite for most replicas: start the path with a soft-core or a lower beta",
        ));
    }
    Ok((near, tries))
}

/// The conditional effective sample size, a share of 1; 0 where nothing has weight.
fn conditional(log_w: &[f64], here: &[f64], there: &[f64]) -> f64 {
    let (mut most, mut most_g) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for r in 0..log_w.len() {
        most = Real::max(most, log_w[r]);
        if log_w[r] > f64::NEG_INFINITY {
            most_g = Real::max(most_g, here[r] - there[r]);
        }
    }
    if most_g == f64::NEG_INFINITY {
        return 0.0;
    }
    let (mut total, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for r in 0..log_w.len() {
        if log_w[r] == f64::NEG_INFINITY {
            continue;
        }
        let w = Real::exp(log_w[r] - most);
        total += w;
        let log_g = here[r] - there[r] - most_g;
        if log_g.is_nan() {
            continue;
        }
        let g = Real::exp(log_g);
        sum += w * g;
        squares += w * g * g;
    }
    sum * sum / (squares * total)
}
