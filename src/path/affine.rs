//! Maps that stretch and shift coordinates.

use super::Bijection;
use crate::batch::{Phase, State, Thermo};
use crate::real::{Lanewise, Octet, Real, Wide, dispatch};
use crate::{Error, Result};
use rayon::prelude::*;

/// y_d = s_k x_d + b_k for some coordinates d, the same for all of them, at each step k of a path; ln |det| = n ln s_k.
///
/// Exact for a trap that moves (s = 1, b its way) and for a spring whose stiffness changes (s = sqrt(K_k / K_k+1)): every level is then
/// carried onto the next, and the work of all trajectories is the difference of free energies.
/// Velocities are left alone.
/// Source: Jarzynski, Phys. Rev. E 65, 046122 (2002).
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    dof: usize,
    coordinates: Vec<usize>,
    dimensions: f64,
    steps: Vec<(f64, f64)>,
}

impl Affine {
    /// Of `coordinates` among `dof`, with a scale and a shift for each step of the path.
    ///
    /// # Errors
    /// `Error::Input` for a scale that is not positive, a shift that is not finite, or a coordinate that is none or named twice.
    pub fn new(dof: usize, coordinates: Vec<usize>, steps: Vec<(f64, f64)>) -> Result<Self> {
        for (k, (scale, shift)) in steps.iter().enumerate() {
            if !(scale.is_finite() && *scale > 0.0 && shift.is_finite()) {
                return Err(Error::input(
                    format!("the map of step {k} scales by {scale} and shifts by {shift}"),
                    "a scale is positive, and both are finite",
                ));
            }
        }
        let mut seen = vec![false; dof];
        for d in &coordinates {
            if *d >= dof || std::mem::replace(&mut seen[*d], true) {
                return Err(Error::input(
                    format!("the map moves coordinate {d} of {dof}, which is none or moved already"),
                    "name each coordinate once, counted from 0",
                ));
            }
        }
        let dimensions = coordinates.len() as f64;
        Ok(Affine { dof, coordinates, dimensions, steps })
    }

    /// With a centre of mass that is held at the origin: `dim` of the directions have no length to be stretched.
    ///
    /// # Errors
    /// `Error::Input` for a map that would move the centre: of some coordinates only, or with a shift.
    pub fn with_com_held(mut self, dim: usize) -> Result<Self> {
        if self.coordinates.len() != self.dof || self.steps.iter().any(|(_, shift)| *shift != 0.0) {
            return Err(Error::input(
                "the map moves the centre of mass, which is held",
                "let it scale all coordinates about 0 without a shift, or set remove_com = false",
            ));
        }
        self.dimensions = self.dof.saturating_sub(dim) as f64;
        Ok(self)
    }

    fn step(&self, k: usize) -> Result<(f64, f64)> {
        self.steps.get(k).copied().ok_or(Error::Shape { what: "steps of the map", expected: k + 1, found: self.steps.len() })
    }

    fn apply(&self, scale: f64, shift: f64, s: &mut Phase, log_det: &mut [f64]) -> Result<()> {
        if s.x.dof() != self.dof {
            return Err(Error::Shape { what: "degrees of freedom of the map", expected: self.dof, found: s.x.dof() });
        }
        s.x.octets_mut().par_chunks_exact_mut(self.dof).for_each(|x| {
            dispatch(Block { coordinates: &self.coordinates, scale, shift, x });
        });
        log_det.fill(self.dimensions * Real::ln(scale));
        Ok(())
    }
}

struct Block<'a> {
    coordinates: &'a [usize],
    scale: f64,
    shift: f64,
    x: &'a mut [Octet],
}

impl Lanewise for Block<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        let x = L::of_octets_mut(self.x);
        for d in self.coordinates {
            x[*d] = x[*d].mul_add(L::of(self.scale), L::of(self.shift));
        }
    }
}

impl Bijection<Phase> for Affine {
    fn forward(&self, k: usize, _thermo: &[Thermo], s: &mut Phase, log_det: &mut [f64]) -> Result<()> {
        let (scale, shift) = self.step(k)?;
        self.apply(scale, shift, s, log_det)
    }

    fn inverse(&self, k: usize, _thermo: &[Thermo], s: &mut Phase, log_det: &mut [f64]) -> Result<()> {
        let (scale, shift) = self.step(k)?;
        self.apply(1.0 / scale, -shift / scale, s, log_det)
    }

    fn distance(&self, a: &Phase, b: &Phase, replica: usize) -> f64 {
        debug_assert_eq!(a.replicas(), b.replicas());
        (0..self.dof).map(|d| (a.x.get(replica, d) - b.x.get(replica, d)).abs()).fold(0.0, f64::max)
    }
}
