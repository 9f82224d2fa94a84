//! Densities that can be drawn from exactly.

use super::momenta::Maxwell;
use crate::batch::{Ensemble, Phase, State, Thermo};
use crate::dynamics::{Center, Com, draw_velocities};
use crate::energy::{Batched, Potential, harmonic::Harmonic};
use crate::real::Real;
use crate::stream::Purpose;
use crate::{Error, Result};
use std::sync::Arc;

const LN_2PI: f64 = 1.8378770664093453;

/// A normalised density p_0 from which every replica can be drawn.
pub trait Base<S: State>: Send + Sync {
    /// Draws every replica; the numbers are those of `ens.step`, which is advanced.
    ///
    /// # Errors
    /// `Error::Shape` when the ensemble does not fit.
    fn draw(&self, ens: &mut Ensemble<S>) -> Result<()>;

    /// log p_0 of every replica.
    ///
    /// # Errors
    /// As [`Base::draw`].
    fn log_p(&self, s: &S, thermo: &[Thermo], out: &mut [f64]) -> Result<()>;

    /// Is it a density of momenta too?
    fn counts_momenta(&self) -> bool {
        false
    }
}

/// N(mean, sigma^2) in every direction; velocities are drawn from Maxwell's distribution at the knobs' beta.
///
/// With the centre of mass removed, it is the normal density of the subspace where the (equal) masses' centre is 0, with
/// respect to length in that subspace: (dof - dim) dimensions.
#[derive(Clone, Debug)]
pub struct GaussianBase {
    mean: Vec<f64>,
    sigma: f64,
    com: Com,
    momenta: bool,
    place: u64,
}

impl GaussianBase {
    /// Around `mean`, `[dof]`.
    ///
    /// # Errors
    /// `Error::Input` for a sigma that is not positive, or a mean that is not finite.
    pub fn new(mean: Vec<f64>, sigma: f64) -> Result<Self> {
        if !(sigma.is_finite() && sigma > 0.0) {
            return Err(Error::input(format!("the base's sigma is {sigma}"), "sigma is positive and finite"));
        }
        if let Some((d, m)) = mean.iter().enumerate().find(|(_, m)| !m.is_finite()) {
            return Err(Error::input(format!("the base's mean in direction {d} is {m}"), "the mean is finite"));
        }
        Ok(GaussianBase { mean, sigma, com: Com::Keep, momenta: false, place: 0 })
    }

    /// With the velocities as part of the density, for targets that count them.
    #[must_use]
    pub fn with_momenta(mut self) -> Self {
        self.momenta = true;
        self
    }

    /// With the centre of mass at the origin.
    #[must_use]
    pub fn with_com(mut self, com: Com) -> Self {
        self.com = com;
        self
    }

    /// The mover's place in its stage, which names its random streams (0 unless set).
    #[must_use]
    pub fn at_place(mut self, place: u64) -> Self {
        self.place = place;
        self
    }

    /// -log p_0 / beta as a potential, so that exp(-beta U) is p_0, without its constant: U = |x - mean|^2 / (2 beta sigma^2).
    /// [`GaussianBase::log_norm`] is the constant.
    pub fn potential(&self, beta: f64) -> Arc<dyn Potential> {
        let k = vec![1.0 / (beta * self.sigma * self.sigma); self.mean.len()];
        Arc::new(Batched(Harmonic { k, centre: self.mean.clone() }))
    }

    /// ln of the integral of exp(-|x - mean|^2 / (2 sigma^2)): log Z_0 of [`GaussianBase::potential`].
    pub fn log_norm(&self) -> f64 {
        let held = match self.com {
            Com::Keep => 0,
            Com::Remove { dim } => dim,
        };
        0.5 * (self.mean.len() - held) as f64 * (LN_2PI + 2.0 * Real::ln(self.sigma))
    }

    fn center(&self, mass: &[f64]) -> Result<Center> {
        if mass.len() != self.mean.len() {
            return Err(Error::Shape { what: "degrees of freedom of the base", expected: mass.len(), found: self.mean.len() });
        }
        if self.com != Com::Keep && mass.iter().any(|m| *m != mass[0]) {
            return Err(Error::input(
                "a Gaussian base without centre of mass needs equal masses",
                "keep the centre of mass, or give all particles one mass (a mass changes no configurational average)",
            ));
        }
        Center::new(self.com, mass)
    }
}

impl Base<Phase> for GaussianBase {
    fn draw(&self, ens: &mut Ensemble<Phase>) -> Result<()> {
        let center = self.center(ens.state().mass())?;
        draw_velocities(ens, self.place, self.com)?;
        let (stream, step) = (ens.root.stream(self.place, Purpose::Start), ens.step);
        let mut x = vec![0.0; self.mean.len()];
        let (phase, ..) = ens.parts_mut();
        for r in 0..phase.replicas() {
            stream.normals::<f64>(step, r as u32, &mut x);
            for (x, m) in x.iter_mut().zip(&self.mean) {
                *x = self.sigma.mul_add(*x, *m);
            }
            center.remove(&mut x);
            phase.x.set_row(r, &x);
        }
        ens.step += 1;
        Ok(())
    }

    fn log_p(&self, s: &Phase, thermo: &[Thermo], out: &mut [f64]) -> Result<()> {
        let center = self.center(s.mass())?;
        let mut mean = self.mean.clone();
        center.remove(&mut mean);
        let maxwell = Maxwell::new(s.mass(), self.com)?;
        let mut x = vec![0.0; mean.len()];
        for (r, out) in out.iter_mut().enumerate() {
            s.x.row(r, &mut x);
            let mut square = 0.0;
            for (x, m) in x.iter().zip(&mean) {
                square += (x - m) * (x - m);
            }
            *out = -0.5 * square / (self.sigma * self.sigma) - self.log_norm();
            if self.momenta {
                *out += maxwell.log_p(s, r, thermo[r].beta);
            }
        }
        Ok(())
    }

    fn counts_momenta(&self) -> bool {
        self.momenta
    }
}
