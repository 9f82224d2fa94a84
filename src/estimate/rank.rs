//! Rank-normalised split R-hat, bulk and tail effective sample sizes.

use super::autocovariance::{Centre, growing};
use super::quantile::normal_quantile;
use super::series::{Series, Unusable, mean_of, spread_of};
use crate::real::Real;
use serde::Serialize;
use std::borrow::Cow;

/// Do the replicas agree, and how many independent draws are they worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RankDiagnostics {
    /// The larger of the two below; 1 when replicas and their halves agree.
    pub r_hat: f64,
    /// Of the rank-normalised values: differences of location.
    pub r_hat_bulk: f64,
    /// Of the rank-normalised distances from the median: differences of scale.
    pub r_hat_folded: f64,
    /// Effective sample size of the rank-normalised values.
    pub ess_bulk: f64,
    /// The smaller effective sample size of the 5 % and 95 % quantiles.
    pub ess_tail: f64,
}

/// Rank-normalised split R-hat, bulk ESS and tail ESS over replicas, as ArviZ and Stan compute them.
///
///   z = Phi^-1((rank - 3/8) / (S + 1/4)) over the S values of all half chains; ties share their mean rank
///   R-hat = sqrt((B/W + n - 1) / n);   ESS = S / tau, Geyer's initial monotone sequence of multi-chain correlations
///
/// One replica is judged by its two halves. With an odd number of draws the middle one is left out of the halves.
/// Errors: fewer than 4 draws, a constant series, values that are not finite.
/// Source: Vehtari, Gelman, Simpson, Carpenter, Buerkner, Bayesian Analysis 16, 667 (2021), arXiv:1903.08008.
pub fn rank_diagnostics(series: Series<'_>) -> Result<RankDiagnostics, Unusable> {
    series.check_varying("R-hat and ESS (draws)", 4)?;
    let sorted = sort(series.values);
    let halves = Halves { draws: series.draws, half: series.draws / 2, chains: 2 * series.replicas };

    let kept: Cow<'_, [(f64, usize)]> = if series.draws.is_multiple_of(2) {
        Cow::Borrowed(&sorted)
    } else {
        sorted.iter().filter_map(|&(v, i)| halves.place(i).map(|p| (v, p))).collect()
    };
    let z = normal_scores(&kept, halves.chains * halves.half);
    let r_hat_bulk = r_hat(&z, halves.chains, halves.half);
    let ess_bulk = ess(&z, halves.chains, halves.half)?;

    let folded = normal_scores(&fold(&kept), halves.chains * halves.half);
    let r_hat_folded = r_hat(&folded, halves.chains, halves.half);

    let mut ess_tail = f64::INFINITY;
    for p in [0.05, 0.95] {
        let q = quantile(&sorted, p);
        ess_tail = ess_tail.min(ess(&halves.split(series.values, |x| if x <= q { 1.0 } else { 0.0 }), halves.chains, halves.half)?);
    }
    Ok(RankDiagnostics { r_hat: r_hat_bulk.max(r_hat_folded), r_hat_bulk, r_hat_folded, ess_bulk, ess_tail })
}

/// Effective sample size of the mean itself (split chains, no ranks), ArviZ's method "mean".
///
/// Errors: as [`rank_diagnostics`].
pub fn ess_mean(series: Series<'_>) -> Result<f64, Unusable> {
    series.check_varying("ESS (draws)", 4)?;
    let halves = Halves { draws: series.draws, half: series.draws / 2, chains: 2 * series.replicas };
    ess(&halves.split(series.values, |x| x), halves.chains, halves.half)
}

/// Values with their index, in increasing order; -0 becomes +0. Sorted as integers of the same order.
fn sort(values: &[f64]) -> Vec<(f64, usize)> {
    const SIGN: u64 = 1 << 63;
    let key = |v: f64| {
        let bits = (v + 0.0).to_bits();
        if bits & SIGN == 0 { bits | SIGN } else { !bits }
    };
    let value = |key: u64| f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN });
    let mut order: Vec<(u64, usize)> = values.iter().enumerate().map(|(i, &v)| (key(v), i)).collect();
    order.sort_unstable_by_key(|o| o.0); // the order of ties is never seen
    order.into_iter().map(|(k, i)| (value(k), i)).collect()
}

/// The first and last `half` draws of each replica, `[2 R][half]`.
struct Halves {
    draws: usize,
    half: usize,
    chains: usize,
}

impl Halves {
    /// Where the value with index i goes, unless it is the middle of an odd number.
    fn place(&self, i: usize) -> Option<usize> {
        let (replica, draw) = (i / self.draws, i % self.draws);
        let skip = self.draws - 2 * self.half;
        match draw {
            d if d < self.half => Some(2 * replica * self.half + d),
            d if d >= self.half + skip => Some(2 * replica * self.half + d - skip),
            _ => None,
        }
    }

    fn split(&self, values: &[f64], f: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.chains * self.half);
        for replica in values.chunks_exact(self.draws) {
            out.extend(replica[..self.half].iter().map(|&x| f(x)));
            out.extend(replica[self.draws - self.half..].iter().map(|&x| f(x)));
        }
        out
    }
}

