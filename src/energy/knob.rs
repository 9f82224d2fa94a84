//! Knobs: what the one lambda of a path does to a coupling.

use crate::real::{Dual, Octet, Real};
use crate::{Error, Result};

/// A coupling in [0, 1] as a function of lambda, linear between given points and constant beyond the outer ones.
///
/// At the points it has their values exactly. Its derivative there is that of the piece to the right; at the last point, of the
/// piece to the left.
#[derive(Clone, Debug, PartialEq)]
pub struct Knob {
    /// (lambda, value).
    points: Vec<[f64; 2]>,
}

impl Knob {
    /// Through `points` (lambda, value), in the order of lambda.
    ///
    /// # Errors
    /// `Error::Input` without points, when a number lies outside [0, 1], or when the lambdas do not grow.
    pub fn new(points: Vec<[f64; 2]>) -> Result<Self> {
        let remedy = "give pairs [lambda, value] with both in [0, 1] and growing lambda, for example [[0, 0], [0.5, 1]]";
        if points.is_empty() {
            return Err(Error::input("a knob has no points", remedy));
        }
        for p in &points {
            if let Some(v) = p.iter().find(|v| !(0.0..=1.0).contains(*v)) {
                return Err(Error::input(format!("the point [{}, {}] of a knob has {v}, outside [0, 1]", p[0], p[1]), remedy));
            }
        }
        if let Some(w) = points.windows(2).find(|w| w[1][0] <= w[0][0]) {
            return Err(Error::input(format!("lambda does not grow from {} to {} along a knob", w[0][0], w[1][0]), remedy));
        }
        Ok(Knob { points })
    }

    /// The value of lambda itself.
    pub fn identity() -> Self {
        Knob { points: vec![[0.0, 0.0], [1.0, 1.0]] }
    }

    /// (lambda, value), in the order of lambda.
    pub fn points(&self) -> &[[f64; 2]] {
        &self.points
    }

    /// The value at a lambda.
    #[inline(always)]
    pub fn at<T: Real>(&self, lambda: T) -> T {
        let mut value = T::of(self.points[0][1]);
        for k in 1..self.points.len() {
            let ([x0, y0], [x1, y1]) = (self.points[k - 1], self.points[k]);
            let (left, right) = (lambda - T::of(x0), lambda - T::of(x1));
            let slope = T::of((y1 - y0) / (x1 - x0));
            // From the nearer end, so that both ends are exact.
            let piece = T::select(left.lt(-right), left.mul_add(slope, T::of(y0)), right.mul_add(slope, T::of(y1)));
            value = T::select(T::of(x0).le(lambda), piece, value);
        }
        let [end, last] = self.points[self.points.len() - 1];
        T::select(T::of(end).lt(lambda), T::of(last), value)
    }

    /// Its derivative in each replica of a block.
    pub fn slopes(&self, lambda: Octet) -> Octet {
        Octet(lambda.0.map(|l| self.at(Dual::new(l, 1.0)).eps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_slopes() {
        let knob = Knob::new(vec![[0.1, 0.0], [0.3, 0.7], [0.9, 0.2]]).unwrap();
        for (lambda, value, slope) in [
            (0.0, 0.0, 0.0),
            (0.1, 0.0, 3.5),
            (0.2, 0.35, 3.5),
            (0.3, 0.7, -0.5 / 0.6),
            (0.6, 0.45, -0.5 / 0.6),
            (0.9, 0.2, -0.5 / 0.6),
            (1.0, 0.2, 0.0),
        ] {
            let got = knob.at(Dual::new(lambda, 1.0));
            assert!((got.re - value).abs() < 1e-15 && (got.eps - slope).abs() < 1e-14, "{lambda}: {got:?}");
        }
        // The ends are exact and seen from inside.
        for (points, at, value, slope) in
            [(vec![[0.3, 0.1], [1.0, 1.0]], 1.0, 1.0, 0.9 / 0.7), (vec![[0.0, 1.0], [0.7, 0.0]], 0.7, 0.0, -1.0 / 0.7)]
        {
            let got = Knob::new(points).unwrap().at(Dual::new(at, 1.0));
            assert!(got.re == value && (got.eps - slope).abs() < 1e-15, "{got:?}");
        }
        let lambda = 0.1 + 0.2;
        assert_eq!(Knob::identity().at(lambda), lambda);
        assert_eq!(Knob::new(vec![[0.5, 0.25]]).unwrap().at(0.9), 0.25);
    }

    #[test]
    fn mistakes() {
        let say = |points: Vec<[f64; 2]>| Knob::new(points).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(say(vec![]).contains("no points"));
        assert!(say(vec![[0.0, 1.5]]).contains("has 1.5, outside [0, 1]"));
        assert!(say(vec![[0.0, f64::NAN]]).contains("NaN"));
        assert!(say(vec![[0.5, 0.0], [0.5, 1.0]]).contains("does not grow from 0.5 to 0.5"));
    }
}
