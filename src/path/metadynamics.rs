//! Well-tempered metadynamics.

use crate::batch::{Ensemble, Health, Phase, Resume, Snapshot};
use crate::dynamics::{Propagator, Tally};
use crate::energy::biased::Biased;
use crate::energy::table::Axis;
use crate::real::Real;
use crate::{Error, Result};
use std::sync::Arc;

/// Settings of [`Metadynamics`].
#[derive(Clone, Debug, PartialEq)]
pub struct MetadynamicsOptions {
    /// Steps of the propagator between Gaussians; they come where `ens.step` is a multiple of it.
    pub every: u64,
    /// Height of the first Gaussian, in the potential's unit of energy.
    pub height: f64,
    /// Width (standard deviation) of the Gaussians along each variable.
    pub width: Vec<f64>,
    /// gamma > 1; infinite for heights that never shrink.
    pub bias_factor: f64,
}

/// Well-tempered metadynamics along one or two collective variables: a propagator whose replicas raise a bias where they are.
///
///   V(xi) += height exp(-beta V(xi_t) / (gamma - 1)) exp(-|xi - xi_t|^2 / (2 width^2))      every so many steps
///   F(xi) = -gamma / (gamma - 1) V(xi) + constant
///   c = (1/beta) ln [ integral exp(beta gamma V / (gamma - 1)) / integral exp(beta V / (gamma - 1)) ],   weight exp(beta (V(xi) - c))
///
/// All replicas are walkers under one bias ([`Biased`] says why) and add their Gaussians in the order of their places, each seeing
/// those before it. They share it, so they are not independent: errors come from several ensembles, each with a bias of its own.
/// Weights make averages of the unbiased ensemble from frames, once the bias changes slowly.
/// Exactness: none at finite time, as the bias grows; [`Propagator::exact`] says so. What is left falls like 1/t: first
/// what the early Gaussians overfilled, then the noise of V, which a logarithm of sums of exp(-beta F) turns into a bias of half the
/// difference of its variances. Small gamma and wide Gaussians have less of it.
/// A walker outside the grid or diverged adds nothing; [`Metadynamics::outside`] counts the first. Drawing nothing, it needs no stream.
/// Saved: the propagator, the bias, counts.
/// Source: Barducci, Bussi and Parrinello, Phys. Rev. Lett. 100, 020603 (2008); weights: Tiwary and Parrinello, J. Phys. Chem. B 119, 736
/// (2015); walkers: Raiteri, Laio, Gervasio, Micheletti and Parrinello, J. Phys. Chem. B 110, 3533 (2006).
pub struct Metadynamics {
    propagator: Box<dyn Propagator<Phase>>,
    bias: Arc<Biased>,
    options: MetadynamicsOptions,
    beta: f64,
    gaussians: u64,
    outside: u64,
}

impl Metadynamics {
    /// `propagator` moves the replicas in `bias`, all at `beta`.
    ///
    /// # Errors
    /// `Error::Input` for a number out of its range; `Error::Shape` when there is not one width a variable.
    pub fn new(propagator: Box<dyn Propagator<Phase>>, bias: Arc<Biased>, beta: f64, options: MetadynamicsOptions) -> Result<Self> {
        let variables = bias.variables().len();
        if options.width.len() != variables {
            return Err(Error::Shape { what: "widths of the Gaussians", expected: variables, found: options.width.len() });
        }
        for (what, value, least) in [("height", options.height, 0.0), ("bias factor", options.bias_factor, 1.0), ("beta", beta, 0.0)] {
            if value.is_nan() || value <= least || (value.is_infinite() && what != "bias factor") {
                return Err(Error::input(format!("the {what} of metadynamics is {value}"), format!("give a number above {least}")));
            }
        }
        if let Some(width) = options.width.iter().find(|w| !(w.is_finite() && **w > 0.0)) {
            return Err(Error::input(format!("the width of the Gaussians is {width}"), "give a number above 0"));
        }
        if options.every == 0 {
            return Err(Error::input("a Gaussian every 0 steps", "give 1 or more steps between Gaussians"));
        }
        Ok(Metadynamics { propagator, bias, options, beta, gaussians: 0, outside: 0 })
    }

    /// The potential with its bias.
    pub fn bias(&self) -> &Arc<Biased> {
        &self.bias
    }

    /// Gaussians added so far.
    pub fn gaussians(&self) -> u64 {
        self.gaussians
    }

    /// Times that a walker was outside the grid and added none.
    pub fn outside(&self) -> u64 {
        self.outside
    }

    /// 1 / (1 - 1/gamma) = gamma / (gamma - 1).
    fn amplification(&self) -> f64 {
        1.0 / (1.0 - 1.0 / self.options.bias_factor)
    }

    /// beta F at the nodes of the grid, least 0, `[node of axis 0][node of axis 1]`, in kT. The density that it is the logarithm of is
    /// one in xi: no Jacobian is taken off.
    pub fn free_energy(&self) -> Vec<f64> {
        let scale = -self.beta * self.amplification();
        let mut f = self.bias.table().values();
        let mut least = f64::INFINITY;
        for f in &mut f {
            *f *= scale;
            least = least.min(*f);
        }
        for f in &mut f {
            *f -= least;
        }
        f
    }

