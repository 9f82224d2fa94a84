//! Bennett's acceptance ratio: a free-energy difference from work in both directions.

use super::exponential::{Delta, check};
use super::free_energy_error::FreeEnergyError;
use super::value::{Warning, WarningKind, stderr_of};
use crate::real::{Lanewise, Octet, Real, Wide, dispatch};

/// What [`bar`] answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// F_1 - F_0 in kT.
    pub delta_f: f64,
    /// Its standard error by Bennett's formula (10a), that of the acceptance ratios.
    pub stderr: f64,
    /// Its standard error as a two-state MBAR; the two differ only where overlap is poor.
    pub stderr_mbar: f64,
    /// Overlap of the two states, in [0, 1]: 1 less the second eigenvalue of the overlap matrix.
    pub overlap: f64,
    /// Effective samples that the states share: `sum_n p_0(n) p_1(n)`. Below about ten the errors are not to be trusted.
    pub shared: f64,
    /// Iterations of the root finder.
    pub iterations: usize,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

impl Bar {
    /// Value and error (Bennett's) with the shared samples as sample size.
    pub fn delta(&self) -> Delta {
        Delta { value: self.delta_f, stderr: self.stderr, n_eff: self.shared, warnings: self.warnings.clone() }
    }
}

/// Shared samples below which there is no number, and below which there is a warning.
pub(super) const SHARED_NEEDED: f64 = 2.0;
pub(super) const SHARED_TRUSTED: f64 = 10.0;

/// Free-energy difference from work in both directions, all in kT.
///
///   sum_F 1/(1 + e^(M + w_F - dF)) = sum_R 1/(1 + e^(-M + w_R + dF)),   M = ln(N_F / N_R)
///
/// `w_f`: work 0 -> 1 drawn in state 0; `w_r`: work 1 -> 0 drawn in state 1; independent values, +inf allowed (a move that cannot
/// be). With energies: w_F = u_1 - u_0, w_R = u_0 - u_1; with switching: dissipative work both ways (Crooks).
/// The logarithm of the ratio of the sums is monotone in dF and nearly linear: Newton inside a bracket.
///
/// Errors: no values on a side, NaN or -inf, and `Disconnected` when fewer than two effective samples are shared. Warns below ten.
/// Source: Bennett, J. Comput. Phys. 22, 245 (1976); Shirts, Bair, Hooker and Pande, Phys. Rev. Lett. 91, 140601 (2003).
pub fn bar(w_f: &[f64], w_r: &[f64]) -> Result<Bar, FreeEnergyError> {
    let bar = bar_unjudged(w_f, w_r)?;
    if bar.shared < SHARED_NEEDED {
        return Err(disconnected(bar.shared));
    }
    Ok(bar)
}

fn disconnected(shared: f64) -> FreeEnergyError {
    FreeEnergyError::Disconnected { groups: vec![vec!["start".to_owned()], vec!["end".to_owned()]], shared }
}

/// [`bar`] however little the two sides share; `Disconnected` only where the equation has no root in double precision.
pub(super) fn bar_unjudged(w_f: &[f64], w_r: &[f64]) -> Result<Bar, FreeEnergyError> {
    check(w_f, "the forward work")?;
    check(w_r, "the reverse work")?;
    let (n_f, n_r) = (w_f.len() as f64, w_r.len() as f64);
    let m = Real::ln(n_f / n_r);
    let sides = |delta: f64| [dispatch(Fermi { w: w_f, shift: m - delta }), dispatch(Fermi { w: w_r, shift: delta - m })];
    // h(dF) = ln sum_F - ln sum_R rises with dF, with a slope between 0 and 2.
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut delta = start(w_f, w_r);
    let mut iterations = 0;
    let [f, r] = loop {
        let [f, r] = sides(delta);
        iterations += 1;
        if f.first <= 0.0 && r.first <= 0.0 {
            return Err(disconnected(0.0));
        }
        let h = Real::ln(f.first) - Real::ln(r.first);
        if h > 0.0 {
            high = delta
        } else {
            low = delta
        }
        // f (1 - f) = f - f^2
        let slope = (f.first - f.second) / f.first + (r.first - r.second) / r.first;
        let step = -h / slope;
        if step.abs() <= 1e-14 * delta.abs().max(1.0) || iterations == 200 {
            break [f, r];
        }
        let newton = delta + if step.is_finite() { step.clamp(-100.0, 100.0) } else { -100.0 * h.signum() };
        delta = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
    };
    let nrat = 1.0 / n_f + 1.0 / n_r;
    // <f^2>/<f>^2 / N = sum f^2 / (sum f)^2
    let bennett = f.second / (f.first * f.first) + r.second / (r.first * r.first) - nrat;
    let shared = (f.first - f.second) + (r.first - r.second);
    let mut warnings = Vec::new();
    if shared < SHARED_TRUSTED {
        let message = format!("the two states share only {shared:.1} effective samples: value and error rest on a handful of them");
        warnings.push(Warning::new(WarningKind::PoorOverlap, message));
    }
    Ok(Bar {
        delta_f: delta,
        stderr: stderr_of(bennett),
        stderr_mbar: stderr_of(1.0 / shared - nrat),
        overlap: shared * nrat,
        shared,
        iterations,
        warnings,
    })
}

/// Half-way between the two one-sided medians.
fn start(w_f: &[f64], w_r: &[f64]) -> f64 {
    let median = |w: &[f64]| {
        let mut finite: Vec<f64> = w.iter().copied().filter(|v| v.is_finite()).collect();
        let middle = finite.len() / 2;
        if finite.is_empty() { 0.0 } else { *finite.select_nth_unstable_by(middle, f64::total_cmp).1 }
    };
    0.5 * (median(w_f) - median(w_r))
}

/// Sums of f and f^2 over the values, f = 1/(1 + e^(w + shift)).
struct Fermi<'a> {
    w: &'a [f64],
    shift: f64,
}

struct Sums {
    first: f64,
    second: f64,
}

impl Lanewise for Fermi<'_> {
    type Out = Sums;
    #[inline(always)]
    fn run<L: Wide>(self) -> Sums {
        let (mut first, mut second) = (L::of(0.0), L::of(0.0));
        let (one, shift) = (L::of(1.0), L::of(self.shift));
        for eight in self.w.chunks(8) {
            let mut w = Octet::of(f64::INFINITY);
            w.0[..eight.len()].copy_from_slice(eight);
            let f = one / (one + (L::load(w) + shift).exp());
            first += f;
            second = f.mul_add(f, second);
        }
        Sums { first: across(first.store()), second: across(second.store()) }
    }
}

/// Sum over the lanes, in a fixed order.
pub(super) fn across(o: Octet) -> f64 {
    let v = o.0;
    ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7]))
}
