//! Do BAR and MBAR stand still when data are added, from the front and from the back.

use super::Analysis;
use super::answer::Answer;
use crate::estimate::{
    FreeEnergyError, MbarOptions, Measured, ReducedPotentialsBuilder, Stability, Works, bar_chain, forward_reverse_of, mbar,
};
use std::ops::Range;

/// Parts of the data.
const PARTS: usize = 10;

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

/// MBAR between the first and the last sampled state; rows of energies `[n][K]`, samples grouped by state.
pub(super) fn of_samples(n_k: &[usize], u_nk: &[f64]) -> Result<Stability, FreeEnergyError> {
    let states = n_k.len();
    let names: Vec<String> = (0..states).map(|k| k.to_string()).collect();
    let start = |k: usize| n_k[..k].iter().sum::<usize>();
    let sampled: Vec<usize> = (0..states).filter(|&k| n_k[k] > 0).collect();
    let (Some(&first), Some(&last)) = (sampled.first(), sampled.last()) else {
        return Err(FreeEnergyError::NoSamples { what: "the whole set of states".into() });
    };
    forward_reverse_of(n_k, PARTS, |ranges| {
        let lengths: Vec<usize> = ranges.iter().map(Range::len).collect();
        let mut builder = ReducedPotentialsBuilder::new(&names, &lengths)?;
        for (k, range) in ranges.iter().enumerate() {
            for n in range.clone() {
                let at = (start(k) + n) * states;
                builder.sample(&u_nk[at..at + states])?;
            }
        }
        let u = builder.finish()?;
        let delta = mbar(&u, &MbarOptions::default())?.delta(first, last);
        Ok((delta.value, delta.stderr))
    })
}

/// BAR from the first to the last state of a chain.
pub(super) fn of_links(links: &[(Works, Works)]) -> Result<Stability, FreeEnergyError> {
    let lengths: Vec<usize> = links.iter().flat_map(|(f, r)| [f.work.len(), r.work.len()]).collect();
    let part = |works: &Works, range: &Range<usize>| Works {
        sample: works.sample[range.clone()].to_vec(),
        work: works.work[range.clone()].to_vec(),
    };
    forward_reverse_of(&lengths, PARTS, |ranges| {
        let parts: Vec<(Works, Works)> =
            links.iter().zip(ranges.chunks_exact(2)).map(|((f, r), two)| (part(f, &two[0]), part(r, &two[1]))).collect();
        let chain = bar_chain(&parts).map_err(|(_, why)| why)?;
        let (f, covariance) = (chain.f_k(), chain.f_k_covariance());
        Ok((f[f.len() - 1], covariance[covariance.len() - 1].sqrt()))
    })
}

/// Those that there are; what the parts do not carry is a warning.
pub(super) fn convergences<'a>(
    found: impl Iterator<Item = (&'a Answer, Result<Stability, FreeEnergyError>)>,
    out: &mut Analysis,
) -> Vec<Convergence> {
    let mut all = Vec::new();
    for (answer, found) in found {
        match found {
            Ok(stability) => all.push(Convergence { key: answer.key.clone(), label: answer.label.clone(), stability }),
            Err(why) => out.warnings.push(format!("no convergence of {} from parts of the data: {why}", answer.label)),
        }
    }
    all
}
