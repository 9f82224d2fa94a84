//! A potential under a bias that grows: what metadynamics samples.

use super::collective::{Collective, Gradient};
use super::table::{Axis, Table};
use super::{Potential, plus};
use crate::batch::{Coords, Snapshot};
use crate::real::{Lanewise, Octet, Wide, dispatch};
use crate::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// U(x; lambda) + V(xi_1(x), xi_2(x)), V being a [`Table`] over one or two collective variables.
///
/// One bias for all replicas: a block of 8 does not know which replicas it holds, and walkers that share a bias fill it together.
/// [`Potential::version`] changes with V, so that cached forces do not outlive it. Last of the terms: "bias".
pub struct Biased {
    base: Arc<dyn Potential>,
    of: Vec<Arc<dyn Collective>>,
    table: Table,
    grown: AtomicU64,
}

impl Biased {
    /// No bias yet. One axis a variable.
    ///
    /// # Errors
    /// `Error::Shape` when a variable is measured on other configurations, or the axes are not as many as the variables;
    /// `Error::Input` for other than one or two, or an axis that is no circle of the variable's period where it has one.
    pub fn new(base: Arc<dyn Potential>, of: Vec<Arc<dyn Collective>>, axes: Vec<Axis>) -> Result<Self> {
        if axes.len() != of.len() {
            return Err(Error::Shape { what: "axes of the bias", expected: of.len(), found: axes.len() });
        }
        for (i, (of, axis)) in of.iter().zip(&axes).enumerate() {
            if of.dof() != base.dof() {
                let what = "degrees of freedom of the collective variable";
                return Err(Error::Shape { what, expected: base.dof(), found: of.dof() });
            }
            let length = axis.high - axis.low;
            let fits = match of.period() {
                Some(period) => axis.circle && (length - period).abs() <= 1e-12 * period,
                None => !axis.circle,
            };
            if !fits {
                return Err(Error::input(
                    format!(
                        "axis {i} of the bias, from {} to {}, circle: {}, of a variable of period {:?}",
                        axis.low,
                        axis.high,
                        axis.circle,
                        of.period()
                    ),
                    "let the axis of a periodic variable be a circle of its period, and of any other a range",
                ));
            }
        }
        Ok(Biased { base, of, table: Table::new(axes)?, grown: AtomicU64::new(0) })
    }

    /// The collective variables.
    pub fn variables(&self) -> &[Arc<dyn Collective>] {
        &self.of
    }

    /// The potential without bias.
    pub fn base(&self) -> &Arc<dyn Potential> {
        &self.base
    }

    /// V.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// V at one point.
    pub fn bias(&self, xi: &[f64]) -> f64 {
        self.table.value(xi, &mut [0.0; 2])
    }

    /// The collective variables of every replica, `[replica][variable]`.
    pub fn measure(&self, x: &Coords) -> Vec<f64> {
        let mut xi = vec![0.0; x.replicas() * self.of.len()];
        for (i, of) in self.of.iter().enumerate() {
            let mut gradient = Gradient::new(&**of);
            for b in 0..x.blocks() {
                let values = of.value_gradient_block(x.block(b), gradient.get());
                for r in 8 * b..(8 * b + 8).min(x.replicas()) {
                    xi[r * self.of.len() + i] = values.0[r % 8];
                }
            }
        }
        xi
    }

    /// V += height exp(-sum_i (xi_i - centre_i)^2 / (2 width_i^2)). Not while a propagator is at work.
    pub fn add_gaussian(&self, centre: &[f64], width: &[f64], height: f64) {
        self.table.add_gaussian(centre, width, height);
        self.grown.fetch_add(1, Ordering::Relaxed);
    }

    /// V for a checkpoint.
    pub fn save(&self, to: &mut Snapshot) {
        to.put("bias", self.table.numbers());
    }

