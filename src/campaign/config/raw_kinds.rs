//! The tables of [`super::kinds`] and of `[path]` as serde reads them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::anneal::{Kernel, Schedule};
use super::column::Column;
use super::exchange::Mixing;
use super::expanded::Weights;
use super::leaf::{Count, Flag, Number, Scalar, Word};
use super::map::RawMap;
use super::placed::Placed;
use super::propagator::Propagator;
use super::raw::{Intervals, Sample, Start};
use super::shape::{Named, Spread, WordOr};
use super::switch::Directions;
use crate::campaign::units::Quantity;

/// A table with the keys of every chain and its own. Serde's `flatten` would do the same and lose the places of the values.
macro_rules! chain {
    ($(#[$doc:meta])* $name:ident { $($(#[$own_doc:meta])* $own:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, expecting = "a table")]
        pub(super) struct $name {
            $($(#[$own_doc])* pub(super) $own: $type,)*
            /// How replicas move.
            #[schemars(required)]
            pub(super) propagator: Option<Placed<Propagator>>,
            /// Step of the integrator ("2 fs"); for mala and hmc the leapfrog step.
            #[schemars(required)]
            pub(super) timestep: Option<Placed<Quantity>>,
            /// Friction ("1 /ps") of baoab, obabo, euler_maruyama and leimkuhler_matthews.
            pub(super) friction: Option<Placed<Quantity>>,
            /// Temperature ("300 K"; kT in reduced units). Either this or beta; neither with a ladder of temperatures.
            pub(super) temperature: Option<Placed<Quantity>>,
            /// 1/kT ("0.4 mol/kJ"). Either this or temperature.
            pub(super) beta: Option<Placed<Quantity>>,
            /// How many independent copies (of an exchange: of the whole ladder).
            #[schemars(required)]
            pub(super) replicas: Option<Placed<Count>>,
            /// How many steps each takes after the warm-up; of hmc and mala: how many proposals.
            #[schemars(required)]
            pub(super) steps: Option<Placed<Count>>,
            /// From where: see the start of a sample stage.
            pub(super) start: Option<Placed<WordOr<Start>>>,
            /// What estimates leave out at the beginning: a time ("50 ps"), a number of steps, or "auto" (the default; of metadynamics
            /// the first half, in which the bias fills up).
            pub(super) discard: Option<Placed<Scalar>>,
            /// Steps before the sampling in which mala and hmc adapt their step size. Default 0: no adaptation.
            pub(super) warmup: Option<Placed<Count>>,
            /// Acceptance that the warm-up aims at. Default 0.574 for mala, 0.8 for hmc.
            pub(super) target_acceptance: Option<Placed<Number>>,
            /// Leapfrog steps of one proposal of hmc. Default 10.
            pub(super) leapfrog_steps: Option<Placed<Count>>,
            /// Whether the motion of the centre of mass is taken out. Default: as the system says.
            pub(super) remove_com: Option<Placed<Flag>>,
        }

        impl $name {
            /// The keys of the chain.
            pub(super) fn chain(&self) -> Sample {
                Sample {
                    propagator: self.propagator.clone(),
                    timestep: self.timestep.clone(),
                    friction: self.friction.clone(),
                    temperature: self.temperature.clone(),
                    beta: self.beta.clone(),
                    lambda: None,
                    replicas: self.replicas.clone(),
                    steps: self.steps.clone(),
                    start: self.start.clone(),
                    discard: self.discard.clone(),
                    warmup: self.warmup.clone(),
                    target_acceptance: self.target_acceptance.clone(),
                    leapfrog_steps: self.leapfrog_steps.clone(),
                    remove_com: self.remove_com.clone(),
                }
            }
        }
    };
}

chain! {
    /// Replica exchange: parallel tempering over `temperatures`, Hamiltonian exchange over `lambdas`. `replicas` counts independent
    /// copies of the whole ladder. Each frame stores the place on the ladder (`state`) and the reduced energy at every state (`u_kn`).
    Exchange {
        /// Temperatures: a list, or { from = "300 K", to = "600 K", count = 8 } at equal ratios.
        temperatures: Option<Placed<Spread<Quantity>>>,
        /// Values of lambda: a list, { from = 0, to = 1, count = 8 } at equal differences, or { gauss_legendre = 8 }, points of quadrature.
        lambdas: Option<Placed<Spread<Number>>>,
        /// Steps between two rounds of exchanges.
        #[schemars(required)]
        swap_every: Option<Placed<Count>>,
        /// Which pairs are tried: "neighbour" (the default), "gibbs", or "none" for uncoupled umbrella windows.
        mixing: Option<Placed<Mixing>>,
    }
}

chain! {
    /// Expanded ensemble: each replica jumps among the states of a ladder, with weights learned on the way.
    Expanded {
        /// Temperatures: a list, or { from = "300 K", to = "600 K", count = 8 } at equal ratios.
        temperatures: Option<Placed<Spread<Quantity>>>,
        /// Values of lambda: a list, or { from = 0, to = 1, count = 8 } at equal differences.
        lambdas: Option<Placed<Spread<Number>>>,
        /// Steps between two jumps.
        #[schemars(required)]
        jump_every: Option<Placed<Count>>,
        /// How the weights are learned: "sams" (the default) or "wang_landau".
        weights: Option<Placed<Weights>>,
    }
}

chain! {
    /// Well-tempered metadynamics.
    Metadynamics {
        /// One or two biased observables: ["dihedral:phi"].
        #[schemars(required)]
        of: Option<Placed<Vec<Placed<Column>>>>,
        /// Width of a hill along each of them.
        #[schemars(required)]
        width: Option<Placed<Vec<Placed<Quantity>>>>,
        /// Height of the first hill ("1 kJ/mol").
        #[schemars(required)]
        height: Option<Placed<Quantity>>,
        /// (T + delta T) / T, above 1.
        #[schemars(required)]
        bias_factor: Option<Placed<Number>>,
        /// Steps between two hills.
        #[schemars(required)]
        every: Option<Placed<Count>>,
        /// Independent biases, each filled by `replicas` walkers: the error comes from their spread. Default 4.
        copies: Option<Placed<Count>>,
        /// Where the bias is kept, { "coordinate:0" = [-3, 3] }; angles need none.
        range: Option<Intervals>,
    }
}

/// Annealing along the path, from the base at lambda = 0 to the system at 1: ends in log_z or delta_f. Along `temperatures`
/// population annealing: from an equilibrated stage at the hottest to the coldest.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Anneal {
    /// What moves the particles at each level.
    #[schemars(required)]
    pub(super) kernel: Option<Placed<Kernel>>,
    /// Step of the kernel; of hmc the leapfrog step.
    #[schemars(required)]
    pub(super) timestep: Option<Placed<Quantity>>,
    /// Friction of langevin.
    pub(super) friction: Option<Placed<Quantity>>,
    /// Leapfrog steps of one proposal of hmc. Default 10.
    pub(super) leapfrog_steps: Option<Placed<Count>>,
    /// Acceptance that the step of hmc and mala follows from level to level. Without it the step is fixed, and log_z has no bias of
    /// order 1/replicas from the adaptation.
    pub(super) target_acceptance: Option<Placed<Number>>,
    /// Temperature ("300 K"; kT in reduced units). Either this or beta; neither with temperatures.
    pub(super) temperature: Option<Placed<Quantity>>,
    /// 1/kT ("0.4 mol/kJ"). Either this or temperature.
    pub(super) beta: Option<Placed<Quantity>>,
    /// Falling temperatures at full coupling, instead of levels or lambdas: a list, or { from = "600 K", to = "300 K", count = 64 } at
    /// equal ratios. Of an adaptive schedule the two ends.
    pub(super) temperatures: Option<Placed<Spread<Quantity>>>,
    /// Particles of one run.
    #[schemars(required)]
    pub(super) replicas: Option<Placed<Count>>,
    /// So many equal intervals of lambda. Either this or lambdas; neither with an adaptive schedule.
    pub(super) levels: Option<Placed<Count>>,
    /// Values of lambda from 0 to 1: a list, or { from = 0, to = 1, count = 65 }.
    pub(super) lambdas: Option<Placed<Spread<Number>>>,
    /// Carries the particles along with lambda before they move: { scale = "...", shift = "..." }.
    pub(super) map: Option<Placed<RawMap>>,
    /// Steps of the kernel at each level. Default 1.
    pub(super) steps_per_level: Option<Placed<Count>>,
    /// "fixed" (the default), or "adaptive": each level as far as `ess` allows.
    pub(super) schedule: Option<Placed<Schedule>>,
    /// Fraction of effective particles below which they are resampled; of an adaptive schedule that of each step to the next level, while
    /// they are resampled below 0.5. Default 0.5.
    pub(super) ess: Option<Placed<Number>>,
    /// Resample (sequential Monte Carlo, the default), or not (annealed importance sampling).
    pub(super) resample: Option<Placed<Flag>>,
    /// Independent runs: the error comes from their spread. Default 8.
    pub(super) runs: Option<Placed<Count>>,
    /// From where, if the base has no exact draws: "stage:NAME" of a sample stage in equilibrium at lambda = 0, or at the first
    /// temperature.
    pub(super) start: Option<Placed<WordOr<Start>>>,
    /// Whether the motion of the centre of mass is taken out. Default: as the system says.
    pub(super) remove_com: Option<Placed<Flag>>,
}

/// Nonequilibrium switching between lambda = 0 and 1: the work of each trajectory is stored.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Switch {
    /// How replicas move, at the ends and between: mala or hmc.
    #[schemars(required)]
    pub(super) propagator: Option<Placed<Propagator>>,
    /// The leapfrog step ("2 fs").
    #[schemars(required)]
    pub(super) timestep: Option<Placed<Quantity>>,
    /// Temperature ("300 K"; kT in reduced units). Either this or beta.
    pub(super) temperature: Option<Placed<Quantity>>,
    /// 1/kT ("0.4 mol/kJ"). Either this or temperature.
    pub(super) beta: Option<Placed<Quantity>>,
    /// Independent replicas at each end.
    #[schemars(required)]
    pub(super) replicas: Option<Placed<Count>>,
    /// Steps before the first trajectory.
    #[schemars(required)]
    pub(super) equilibrate: Option<Placed<Count>>,
    /// Trajectories from each replica.
    #[schemars(required)]
    pub(super) shots: Option<Placed<Count>>,
    /// Steps of equilibrium between two of them.
    #[schemars(required)]
    pub(super) spacing: Option<Placed<Count>>,
    /// So many equal intervals of lambda. Either this or lambdas.
    pub(super) levels: Option<Placed<Count>>,
    /// Values of lambda from 0 to 1: a list, or { from = 0, to = 1, count = 65 }.
    pub(super) lambdas: Option<Placed<Spread<Number>>>,
    /// Carries the trajectories along with lambda before they move (escorted switching): { scale = "...", shift = "..." }.
    pub(super) map: Option<Placed<RawMap>>,
    /// Steps at each level. Default 1. With a map 0 is allowed: with levels = 1 that is targeted perturbation.
    pub(super) steps_per_level: Option<Placed<Count>>,
    /// "both" (the default) or "forward".
    pub(super) directions: Option<Placed<Directions>>,
    /// Leapfrog steps of one proposal of hmc. Default 10.
    pub(super) leapfrog_steps: Option<Placed<Count>>,
    /// From where: see the start of a sample stage.
    pub(super) start: Option<Placed<WordOr<Start>>>,
    /// Whether the motion of the centre of mass is taken out. Default: as the system says.
    pub(super) remove_com: Option<Placed<Flag>>,
}

impl Switch {
    /// The keys of the chains at both ends.
    pub(super) fn chain(&self) -> Sample {
        let product = match (&self.shots, &self.spacing) {
            (Some(shots), Some(spacing)) => Some(spacing.with(Count(shots.value.0.saturating_mul(spacing.value.0)))),
            _ => None,
        };
        Sample {
            propagator: self.propagator.clone(),
            timestep: self.timestep.clone(),
            temperature: self.temperature.clone(),
            beta: self.beta.clone(),
            replicas: self.replicas.clone(),
            steps: product,
            start: self.start.clone(),
            leapfrog_steps: self.leapfrog_steps.clone(),
            remove_com: self.remove_com.clone(),
            ..Sample::default()
        }
    }
}

/// What lambda does: `kind` with its keys, or knobs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Path {
    /// What lambda does between 0 and 1.
    pub(super) kind: Option<Placed<PathKind>>,
    /// Of geometric: { normal = WIDTH }; of linear: { system = "NAME" } or { formula = "..." }.
    pub(super) base: Option<Placed<Base>>,
    /// Of soft_core: which atoms are decoupled; of charges, solvent_charges and knobs: which they act on (all without). A list of
    /// "CA", "12:CA", "A:12:CA", "#4", "#4-#9", or a residue's name "LIG".
    pub(super) atoms: Option<Placed<Word>>,
    /// Of umbrella: the restrained observable, "dihedral:phi", "distance:a,b", "coordinate:0" or "radius_of_gyration".
    pub(super) of: Option<Placed<Column>>,
    /// Of umbrella: the centre at lambda = 0 and 1.
    pub(super) centres: Option<Placed<Centres>>,
    /// Of umbrella: the force constant ("200 kJ/mol/rad^2").
    pub(super) stiffness: Option<Placed<Quantity>>,
    /// Several knobs, each a list of [lambda, value] between which it is linear: { charges = [[0, 0], [0.5, 1]] }.
    pub(super) knobs: Option<Placed<Knobs>>,
}