/// Normal scores of sorted values, scattered to their places.
fn normal_scores(sorted: &[(f64, usize)], places: usize) -> Vec<f64> {
    let size = sorted.len() as f64;
    let mut z = vec![0.0; places];
    let mut from = 0;
    while from < sorted.len() {
        let ties = sorted[from..].iter().take_while(|(v, _)| *v == sorted[from].0).count();
        let rank = (2 * from + ties + 1) as f64 / 2.0;
        let score = normal_quantile((rank - 0.375) / (size + 0.25));
        for &(_, place) in &sorted[from..from + ties] {
            z[place] = score;
        }
        from += ties;
    }
    z
}

/// Distances from the median in increasing order: the two sides of a sorted list, merged.
fn fold(sorted: &[(f64, usize)]) -> Vec<(f64, usize)> {
    let n = sorted.len();
    let median = if n % 2 == 1 { sorted[n / 2].0 } else { 0.5 * (sorted[n / 2 - 1].0 + sorted[n / 2].0) };
    let mut right = sorted.partition_point(|(v, _)| *v < median);
    let mut left = right;
    let mut out = Vec::with_capacity(n);
    while out.len() < n {
        let below = if left > 0 { (sorted[left - 1].0 - median).abs() } else { f64::INFINITY };
        let above = if right < n { (sorted[right].0 - median).abs() } else { f64::INFINITY };
        if right == n || (left > 0 && below <= above) {
            left -= 1;
            out.push((below, sorted[left].1));
        } else {
            out.push((above, sorted[right].1));
            right += 1;
        }
    }
    out
}

/// Quantile p by linear interpolation between order statistics (Hyndman and Fan's type 7).
fn quantile(sorted: &[(f64, usize)], p: f64) -> f64 {
    let n = sorted.len() as f64;
    let at = n * p + (1.0 - p);
    let k = at.clamp(1.0, n - 1.0).floor();
    let gamma = (at - k).clamp(0.0, 1.0);
    (1.0 - gamma) * sorted[k as usize - 1].0 + gamma * sorted[k as usize].0
}

/// sqrt((B/W + n - 1) / n) of chains `[chain][n]`. NaN when no chain varies.
fn r_hat(values: &[f64], chains: usize, n: usize) -> f64 {
    let means: Vec<f64> = values.chunks_exact(n).map(mean_of).collect();
    let spreads: Vec<f64> = values.chunks_exact(n).map(spread_of).collect();
    debug_assert_eq!(means.len(), chains);
    let (between, within) = (n as f64 * spread_of(&means), mean_of(&spreads));
    ((between / within + n as f64 - 1.0) / n as f64).sqrt()
}

/// Effective sample size of chains `[chain][n]`; all of them when the values are constant.
///
///   rho(t) = 1 - (W - gamma(t)) / var+;   pairs rho(2k) + rho(2k+1) are summed while positive and made non-increasing
fn ess(values: &[f64], chains: usize, n: usize) -> Result<f64, Unusable> {
    let total = (chains * n) as f64;
    if n < 2 {
        return Err(Unusable::TooShort { what: "ESS (draws of a half chain)", needed: 2, found: n });
    }
    let (low, high) = super::series::range(values);
    if high - low < 1e-15 {
        return Ok(total);
    }
    let series = Series { values, replicas: chains, draws: n };
    let between = if chains > 1 { spread_of(&series.means().0) } else { 0.0 };
    let tau = growing(series, Centre::Own, |gamma, _| geyer(gamma, n, between));
    let tau = tau.ok_or(Unusable::TooShort { what: "ESS (draws)", needed: 4, found: n })?;
    let least = std::f64::consts::LN_10 / Real::ln(total); // 1 / log10(S): super-efficient chains are capped
    Ok(total / tau.max(least))
}

/// Geyer's initial positive, then monotone sequence; `None` if the lags at hand end before the sequence does.
fn geyer(gamma: &[f64], n: usize, between: f64) -> Option<f64> {
    let draws = n as f64;
    let within = gamma[0] * draws / (draws - 1.0);
    let var_plus = within * (draws - 1.0) / draws + between;
    let rho = |t: usize| 1.0 - (within - gamma[t]) / var_plus;
    let mut sequence = vec![1.0, rho(1)];
    let (mut even, mut odd) = (1.0, sequence[1]);
    let mut t = 1;
    while t + 3 < n && even + odd > 0.0 {
        if t + 2 >= gamma.len() {
            return None;
        }
        (even, odd) = (rho(t + 1), rho(t + 2));
        sequence.extend(if even + odd >= 0.0 { [even, odd] } else { [0.0, 0.0] });
        t += 2;
    }
    // The last pair counts only by its even half, if that is positive.
    if even > 0.0 {
        sequence[t - 1] = even;
    }
    for k in (2..t.saturating_sub(2)).step_by(2) {
        let before = sequence[k - 2] + sequence[k - 1];
        if sequence[k] + sequence[k + 1] > before {
            sequence[k] = before / 2.0;
            sequence[k + 1] = before / 2.0;
        }
    }
    let head: f64 = sequence[..t - 1].iter().sum();
    Some(-1.0 + 2.0 * head + sequence[t - 1])
}
