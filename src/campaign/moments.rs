//! Errors of what is computed from correlated frames: how much every moment of a copy has moved it, and for how long it moves one way.
//!
//! A replica that trades its state carries its memory from state to state, so no series of one state and no series of one replica knows
//! the whole correlation. The sum over all replicas of a copy, moment by moment, does: with psi_n the influence of frame n on an estimate,
//!
//!   var = g sum_(copy, t) Psi(t)^2,   Psi(t) = sum over the replicas of the copy of psi at time t,   g: statistical inefficiency of Psi

use crate::estimate::{Influences, Series, Unusable, normal_quantile, statistical_inefficiency, student_t_quantile};

/// Blocks, in all copies, that are enough for a steady spread.
const BLOCKS: usize = 12;

/// How frames lie: `[copy][replica][draw]`.
#[derive(Clone, Copy, Default)]
pub(super) struct Shape {
    pub(super) copies: usize,
    /// Of a copy.
    pub(super) replicas: usize,
    /// Of a replica.
    pub(super) draws: usize,
}

impl Shape {
    /// The moment of a frame, `[copy][draw]`.
    pub(super) fn moment(self, n: usize) -> usize {
        n / (self.replicas * self.draws) * self.draws + n % self.draws
    }

    /// How many moments there are.
    pub(super) fn moments(self) -> usize {
        self.copies * self.draws
    }

    /// Standard error of what the moments have moved by so much: the largest of that by correlation in time and of the spreads of
    /// blocks and of whole copies, which see slow motions that are small beside the noise of a correlation function. Where there are too few
    /// moments for one of them the others speak; NaN where an influence is none.
    pub(super) fn error(self, psi: &[f64]) -> f64 {
        if psi.iter().any(|p| p.is_nan()) {
            return f64::NAN;
        }
        let blocks = self.draws / BLOCKS.div_ceil(self.copies.max(1));
        self.by_correlation(psi).max(self.by_blocks(psi, blocks.max(1))).max(self.by_blocks(psi, self.draws))
    }

    /// Of the sums over blocks of a length: sigma^2 = B/(B - 1) sum (S_b - mean)^2; NaN for one block. What is left at the end of a copy,
    /// less than a block, has no say.
    fn by_blocks(self, psi: &[f64], length: usize) -> f64 {
        let sums: Vec<f64> = psi.chunks_exact(self.draws).flat_map(|copy| copy.chunks_exact(length)).map(|b| b.iter().sum()).collect();
        let n = sums.len() as f64;
        let mean = sums.iter().sum::<f64>() / n;
        (n / (n - 1.0) * sums.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>()).sqrt()
    }

    /// Of the sum by its correlation in time:
    ///
    ///   sigma^2 = g (1 + (2 W + 1)/N) sum Psi^2,   N moments, W lags in g;   2 / (degrees of freedom) = var(sigma^2) / sigma^4 = 2 (2 W + 1)/N
    ///
    /// The factor of g is what taking off the mean has hidden; Student's t of so many degrees of freedom over the normal quantile makes
    /// value +- 1.96 errors a 95 % interval where moments are few beside their correlation.
    /// Source: Wolff, Comput. Phys. Commun. 156, 143 (2004).
    fn by_correlation(self, psi: &[f64]) -> f64 {
        let series = Series { values: psi, replicas: self.copies, draws: self.draws };
        let squares: f64 = psi.iter().map(|p| p * p).sum();
        match statistical_inefficiency(series) {
            Ok(found) => {
                let lags = (2 * found.window - 1) as f64 / self.moments() as f64;
                let student = student_t_quantile(0.95, (1.0 / lags).max(1.0) as usize) / normal_quantile(0.975);
                student * (found.g * (1.0 + lags) * squares).sqrt()
            }
            Err(Unusable::Constant { .. }) => 0.0,
            Err(_) => f64::NAN,
        }
    }
}

/// What all averages over the same weighted frames have in common, summed over the replicas of a copy at each of its times.
pub(super) struct Moments<'a> {
    shape: Shape,
    /// Of the frames of a ladder.
    influences: Option<&'a Influences>,
    terms: usize,
    /// `[copy][draw][term]`: phi of each state and the number of replicas there; without a ladder the weight.
    parts: Vec<f64>,
}

/// An average over some of the frames.
pub(super) struct Column {
    /// Influence that the frames have by themselves: (moment, weight).
    own: Vec<(usize, f64)>,
    /// What each term counts, `[copy][term]`.
    factors: Vec<f64>,
}