/// Points [lambda, value] by the name of the knob.
pub(super) type Knobs = Named<Placed<Vec<Point>>>;
type Point = Placed<Vec<Placed<Number>>>;

/// The kinds of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PathKind {
    /// From a normalised Gaussian: log Z is absolute.
    Geometric,
    /// From another energy.
    Linear,
    /// Implicit solvent from nothing to full.
    Solvent,
    /// Charges from nothing to full, in Coulomb pairs and in the implicit solvent.
    Charges,
    /// Charges in the implicit solvent from nothing to full; its surface term stays.
    SolventCharges,
    /// Lennard-Jones of some atoms from nothing to full.
    SoftCore,
    /// A harmonic restraint whose centre moves. Averages over its windows (mean, fes, basins, reweight) are those of the system
    /// without restraint.
    Umbrella,
}

impl PathKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            PathKind::Geometric => "geometric",
            PathKind::Linear => "linear",
            PathKind::Solvent => "solvent",
            PathKind::Charges => "charges",
            PathKind::SolventCharges => "solvent_charges",
            PathKind::SoftCore => "soft_core",
            PathKind::Umbrella => "umbrella",
        }
    }
}

/// Where a path begins; exactly one key.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Base {
    /// Standard deviation of the Gaussian of a geometric path.
    pub(super) normal: Option<Placed<Quantity>>,
    /// Another system.
    pub(super) system: Option<Placed<Word>>,
    /// Another formula.
    pub(super) formula: Option<Placed<Word>>,
}

/// Two ends of a restraint's centre.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Centres {
    /// At lambda = 0.
    #[schemars(required)]
    pub(super) from: Option<Placed<Quantity>>,
    /// At lambda = 1.
    #[schemars(required)]
    pub(super) to: Option<Placed<Quantity>>,
}
