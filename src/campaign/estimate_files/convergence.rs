//! Do TI, BAR and MBAR stand still when data are added, from the front and from the back, and do blocks of the data scatter as their
//! errors say.

use super::Analysis;
use super::answer::Answer;
use super::integrate::Drawn;
use crate::estimate::{
    BlockEstimates, FreeEnergyError, MbarOptions, Measured, ReducedPotentialsBuilder, Stability, TiRule, Warning, WarningKind, Works,
    bar_chain, block_estimates, forward_reverse_of, halves, mbar, thermodynamic_integration, ti_rule,
};
use std::ops::Range;

/// Parts of the data, and blocks.
const PARTS: usize = 10;

/// Standard errors between the halves of the data from which on they drift.
const DRIFT: f64 = 4.0;

/// Chi-squared of ten blocks around their weighted mean, from which on their errors are too small: 9 degrees of freedom pass it once in a
/// thousand times.
const SCATTER: f64 = 27.9;

/// One answer from growing parts of the data.
#[derive(Clone, Debug)]
pub struct Convergence {
    /// Key of the answer.
    pub key: String,
    /// Its label.
    pub label: String,
    /// Values between the ends, in the unit of the analysis.
    pub stability: Stability,
}

impl Convergence {
    pub(super) fn scale(&mut self, factor: f64) {
        let scaled = |v: &mut Measured| *v = (v.0 * factor, v.1 * factor);
        for part in &mut self.stability.parts {
            scaled(&mut part.forward);
            scaled(&mut part.reverse);
        }
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        let s = &self.stability;
        let percent = (100.0 * s.converged_at).round();
        format!(
            "{}: the halves of the data differ by {:.1} standard errors; within one error of the whole from {percent} % of the data on",
            self.label,
            s.halves_z.abs()
        )
    }
}

/// The estimate from a range of draws of each state.
type Estimator<'a> = dyn FnMut(&[Range<usize>]) -> Result<Measured, FreeEnergyError> + 'a;

/// An estimate as a function of parts of the data.
pub(super) struct Parts<'a> {
    /// Draws of each state.
    lengths: Vec<usize>,
    of: Box<Estimator<'a>>,
}

impl<'a> Parts<'a> {
    /// MBAR between the first and the last sampled state; rows of energies `[n][K]`, samples grouped by state.
    pub(super) fn of_samples(n_k: Vec<usize>, u_nk: Vec<f64>) -> Self {
        let states = n_k.len();
        let names: Vec<String> = (0..states).map(|k| k.to_string()).collect();
        let start: Vec<usize> = (0..states).map(|k| n_k[..k].iter().sum()).collect();
        let sampled: Vec<usize> = (0..states).filter(|&k| n_k[k] > 0).collect();
        let of = move |ranges: &[Range<usize>]| {
            let (Some(&first), Some(&last)) = (sampled.first(), sampled.last()) else {
                return Err(FreeEnergyError::NoSamples { what: "the whole set of states".into() });
            };
            let lengths: Vec<usize> = ranges.iter().map(Range::len).collect();
            let mut builder = ReducedPotentialsBuilder::new(&names, &lengths)?;
            for (k, range) in ranges.iter().enumerate() {
                for n in range.clone() {
                    let at = (start[k] + n) * states;
                    builder.sample(&u_nk[at..at + states])?;
                }
            }
            let delta = mbar(&builder.finish()?, &MbarOptions::default())?.delta(first, last);
            Ok((delta.value, delta.stderr))
        };
        Parts { lengths: n_k, of: Box::new(of) }
    }

    /// BAR from the first to the last state of a chain.
    pub(super) fn of_links(links: Vec<(Works, Works)>) -> Self {
        let lengths = links.iter().flat_map(|(f, r)| [f.work.len(), r.work.len()]).collect();
        let part = |works: &Works, range: &Range<usize>| Works {
            sample: works.sample[range.clone()].to_vec(),
            work: works.work[range.clone()].to_vec(),
        };
        let of = move |ranges: &[Range<usize>]| {
            let parts: Vec<(Works, Works)> =
                links.iter().zip(ranges.chunks_exact(2)).map(|((f, r), two)| (part(f, &two[0]), part(r, &two[1]))).collect();
            let chain = bar_chain(&parts).map_err(|(_, why)| why)?;
            let (f, covariance) = (chain.f_k(), chain.f_k_covariance());
            Ok((f[f.len() - 1], covariance[covariance.len() - 1].sqrt()))
        };
        Parts { lengths, of: Box::new(of) }
    }

    /// Thermodynamic integration over all states by the rule asked for or that fits; the inefficiencies are those of all draws.
    pub(super) fn of_gradients(drawn: Drawn, rule: Option<TiRule>) -> Self {
        let c = drawn.components;
        let lengths = drawn.draws.iter().map(|d| d.len() / c).collect();
        let of = move |ranges: &[Range<usize>]| {
            let parts: Vec<&[f64]> = drawn.draws.iter().zip(ranges).map(|(d, r)| &d[r.start * c..r.end * c]).collect();
            let gradients = drawn.gradients(&parts)?;
            Ok(thermodynamic_integration(&gradients, rule.unwrap_or_else(|| ti_rule(&gradients)))?.total())
        };
        Parts { lengths, of: Box::new(of) }
    }

    fn stability(&mut self) -> Result<Stability, FreeEnergyError> {
        forward_reverse_of(&self.lengths, PARTS, &mut self.of)
    }

