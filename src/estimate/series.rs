//! The layout of a time series over replicas, and why one may be unusable.

use crate::real::lane::Wide;
use crate::real::{Lanewise, Octet, dispatch};

/// Why an estimator gives no number. Never a panic, never a number that only looks like one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// Fewer draws or replicas than the estimator can work with.
    #[error("too short: {what} needs at least {needed}, found {found}")]
    TooShort {
        /// What is too few, of which estimator.
        what: &'static str,
        /// The least number.
        needed: usize,
        /// The number given.
        found: usize,
    },
    /// All values are equal (to rounding): a spread, a correlation time or an R-hat does not exist.
    #[error("the series is constant at {value}")]
    Constant {
        /// The value.
        value: f64,
    },
    /// A NaN, an infinity, or a number whose square is one.
    #[error("the value of replica {replica}, draw {draw} is not a number below 1e150")]
    NotFinite {
        /// 0-based replica.
        replica: usize,
        /// 0-based draw.
        draw: usize,
    },
    /// Array lengths do not fit together.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// Expected length.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// An argument outside its range: an empty axis, basins that overlap.
    #[error("{0}")]
    Argument(String),
}

impl serde::Serialize for Unusable {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl From<Unusable> for crate::Error {
    fn from(why: Unusable) -> Self {
        match why {
            Unusable::Shape { what, expected, found } => crate::Error::Shape { what, expected, found },
            Unusable::Argument(what) => crate::Error::input(what, "see the documentation of the estimator"),
            Unusable::NotFinite { .. } => crate::Error::run(why.to_string(), "leave diverged replicas out"),
            Unusable::Constant { .. } => crate::Error::run(why.to_string(), "check that the observed quantity moves at all"),
            Unusable::TooShort { .. } => crate::Error::run(why.to_string(), "sample longer (`ergodica extend`) or discard less"),
        }
    }
}

impl From<Unusable> for super::FreeEnergyError {
    fn from(why: Unusable) -> Self {
        match why {
            Unusable::TooShort { what, needed: expected, found } => {
                super::FreeEnergyError::Inconsistent { what: format!("{what}, at least"), expected, found }
            }
            Unusable::Shape { what, expected, found } => super::FreeEnergyError::Inconsistent { what: what.to_owned(), expected, found },
            other => super::FreeEnergyError::Argument { what: other.to_string() },
        }
    }
}

/// Squares of larger numbers overflow, of numbers below its inverse they vanish.
const LARGEST: f64 = 1e150;

/// A time series of several independent replicas: `values[replica * draws + draw]`.
///
/// Diverged replicas are left out by the caller. All replicas have the same number of draws.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// Row-major `[replica][draw]`.
    pub values: &'a [f64],
    /// Number of replicas.
    pub replicas: usize,
    /// Draws of each replica.
    pub draws: usize,
}

impl<'a> Series<'a> {
    /// A series of `replicas` equal parts. Errors: `Shape` if the length is not a multiple of `replicas`, or `replicas` is 0.
    pub fn new(values: &'a [f64], replicas: usize) -> Result<Self, Unusable> {
        let draws = values.len().checked_div(replicas).unwrap_or(0);
        let series = Series { values, replicas, draws };
        series.shape()?;
        Ok(series)
    }

    /// One replica.
    pub fn single(values: &'a [f64]) -> Self {
        Series { values, replicas: 1, draws: values.len() }
    }