impl<'a> Moments<'a> {
    /// Frames of a ladder, whose weights depend on its free energies.
    pub(super) fn of_ladder(shape: Shape, influences: &'a Influences) -> Self {
        let s = influences.states.len();
        let mut parts = vec![0.0; shape.copies * shape.draws * 2 * s];
        let phi = influences.summed(shape.moments(), |n| shape.moment(n));
        for (part, phi) in parts.chunks_exact_mut(2 * s).zip(phi.chunks_exact(s)) {
            part[..s].copy_from_slice(phi);
        }
        for (n, origin) in influences.origin.iter().enumerate() {
            parts[shape.moment(n) * 2 * s + s + origin] += 1.0;
        }
        Moments { shape, influences: Some(influences), terms: 2 * s, parts }
    }

    /// Frames of copies that each have weights of their own, all copies counting alike.
    pub(super) fn of_weights(shape: Shape, weights: &[f64]) -> Self {
        let mut parts = vec![0.0; shape.copies * shape.draws];
        for (n, w) in weights.iter().enumerate() {
            parts[shape.moment(n)] += w;
        }
        Moments { shape, influences: None, terms: 1, parts }
    }

    /// The sum of the weights of some frames, (frame, weight), on a logarithmic scale.
    pub(super) fn column(&self, frames: &[(usize, f64)]) -> Column {
        let sum: f64 = frames.iter().map(|f| f.1).sum();
        let z: Vec<(usize, f64)> = frames.iter().map(|(n, w)| (*n, w / sum)).collect();
        let factors = match self.influences {
            Some(influences) => {
                let (with_states, mean) = influences.of_average(&z);
                [with_states, mean].concat().repeat(self.shape.copies)
            }
            None => {
                let (mut of, mut whole) = (vec![0.0; self.shape.copies], vec![0.0; self.shape.copies]);
                z.iter().for_each(|(n, z)| of[self.shape.moment(*n) / self.shape.draws] += z);
                self.parts.iter().enumerate().for_each(|(m, w)| whole[m / self.shape.draws] += w);
                of.iter().zip(&whole).map(|(of, whole)| of / whole).collect()
            }
        };
        Column { own: z.into_iter().map(|(n, z)| (self.shape.moment(n), z)).collect(), factors }
    }

    /// Influence of each moment on the logarithm of a sum of weights, its sign turned.
    pub(super) fn influence(&self, of: &Column) -> Vec<f64> {
        let factors = |m: usize| &of.factors[m / self.shape.draws * self.terms..][..self.terms];
        let dot = |(m, parts): (usize, &[f64])| parts.iter().zip(factors(m)).map(|(p, f)| p * f).sum();
        let mut all: Vec<f64> = self.parts.chunks_exact(self.terms).enumerate().map(dot).collect();
        of.own.iter().for_each(|(m, z)| all[*m] -= z);
        all
    }
}

/// sum of (weight of a visit)^2 for each of some bins, a visit being frames of a replica in a bin one after the other: the least variance
/// of a bin's weight, as frames of one visit are no two witnesses.
pub(super) fn visits(shape: Shape, weights: &[f64], bin: &[Option<usize>], bins: usize) -> Vec<f64> {
    let mut squares = vec![0.0; bins];
    for replica in 0..shape.copies * shape.replicas {
        let range = replica * shape.draws..(replica + 1) * shape.draws;
        let (mut here, mut sum) = (None, 0.0);
        for (w, b) in weights[range.clone()].iter().zip(&bin[range]) {
            if *b != here {
                here.into_iter().for_each(|b: usize| squares[b] += sum * sum);
                (here, sum) = (*b, 0.0);
            }
            sum += w;
        }
        here.into_iter().for_each(|b| squares[b] += sum * sum);
    }
    squares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_blocks_and_visits_by_hand() {
        // 2 copies of 2 replicas with 3 draws
        let shape = Shape { copies: 2, replicas: 2, draws: 3 };
        let moments: Vec<usize> = (0..12).map(|n| shape.moment(n)).collect();
        assert_eq!(moments, [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]);
        // sums of the copies 3 and 1: sigma^2 = 2 (1 + 1)
        assert!((shape.by_blocks(&[1.0, 1.0, 1.0, 0.5, 0.5, 0.0], 3) - 2.0).abs() < 1e-15);
        // blocks of 2, the third draw left over: 2 and 1, sigma^2 = 2 (1/4 + 1/4)
        assert!((shape.by_blocks(&[1.0, 1.0, 9.0, 0.5, 0.5, 9.0], 2) - 1.0).abs() < 1e-15);
        assert!(shape.error(&[0.0, f64::NAN, 0.0, 0.0, 0.0, 0.0]).is_nan());
        assert_eq!(shape.error(&[0.0; 6]), 0.0);
        // one replica stays in bin 0, one comes back to it, one is outside between, one goes from 1 to 0
        let (o, i) = (Some(0), Some(1));
        let bin = [o, o, o, o, i, o, o, None, o, i, i, o];
        let squares = visits(shape, &[1.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], &bin, 2);
        assert_eq!(squares, [36.0 + 1.0 + 1.0 + 1.0 + 1.0 + 1.0, 1.0 + 4.0]);
    }
}