    /// Doubts about the errors that only the order of the data shows; none where halves or blocks have too few draws for an estimate.
    fn doubts(&mut self) -> Vec<Warning> {
        let apart = halves(&self.lengths, &mut self.of).ok();
        let blocks = block_estimates(&self.lengths, PARTS, &mut self.of).ok();
        doubts(apart, blocks.as_ref())
    }
}

fn doubts(halves_z: Option<f64>, blocks: Option<&BlockEstimates>) -> Vec<Warning> {
    let mut all = Vec::new();
    if let Some(z) = halves_z.filter(|z| z.abs() > DRIFT) {
        let what = format!(
            "the first and the second half of the data differ by {:.1} standard errors: they drift, if they stand in the order of time, \
             and more is wrong than the error says: leave out more of the beginning, or sample longer",
            z.abs()
        );
        all.push(Warning::new(WarningKind::Drift, what));
    }
    if let Some(chi_square) = blocks.map(|b| chi_square(&b.blocks)).filter(|c| *c > SCATTER) {
        let what = format!(
            "{PARTS} blocks of the data scatter {:.1} times as much as their errors say: correlation over long times, if they stand in \
             the order of time, is not in the error: sample longer",
            (chi_square / (PARTS - 1) as f64).sqrt()
        );
        all.push(Warning::new(WarningKind::ErrorsDisagree, what));
    }
    all
}

/// Of values around their weighted mean: a block that knows little, and says so, hides nothing that the others know.
fn chi_square(of: &[Measured]) -> f64 {
    let known = |(v, e): &&Measured| v.is_finite() && e.is_finite() && *e > 0.0;
    let sum = |f: &dyn Fn(f64, f64) -> f64| of.iter().filter(known).map(|(v, e)| f(*v, 1.0 / (e * e))).sum::<f64>();
    let mean = sum(&|v, weight| weight * v) / sum(&|_, weight| weight);
    sum(&|v, weight| weight * (v - mean) * (v - mean))
}

/// Looks whether the answers stand still. The doubts go to the answers; growing parts are for those who ask.
///
/// MBAR has many energies to weigh, and its data are BAR's: without BAR or with growing parts it is looked at too. What the parts do not
/// carry is a warning.
pub(super) fn converging<'a>(
    answers: &mut [Answer],
    growing: bool,
    parts: impl Fn(&str) -> Option<Parts<'a>>,
    out: &mut Analysis,
) -> Vec<Convergence> {
    let mut all = Vec::new();
    let bar = answers.iter().any(|a| a.key == "bar");
    for answer in answers.iter_mut().filter(|a| growing || !bar || a.key != "mbar") {
        let Some(mut parts) = parts(&answer.key) else { continue };
        answer.warnings.extend(parts.doubts());
        match growing.then(|| parts.stability()) {
            Some(Ok(stability)) => all.push(Convergence { key: answer.key.clone(), label: answer.label.clone(), stability }),
            Some(Err(why)) => out.warnings.push(format!("no convergence of {} from parts of the data: {why}", answer.label)),
            None => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Purpose, Root};

    /// Works of two states 3.5 apart, Gaussian with variance 1: `noise` of the sample and of normal numbers, and a difference of free
    /// energies that grows by `drift` over the data.
    fn doubts_of(seed: u64, n: usize, noise: &dyn Fn(usize, &[f64]) -> f64, drift: f64) -> Vec<Warning> {
        let works = |replica: u32, mean: f64, drift: f64| {
            let mut xi = vec![0.0; n];
            Root::new(seed, "works", "").stream(0, Purpose::Start).normals::<f64>(0, replica, &mut xi);
            Works { sample: (0..n).collect(), work: (0..n).map(|k| mean + noise(k, &xi) + drift * k as f64 / n as f64).collect() }
        };
        Parts::of_links(vec![(works(0, 4.0, drift), works(1, -3.0, -drift))]).doubts()
    }

    #[test]
    fn sound_data_raise_no_doubt_and_drift_and_correlation_do() {
        let kinds = |seeds: u64, noise: &dyn Fn(usize, &[f64]) -> f64, drift: f64| -> [u64; 2] {
            let of = |kind| (0..seeds).filter(|s| doubts_of(*s, 1000, noise, drift).iter().any(|w| w.kind == kind)).count() as u64;
            [of(WarningKind::Drift), of(WarningKind::ErrorsDisagree)]
        };
        // expected by chance 0.03 and 0.4 of 400; 4 or more have a probability of 1e-3 at most
        let sound = kinds(400, &|k, xi| xi[k], 0.0);
        assert!(sound[0] <= 1 && sound[1] < 4, "{sound:?}");
        // works that move by their standard deviation over the data: about 10 standard errors between the halves
        let drifting = kinds(40, &|k, xi| xi[k], 1.0);
        // AR(1) with a correlation time of 20 samples and variance 1, counted as independent
        let phi = 0.95f64;
        let filtered = |k: usize, xi: &[f64]| {
            let past = (k.saturating_sub(100)..=k).rev();
            past.fold((0.0, 1.0), |(sum, weight), j| (sum + weight * xi[j], weight * phi)).0 * (1.0 - phi * phi).sqrt()
        };
        let correlated = kinds(40, &filtered, 0.0);
        println!("of 400 sound {sound:?}, of 40 drifting {drifting:?}, of 40 correlated {correlated:?}");
        assert!(drifting == [40, 40] && correlated[1] == 40, "{drifting:?} {correlated:?}");
    }
}