    /// The draws of one replica.
    pub fn replica(&self, replica: usize) -> &'a [f64] {
        &self.values[replica * self.draws..(replica + 1) * self.draws]
    }

    /// Time mean of each replica, `[replica]`, and their mean.
    pub(super) fn means(&self) -> (Vec<f64>, f64) {
        let each: Vec<f64> = (0..self.replicas).map(|r| mean_of(self.replica(r))).collect();
        let all = mean_of(&each);
        (each, all)
    }

    /// The draws from `start` on of every replica, as a new array `[replica][draws - start]`.
    pub fn from_draw(&self, start: usize) -> Vec<f64> {
        let mut kept = Vec::with_capacity(self.replicas * self.draws.saturating_sub(start));
        for r in 0..self.replicas {
            kept.extend_from_slice(&self.replica(r)[start.min(self.draws)..]);
        }
        kept
    }

    fn shape(&self) -> Result<(), Unusable> {
        if self.replicas == 0 {
            return Err(Unusable::TooShort { what: "a series (replicas)", needed: 1, found: 0 });
        }
        let expected = self.replicas * self.draws;
        if self.values.len() != expected {
            return Err(Unusable::Shape { what: "values of a series (replicas x draws)", expected, found: self.values.len() });
        }
        Ok(())
    }

    /// Shape, length and finiteness.
    pub(super) fn check(&self, what: &'static str, needed: usize) -> Result<(), Unusable> {
        self.shape()?;
        if self.draws < needed {
            return Err(Unusable::TooShort { what, needed, found: self.draws });
        }
        match self.values.iter().position(|v| v.is_nan() || v.abs() >= LARGEST) {
            Some(i) => Err(Unusable::NotFinite { replica: i / self.draws, draw: i % self.draws }),
            None => Ok(()),
        }
    }

    /// The same, and that the values are not all equal: their range exceeds a few roundings of the largest magnitude, and 1e-150.
    pub(super) fn check_varying(&self, what: &'static str, needed: usize) -> Result<(), Unusable> {
        self.check(what, needed)?;
        let (low, high) = range(self.values);
        if high - low <= (8.0 * f64::EPSILON * low.abs().max(high.abs())).max(1.0 / LARGEST) {
            return Err(Unusable::Constant { value: low });
        }
        Ok(())
    }
}

/// Least and greatest of finite values.
pub(super) fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
}

/// Sum in a fixed order: eight running sums over the lanes of consecutive values, then a tree. Rounding grows as n/8 roundings.
pub(super) fn sum_of(values: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let blocks = values.chunks_exact(8);
    let rest = blocks.remainder();
    for block in blocks {
        for (lane, v) in lanes.iter_mut().zip(block) {
            *lane += v;
        }
    }
    let tail: f64 = rest.iter().sum();
    ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7])) + tail
}

/// Arithmetic mean, corrected once by the mean of the residuals. NaN when empty.
pub(super) fn mean_of(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let first = sum_of(values) / n;
    if !first.is_finite() {
        return first;
    }
    first + squares_and_sum(values, first).1 / n
}

/// Sum of squares and sum of `v - centre`.
pub(super) fn squares_and_sum(values: &[f64], centre: f64) -> (f64, f64) {
    let mut squares = [0.0; 8];
    let mut sums = [0.0; 8];
    let blocks = values.chunks_exact(8);
    let rest = blocks.remainder();
    let mut add = |i: usize, v: f64| {
        let d = v - centre;
        squares[i] += d * d;
        sums[i] += d;
    };
    for block in blocks {
        for (i, &v) in block.iter().enumerate() {
            add(i, v);
        }
    }
    for (i, &v) in rest.iter().enumerate() {
        add(i, v);
    }
    (sum_of(&squares), sum_of(&sums))
}

/// Unbiased variance of independent values, `sum (v - mean)^2 / (n - 1)`. NaN for fewer than two.
pub(super) fn spread_of(values: &[f64]) -> f64 {
    let (squares, _) = squares_and_sum(values, mean_of(values));
    squares / (values.len() as f64 - 1.0)
}

/// An angle as a point on the circle: cosines and sines of `2 pi x / period`, same layout as the input.
///
/// A periodic coordinate enters means, R-hat and correlation times through these two, never raw: -179 and 179 degrees are neighbours.
pub fn circle(angles: &[f64], period: f64) -> (Vec<f64>, Vec<f64>) {
    dispatch(Circle { angles, period })
}

struct Circle<'a> {
    angles: &'a [f64],
    period: f64,
}

impl Lanewise for Circle<'_> {
    type Out = (Vec<f64>, Vec<f64>);
    #[inline(always)]
    fn run<L: Wide>(self) -> Self::Out {
        let n = self.angles.len();
        let (mut cos, mut sin) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for eight in self.angles.chunks(8) {
            let mut x = Octet([0.0; 8]);
            x.0[..eight.len()].copy_from_slice(eight);
            let turns = L::load(x) / L::of(self.period);
            let (s, c) = ((turns - turns.floor()) * L::of(std::f64::consts::TAU)).sin_cos();
            sin.extend_from_slice(&s.store().0[..eight.len()]);
            cos.extend_from_slice(&c.store().0[..eight.len()]);
        }
        (cos, sin)
    }
}
