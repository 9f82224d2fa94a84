//! Autocovariance of all replicas together, in O(n log m) for m lags.

use super::fft::Fft;
use super::series::{Series, Unusable, sum_of};

/// Which mean is subtracted before products are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Centre {
    /// The mean over all replicas: a replica that sits elsewhere then counts as correlation, as it should.
    Common,
    /// Each replica's own mean, as in R-hat and ESS.
    Own,
}

/// Autocovariance averaged over replicas, lags `0..=max_lag` (at most `draws - 1`):
///
///   gamma(t) = (1 / (R n)) sum_r sum_{u < n-t} (x_{r,u} - m_r)(x_{r,u+t} - m_r)
///
/// The biased form (divided by n, not n - t), whose sums are what every window rule here needs.
/// Errors: fewer than 2 draws, values that are not finite.
pub fn autocovariance(series: Series<'_>, centre: Centre, max_lag: usize) -> Result<Vec<f64>, Unusable> {
    series.check("autocovariance (draws)", 2)?;
    Ok(gamma(series, centre, max_lag))
}

/// The same for a series already checked.
pub(super) fn gamma(series: Series<'_>, centre: Centre, max_lag: usize) -> Vec<f64> {
    let (own, common) = series.means();
    let means = match centre {
        Centre::Common => vec![common; series.replicas],
        Centre::Own => own,
    };
    let lags = max_lag.min(series.draws - 1);
    let scale = 1.0 / (series.replicas as f64 * series.draws as f64);
    let mut sums = if lags <= 24 { direct(series, &means, lags) } else { Blocks::new(lags, series, &means).products() };
    sums.truncate(lags + 1);
    sums.iter_mut().for_each(|s| *s *= scale);
    sums
}

/// Offers gamma for 512 lags, then 8 times more, up to all, until `answer` finds what it looks for; the flag says "these are all".
pub(super) fn growing<T>(series: Series<'_>, centre: Centre, mut answer: impl FnMut(&[f64], bool) -> Option<T>) -> Option<T> {
    let mut lags = 512;
    loop {
        let all = lags >= series.draws - 1;
        if let Some(found) = answer(&gamma(series, centre, lags), all) {
            return Some(found);
        }
        if all {
            return None;
        }
        lags *= 8;
    }
}

fn direct(series: Series<'_>, means: &[f64], lags: usize) -> Vec<f64> {
    let mut sums = vec![0.0; lags + 1];
    let mut products = Vec::with_capacity(series.draws);
    for (r, mean) in means.iter().enumerate() {
        let y: Vec<f64> = series.replica(r).iter().map(|x| x - mean).collect();
        for (t, sum) in sums.iter_mut().enumerate() {
            products.clear();
            products.extend(y.iter().zip(&y[t..]).map(|(a, b)| a * b));
            *sum += sum_of(&products);
        }
    }
    sums
}

/// Lagged products by spectra of blocks of m draws, padded to 2m.
///
/// With X_j the spectrum of block j, the products of draws u in block j with draws u..u+m of blocks j and j+1 have the spectrum
/// conj(X_j) (X_j + (-1)^k X_{j+1}): a shift by m is the sign (-1)^k. Exact for lags 0..=m, one transform a block, short enough
/// for the first cache. Two replicas share a transform, a + i b: the real part of the result is the sum of their products.
struct Blocks<'a> {
    fft: Fft,
    sum: (Vec<f64>, Vec<f64>),
    series: Series<'a>,
    means: &'a [f64],
}

impl<'a> Blocks<'a> {
    fn new(lags: usize, series: Series<'a>, means: &'a [f64]) -> Self {
        let fft = Fft::new(2 * lags.next_power_of_two());
        let n = fft.len();
        Blocks { fft, sum: (vec![0.0; n], vec![0.0; n]), series, means }
    }

    fn products(mut self) -> Vec<f64> {
        let series = self.series;
        let n = self.fft.len();
        let m = n / 2;
        let mut here = (vec![0.0; n], vec![0.0; n]);
        let mut next = (vec![0.0; n], vec![0.0; n]);
        for first in (0..series.replicas).step_by(2) {
            let second = (first + 1 < series.replicas).then_some(first + 1);
            self.load(first, second, 0, &mut here);
            self.fft.forward(&mut here.0, &mut here.1);
            for block in 0..series.draws.div_ceil(m) {
                if (block + 1) * m < series.draws {
                    self.load(first, second, block + 1, &mut next);
                    self.fft.forward(&mut next.0, &mut next.1);
                    self.add(&here, Some(&next));
                } else {
                    self.add(&here, None);
                }
                std::mem::swap(&mut here, &mut next);
            }
        }
        self.fft.inverse(&mut self.sum.0, &mut self.sum.1);
        self.sum.0.truncate(m + 1);
        for s in &mut self.sum.0 {
            *s /= n as f64;
        }
        self.sum.0
    }

    fn load(&self, first: usize, second: Option<usize>, block: usize, to: &mut (Vec<f64>, Vec<f64>)) {
        let m = self.fft.len() / 2;
        centred(self.series.replica(first), self.means[first], block * m, m, &mut to.0);
        match second {
            Some(r) => centred(self.series.replica(r), self.means[r], block * m, m, &mut to.1),
            None => to.1.fill(0.0),
        }
    }

    fn add(&mut self, here: &(Vec<f64>, Vec<f64>), next: Option<&(Vec<f64>, Vec<f64>)>) {
        let n = self.fft.len();
        for (range, sign) in [(0..n / 2, 1.0), (n / 2..n, -1.0)] {
            let (xr, xi) = (&here.0[range.clone()], &here.1[range.clone()]);
            let (sr, si) = (&mut self.sum.0[range.clone()], &mut self.sum.1[range.clone()]);
            match next {
                Some((nr, ni)) => {
                    let (nr, ni) = (&nr[range.clone()], &ni[range]);
                    for k in 0..xr.len() {
                        let (yr, yi) = (xr[k] + sign * nr[k], xi[k] + sign * ni[k]);
                        sr[k] += xr[k] * yr + xi[k] * yi;
                        si[k] += xr[k] * yi - xi[k] * yr;
                    }
                }
                None => {
                    for k in 0..xr.len() {
                        sr[k] += xr[k] * xr[k] + xi[k] * xi[k];
                    }
                }
            }
        }
    }
}

/// `x[from..from + m] - mean`, then zeros.
fn centred(x: &[f64], mean: f64, from: usize, m: usize, to: &mut [f64]) {
    let part = &x[from..(from + m).min(x.len())];
    let (head, tail) = to.split_at_mut(part.len());
    for (t, v) in head.iter_mut().zip(part) {
        *t = v - mean;
    }
    tail.fill(0.0);
}
