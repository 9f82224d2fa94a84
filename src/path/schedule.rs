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

/// What the population weighs further along, with as few evaluations as that takes.
struct Ahead<'a, S: State> {
    target: &'a dyn Target<S>,
    ens: &'a Ensemble<S>,
    knots: &'a [Thermo],
    /// Reduced energies where it is.
    here: &'a [f64],
    /// Of energies linear in lambda: those at a second lambda, once it was needed.
    second: Option<(f64, Vec<f64>)>,
    calls: u64,
}

impl<S: State> Ahead<'_, S> {
    /// Reduced energies at `s` of the way: at another beta of known energies, between two known ones where they are linear in lambda,
    /// or evaluated.
    fn at(&mut self, s: f64, u: &mut [f64]) -> Result<()> {
        let (from, to) = (self.ens.thermo()[0], at(self.knots, s));
        let same = from.lambda.to_bits() == to.lambda.to_bits();
        if !self.target.is_boltzmann() || !(same || self.target.linear()) {
            self.calls += 1;
            return self.target.reduced(self.ens.state(), &vec![to; u.len()], u);
        }
        if same {
            for (u, here) in u.iter_mut().zip(self.here) {
                *u = here / from.beta * to.beta;
            }
            return Ok(());
        }
        if self.second.is_none() {
            // anywhere along lambda; the end is where a base need not be evaluated
            let end = self.knots.iter().rev().map(|k| k.lambda).find(|l| *l != from.lambda).unwrap_or(to.lambda);
            let mut there = vec![0.0; u.len()];
            self.target.reduced(self.ens.state(), &vec![Thermo { lambda: end, ..from }; u.len()], &mut there)?;
            self.calls += 1;
            self.second = Some((end, there));
        }
        let Some((end, there)) = &self.second else { return Ok(()) };
        let t = (to.lambda - from.lambda) / (end - from.lambda);
        for (r, u) in u.iter_mut().enumerate() {
            // an end with the coefficient 0 does not count, be it infinite
            let mixed = if t == 1.0 { there[r] } else { (1.0 - t).mul_add(self.here[r], t * there[r]) };
            *u = mixed / from.beta * to.beta;
        }
        Ok(())
    }
}

/// A place is near enough to the farthest one when the model puts that no farther than this share of the stride.
const NEAR: f64 = 0.01;

/// The farthest place beyond `from` where the conditional effective sample size
///
///   (sum_i W_i g_i)^2 / sum_i W_i g_i^2,   g_i = exp(u_from(x_i) - u_s(x_i)),   W_i the normalised weights
///
/// is at least `ess`, to one part in a hundred of the stride; and how many times the batch was evaluated for it. The last `stride` is
/// tried first, then where its logarithm, which falls as the square of the stride, says.
/// `here` are the reduced energies of the ensemble as it is.
/// Source: Zhou, Johansen and Aston, J. Comput. Graph. Stat. 25, 701 (2016), section 3.3.
pub(super) fn next<S: State>(
    target: &dyn Target<S>,
    ens: &Ensemble<S>,
    here: &[f64],
    knots: &[Thermo],
    (from, stride): (f64, f64),
    ess: f64,
) -> Result<(f64, u64)> {
    let mut ahead = Ahead { target, ens, knots, here, second: None, calls: 0 };
    let mut there = vec![0.0; here.len()];
    let (mut near, mut far) = (from, f64::INFINITY);
    let mut s = if stride > 0.0 { (from + stride).min(1.0) } else { 1.0 };
    loop {
        ahead.at(s, &mut there)?;
        let found = conditional(&ens.log_w, here, &there);
        // the stride that the model asks for, in units of this one
        let factor = if found > 0.0 && found < 1.0 { (Real::ln(ess) / Real::ln(found)).sqrt() } else { f64::NAN };
        if found >= ess {
            if s >= 1.0 || factor < 1.0 + NEAR {
                return Ok((s, ahead.calls));
            }
            near = s;
        } else {
            far = s;
        }
        if far - near <= NEAR * (near - from) || far - from < SHORTEST {
            break;
        }
        let guess = from + (s - from) * factor * (1.0 - 0.5 * NEAR);
        let most = if far.is_finite() { 0.5 * (near + far) } else { (from + 4.0 * (near - from)).min(1.0) };
        let inside = guess > near && guess < far && guess <= from + 4.0 * (s - from);
        s = if inside { guess.min(1.0) } else { most };
    }
    if near <= from {
        return Err(Error::run(
            format!("no step from {from} of the way keeps a conditional effective sample size of {ess}"),
            "the energies there are not finite for most replicas: start the path with a soft-core or a lower beta",
        ));
    }
    Ok((near, ahead.calls))
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