    /// V from a checkpoint.
    ///
    /// # Errors
    /// `Error::Run` or `Error::Shape` when there is none of this shape.
    pub fn load(&self, from: &Snapshot) -> Result<()> {
        self.table.set_numbers(from.f64s("bias")?)?;
        self.grown.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// f -= dV/dxi dxi/dx, and the sum of the two energies.
struct Push<'a> {
    slope: Octet,
    support: &'a [usize],
    gradient: &'a [Octet],
    f: &'a mut [Octet],
}

impl Lanewise for Push<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        let Push { slope, support, gradient, f } = self;
        let (slope, gradient, f) = (L::load(slope), L::of_octets(gradient), L::of_octets_mut(f));
        for k in 0..support.len() {
            f[support[k]] -= slope * gradient[k];
        }
    }
}

impl Potential for Biased {
    fn dof(&self) -> usize {
        self.base.dof()
    }

    fn terms(&self) -> Vec<String> {
        let mut terms = self.base.terms();
        terms.push("bias".to_owned());
        terms
    }

    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet {
        let (mut base_terms, mut last) = (None, None);
        if let Some((end, rest)) = terms.and_then(<[Octet]>::split_last_mut) {
            (base_terms, last) = (Some(rest), Some(end));
        }
        let base = self.base.eval_block(x, lambda, f, base_terms);
        let mut gradients = [Gradient::new(&*self.of[0]), Gradient::new(&**self.of.last().unwrap_or(&self.of[0]))];
        let (mut xi, mut slope) = ([Octet::of(0.0); 2], [Octet::of(0.0); 2]);
        for (i, of) in self.of.iter().enumerate() {
            xi[i] = of.value_gradient_block(x, gradients[i].get());
        }
        let u = self.table.value_block(&xi, &mut slope);
        for (i, of) in self.of.iter().enumerate() {
            dispatch(Push { slope: slope[i], support: of.support(), gradient: gradients[i].get(), f });
        }
        if let Some(last) = last {
            *last = u;
        }
        plus(base, u)
    }

    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        let n = self.base.terms().len();
        let base = self.base.eval_one(x, lambda, f, &mut terms[..n]);
        let (mut xi, mut slope, mut gradients) = ([0.0; 2], [0.0; 2], Vec::new());
        for (i, of) in self.of.iter().enumerate() {
            let mut gradient = vec![0.0; of.support().len()];
            xi[i] = of.value_gradient(x, &mut gradient);
            gradients.push(gradient);
        }
        let u = self.table.value(&xi, &mut slope);
        for (i, of) in self.of.iter().enumerate() {
            for (g, d) in gradients[i].iter().zip(of.support()) {
                f[*d] -= slope[i] * g;
            }
        }
        terms[n] = u;
        base + u
    }

    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        let (base, mut along) = self.base.derivative(x, lambda, dx, dlambda);
        let (mut xi, mut slope, mut xi_along) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        for (i, of) in self.of.iter().enumerate() {
            (xi[i], xi_along[i]) = of.derivative(x, dx);
        }
        let u = self.table.value(&xi, &mut slope);
        for i in 0..self.of.len() {
            along += slope[i] * xi_along[i];
        }
        (base + u, along)
    }

    /// That of U.
    fn slope_block(&self, x: &[Octet], lambda: Octet) -> Octet {
        self.base.slope_block(x, lambda)
    }

    fn calls(&self, couplings: usize) -> usize {
        self.base.calls(couplings)
    }

    /// U at every coupling, the bias once.
    fn energies_block(&self, x: &[Octet], lambdas: &[f64], u: &mut [Octet]) {
        self.base.energies_block(x, lambdas, u);
        let (mut xi, mut slope) = ([Octet::of(0.0); 2], [Octet::of(0.0); 2]);
        for (i, of) in self.of.iter().enumerate() {
            xi[i] = of.value_gradient_block(x, Gradient::new(&**of).get());
        }
        let bias = self.table.value_block(&xi, &mut slope);
        for u in u {
            *u = plus(*u, bias);
        }
    }

    fn version(&self) -> u64 {
        self.base.version().wrapping_add(self.grown.load(Ordering::Relaxed))
    }
}