    /// -ln(P_b / P_a) of two regions of the collective variables, in kT, from [`Metadynamics::free_energy`]: the difference of free
    /// energy from region a to region b. Cells belong to the region that holds their node.
    ///
    /// # Errors
    /// `Error::Input` when a region holds no node.
    pub fn difference(&self, a: impl Fn(&[f64]) -> bool, b: impl Fn(&[f64]) -> bool) -> Result<f64> {
        let axes = self.bias.table().axes();
        let row = axes.get(1).map_or(1, Axis::nodes);
        let (mut in_a, mut in_b, mut found) = (0.0, 0.0, [false; 2]);
        for (node, f) in self.free_energy().iter().enumerate() {
            let mut xi = [axes[0].node(node / row), 0.0];
            if let Some(axis) = axes.get(1) {
                xi[1] = axis.node(node % row);
            }
            let (xi, p) = (&xi[..axes.len()], Real::exp(-f));
            if a(xi) {
                (in_a, found[0]) = (in_a + p, true);
            }
            if b(xi) {
                (in_b, found[1]) = (in_b + p, true);
            }
        }
        if found != [true; 2] {
            return Err(Error::input(
                "a region of the collective variables holds no node of the grid",
                "widen it, or narrow the Gaussians",
            ));
        }
        Ok(Real::ln(in_a) - Real::ln(in_b))
    }

    /// c(t), in the potential's unit of energy.
    pub fn offset(&self) -> f64 {
        let values = self.bias.table().values();
        let up = log_sum_exp(&values, self.beta * self.amplification());
        let down = log_sum_exp(&values, self.beta * (self.amplification() - 1.0));
        (up - down) / self.beta
    }

    /// beta (V(xi) - c(t)) of every replica: log-weights that undo the bias in averages over frames.
    pub fn log_weights(&self, ens: &Ensemble<Phase>) -> Vec<f64> {
        let (xi, offset) = (self.bias.measure(&ens.state().x), self.offset());
        xi.chunks_exact(self.options.width.len()).map(|xi| self.beta * (self.bias.bias(xi) - offset)).collect()
    }

    fn deposit(&mut self, ens: &Ensemble<Phase>) {
        let variables = self.options.width.len();
        let xi = self.bias.measure(&ens.state().x);
        for (r, xi) in xi.chunks_exact(variables).enumerate() {
            if ens.health[r] != Health::Well {
                continue;
            }
            if !self.bias.table().axes().iter().zip(xi).all(|(axis, xi)| axis.holds(*xi)) {
                self.outside += 1;
                continue;
            }
            let tempered = -self.beta * self.bias.bias(xi) / (self.options.bias_factor - 1.0);
            self.bias.add_gaussian(xi, &self.options.width, self.options.height * Real::exp(tempered));
            self.gaussians += 1;
        }
    }
}

/// ln sum exp(scale v).
fn log_sum_exp(values: &[f64], scale: f64) -> f64 {
    let mut top = f64::NEG_INFINITY;
    for v in values {
        top = top.max(scale * v);
    }
    let mut sum = 0.0;
    for v in values {
        sum += Real::exp(scale * v - top);
    }
    top + Real::ln(sum)
}

impl Propagator<Phase> for Metadynamics {
    /// As the propagator's own, with Gaussians wherever `ens.step` becomes a multiple of the interval, its warm-up left out.
    fn advance(&mut self, ens: &mut Ensemble<Phase>, steps: u64) -> Result<()> {
        if let Some((r, t)) = ens.thermo().iter().enumerate().find(|(_, t)| t.beta.to_bits() != self.beta.to_bits()) {
            return Err(Error::input(
                format!("replica {r} is at beta {}, the bias at {}", t.beta, self.beta),
                "give all walkers the temperature of the bias",
            ));
        }
        let mut left = steps;
        while left > 0 {
            let go = left.min(self.options.every - ens.step % self.options.every);
            self.propagator.advance(ens, go)?;
            left -= go;
            if ens.step.is_multiple_of(self.options.every) && self.propagator.warming() == 0 {
                self.deposit(ens);
                self.propagator.prepare(ens)?;
            }
        }
        Ok(())
    }

    /// No: the bias grows.
    fn exact(&self) -> bool {
        false
    }

    fn tally(&self) -> Tally {
        self.propagator.tally()
    }

    fn kinetic(&self) -> Option<&[f64]> {
        self.propagator.kinetic()
    }

    fn degrees_of_freedom(&self) -> usize {
        self.propagator.degrees_of_freedom()
    }

    fn warming(&self) -> u64 {
        self.propagator.warming()
    }

    fn timestep(&self) -> f64 {
        self.propagator.timestep()
    }
}

impl Resume for Metadynamics {
    fn save(&self, to: &mut Snapshot) {
        to.nest("propagator", |s| self.propagator.save(s));
        to.nest("bias", |s| self.bias.save(s));
        to.put("gaussians", self.gaussians);
        to.put("outside", self.outside);
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.propagator.load(from.nested("propagator")?)?;
        self.bias.load(from.nested("bias")?)?;
        self.gaussians = from.u64("gaussians")?;
        self.outside = from.u64("outside")?;
        Ok(())
    }
}
