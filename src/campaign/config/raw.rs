//! The campaign file as serde reads it: every key optional, so that one wrong key hides no other; [`super::check`] asks for what
//! must be there. The JSON schema that `ergodica schema` prints is derived from these types, so their doc comments are its texts.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::column::Column;
use super::estimates::{EnergyUnit, Method, Rule, Smooth};
use super::leaf::{Any, Count, Flag, Number, Scalar, Word};
use super::placed::Placed;
use super::propagator::Propagator;
use super::raw_kinds::{Anneal, Exchange, Expanded, Metadynamics, Path, Switch};
use super::sample::Precision;
use super::shape::{FrameList, Named, OneOrMany, SweepValues, WordOr};
use crate::campaign::units::Quantity;

/// A campaign of Ergodica: which system, how it is sampled, what is estimated.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a campaign")]
#[schemars(title = "Ergodica campaign")]
pub(in crate::campaign) struct Document {
    /// Name, seed and checkpoints.
    #[schemars(required)]
    pub(super) campaign: Option<Placed<Head>>,
    /// The system that is sampled.
    #[schemars(required)]
    pub(super) system: Option<Placed<System>>,
    /// One run for every combination of these values. A key is STAGE.KEY ("production.timestep"), STAGE.observe.KEY,
    /// "system.parameters.KEY" or the like; a value is a list, or { from = .., to = .., count = .. }.
    // taken out of the tree before the rest is read
    #[schemars(with = "Option<Named<SweepValues>>")]
    #[expect(dead_code, reason = "read from the tree; here for the schema and the list of known keys")]
    pub(super) sweep: Option<IgnoredAny>,
    /// What lambda does to the energy, for stages that compare or connect states.
    pub(super) path: Option<Placed<Path>>,
    /// Regions whose visits and crossings are counted: [basins.NAME] with observable = [lower, upper].
    pub(super) basins: Option<Named<Intervals>>,
    /// The stages, in order.
    #[schemars(required)]
    pub(super) stage: Option<Vec<Placed<Stage>>>,
    /// What the verdict asks for.
    pub(super) diagnostics: Option<Diagnostics>,
}

/// `NAME = [lower, upper]` for several names.
pub(super) type Intervals = Placed<Named<Placed<Vec<Placed<Quantity>>>>>;

/// Names of files.
pub(super) type Files = Placed<Vec<Placed<Word>>>;

/// Name, seed and checkpoints.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Head {
    /// Name of the campaign and, unless --out says otherwise, of its run directory runs/NAME.
    #[schemars(required)]
    pub(super) name: Option<Placed<Word>>,
    /// Seed of all randomness. Without one the program draws a seed, prints it and stores it.
    pub(super) seed: Option<Placed<Count>>,
    /// One line for the report.
    pub(super) title: Option<Placed<Word>>,
    /// More for the report.
    pub(super) description: Option<Placed<Word>>,
    /// How often the run is saved: a time on the clock ("5 min", the default) or a number of steps ("10000 steps").
    pub(super) checkpoint: Option<Placed<Scalar>>,
}

/// The system that is sampled: `name`, or `file` and `coordinates`, or `formula` and `variables`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct System {
    /// A system that comes with the program (`ergodica list systems`), or the path of a folder with a system.toml.
    pub(super) name: Option<Placed<Word>>,
    /// An OpenMM System as XML.
    pub(super) file: Option<Placed<Word>>,
    /// Its structure as PDB.
    pub(super) coordinates: Option<Placed<Word>>,
    /// An energy as a formula in `variables`, `parameters` and lambda: numbers, + - * / ^, parentheses, pi and the functions sin cos
    /// tan exp log sqrt sinh cosh tanh acos atan2 abs sgn step min max floor mod. In reduced units.
    pub(super) formula: Option<Placed<Word>>,
    /// Of a formula: one name for each degree of freedom.
    pub(super) variables: Option<Placed<Vec<Placed<Word>>>>,
    /// Of a formula: one mass for each variable. Default 1.
    pub(super) masses: Option<Placed<Vec<Placed<Number>>>>,
    /// Of a formula: where replicas start. Default the origin.
    pub(super) start: Option<Placed<Vec<Placed<Number>>>>,
    /// Of a formula: what is known of it, by quantity: { log_z = { value = 0.5, error = 0, source = "quadrature" } }. Stands beside what
    /// the stages find.
    pub(super) references: Option<Named<Placed<Reference>>>,
    /// An energy on top of the system's, as a formula in its observables (below), in a formula's variables and parameters, in phi, psi,
    /// omega, chi1 and radius_of_gyration of a molecule, and in lambda. Internal units: kJ/mol, nm, radians.
    pub(super) restraint: Option<Placed<Word>>,
    /// Names for collective variables: a column ("distance:A,B") or a formula in those before it. "observable:NAME" is a formula's column.
    pub(super) observables: Option<Named<Placed<Word>>>,
    /// Parameters that replace the system's own, or those of a formula.
    pub(super) parameters: Option<Named<Placed<Any>>>,
}

/// A known value of a quantity, in kT for free energies.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Reference {
    /// The value.
    #[schemars(required)]
    pub(super) value: Option<Placed<Number>>,
    /// Its standard error; 0 if exact.
    #[schemars(required)]
    pub(super) error: Option<Placed<Number>>,
    /// Where it comes from.
    #[schemars(required)]
    pub(super) source: Option<Placed<Word>>,
}

/// One stage: a name and exactly one thing to do.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("oneOf" = [
    { "required": ["minimise"] }, { "required": ["sample"] }, { "required": ["exchange"] }, { "required": ["expanded"] },
    { "required": ["metadynamics"] }, { "required": ["anneal"] }, { "required": ["switch"] }, { "required": ["estimate"] }
]))]
pub(super) struct Stage {
    /// Its name; unique. Other stages and [sweep] refer to it.
    #[schemars(required)]
    pub(super) name: Option<Placed<Word>>,
    /// Walk downhill from each start.
    pub(super) minimise: Option<Placed<Minimise>>,
    /// Sample.
    pub(super) sample: Option<Placed<Sample>>,
    /// Replica exchange over a ladder of temperatures or values of lambda.
    pub(super) exchange: Option<Placed<Exchange>>,
    /// Expanded ensemble over such a ladder.
    pub(super) expanded: Option<Placed<Expanded>>,
    /// Well-tempered metadynamics.
    pub(super) metadynamics: Option<Placed<Metadynamics>>,
    /// Annealed importance sampling or sequential Monte Carlo along the path.
    pub(super) anneal: Option<Placed<Anneal>>,
    /// Nonequilibrium switching along the path.
    pub(super) switch: Option<Placed<Switch>>,
    /// Make numbers of what an earlier stage stored.
    pub(super) estimate: Option<Placed<Estimate>>,
    /// What a stage stores.
    pub(super) observe: Option<Placed<Observe>>,
    /// What the stage may cost.
    pub(super) budget: Option<Placed<Budget>>,
}

/// L-BFGS for every replica.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Minimise {
    /// Ends when no component of a force is larger. Default "10 kJ/mol/nm", or 1e-6 in reduced units.
    pub(super) tolerance: Option<Placed<Quantity>>,
    /// At most so many steps. Default 1000.
    pub(super) max_steps: Option<Placed<Count>>,
    /// How many replicas. Default: as many as there are starts.
    pub(super) replicas: Option<Placed<Count>>,
    /// From where: see the start of a sample stage.
    pub(super) start: Option<Placed<WordOr<Start>>>,
}

/// Sample with one propagator.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("oneOf" = [{ "required": ["temperature"] }, { "required": ["beta"] }]))]
pub(super) struct Sample {
    /// How replicas move.
    #[schemars(required)]
    pub(super) propagator: Option<Placed<Propagator>>,
    /// Step of the integrator ("2 fs"); for mala and hmc the leapfrog step.
    #[schemars(required)]
    pub(super) timestep: Option<Placed<Quantity>>,
    /// Friction ("1 /ps") of baoab, obabo, euler_maruyama and leimkuhler_matthews.
    pub(super) friction: Option<Placed<Quantity>>,
    /// Temperature ("300 K"; kT in reduced units). Either this or beta.
    pub(super) temperature: Option<Placed<Quantity>>,
    /// 1/kT ("0.4 mol/kJ"). Either this or temperature.
    pub(super) beta: Option<Placed<Quantity>>,
    /// Where on the path, from 0 to 1. Default 1: the system itself.
    pub(super) lambda: Option<Placed<Number>>,
    /// How many independent copies.
    #[schemars(required)]
    pub(super) replicas: Option<Placed<Count>>,
    /// How many steps each takes after the warm-up; of hmc and mala: how many proposals.
    #[schemars(required)]
    pub(super) steps: Option<Placed<Count>>,
    /// From where: "minimum" (the system's own start, the default), a PDB file, "stage:NAME" or { stage = "NAME" },
    /// { run = "DIR", stage = "NAME", frames = "last" or [0, 10] }, { structures = ["a.pdb", "b.pdb"] }, { random = "0.1 nm" }.
    /// With fewer starts than replicas they are taken in turn.
    pub(super) start: Option<Placed<WordOr<Start>>>,
    /// What estimates leave out at the beginning: a time ("50 ps"), a number of steps, or "auto" (the default).
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

/// Where replicas start; exactly one of stage alone, run with stage, structures, random.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Start {
    /// An earlier stage of this campaign or, with `run`, a stage of that run.
    pub(super) stage: Option<Placed<Word>>,
    /// The directory of a finished run.
    pub(super) run: Option<Placed<Word>>,
    /// Frames of that run: "last" (the default) or a list, counted from 0.
    pub(super) frames: Option<Placed<FrameList>>,
    /// Structure files (PDB).
    pub(super) structures: Option<Placed<Vec<Placed<Word>>>>,
    /// Standard deviation of a normal displacement of every coordinate from the system's own start.
    pub(super) random: Option<Placed<Quantity>>,
}

/// What a sample stage stores.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Observe {
    /// Every so many steps; must divide the steps of the stage.
    #[schemars(required)]
    pub(super) every: Option<Placed<Count>>,
    /// What is stored.
    #[schemars(required)]
    pub(super) columns: Option<Placed<Vec<Placed<Column>>>>,
    /// Width of stored positions, velocities and forces. Default "single".
    pub(super) precision: Option<Precision>,
}

/// What a stage may cost.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Budget {
    /// The stage ends at the first frame (of an annealing: after the first run) that has cost so many energy evaluations.
    #[schemars(required)]
    pub(super) energy_calls: Option<Placed<Count>>,
}

/// Make numbers of what an earlier stage stored.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Estimate {
    /// How.
    #[schemars(required)]
    pub(super) method: Option<Placed<Method>>,
    /// The stage that is read.
    pub(super) from: Option<Placed<Word>>,
    /// Instead of a stage: files of GROMACS, AMBER, NAMD or GOMC, or arrays, of one leg (see `ergodica estimate --help`).
    pub(super) files: Option<Files>,
    /// Instead of a stage: the files of several legs, which are added up, { NAME = ["FILE", ..] }.
    pub(super) legs: Option<Placed<Named<Files>>>,
    /// Of files: the temperature, "300 K", where they do not say it: NAMD's do not, nor arrays whose answer is in kJ/mol or kcal/mol.
    pub(super) temperature: Option<Placed<Quantity>>,
    /// Of files: what is left out at the start of every simulation, a time ("1 ns") or a number of samples ("500 samples").
    pub(super) discard: Option<Placed<Scalar>>,
    /// Of files: true uses all samples as if they were independent. Default false: they are thinned by their statistical inefficiency.
    pub(super) no_subsample: Option<Placed<Flag>>,
    /// Which of its columns, by their whole text or by what follows the colon.
    pub(super) of: Option<Placed<Vec<Placed<Word>>>>,
    /// Of fes: bins along each observable, one number or a list. Default 60 for one observable, 36 for two.
    pub(super) bins: Option<Placed<OneOrMany<Placed<Count>>>>,
    /// Of fes: lower and upper edge, { NAME = ["0 nm", "2 nm"] }. Default: the whole circle of an angle, else the range of the data.
    pub(super) range: Option<Intervals>,
    /// Of fes: "kde" (Gaussian kernels) or "spline" (cubic, of greatest likelihood). Default: the histogram as it is.
    pub(super) smooth: Option<Placed<Smooth>>,
    /// Of basins: which of the declared ones. Default: all.
    pub(super) basins: Option<Placed<Vec<Placed<Word>>>>,
    /// Of free energies: "kT" (the default), "kJ/mol" or "kcal/mol".
    pub(super) unit: Option<Placed<EnergyUnit>>,
    /// Of ti: "trapezoid", "cubic" or "gauss_legendre". Default: Gauss-Legendre where the states are its points, else cubic; of files
    /// else the trapezoid.
    pub(super) rule: Option<Placed<Rule>>,
    /// Of mbar: how often samples are drawn again, in blocks, for a second error and a 95 % interval. Default: not at all.
    /// Of a smooth fes: resamples of the frames that its errors come from. Default 100.
    pub(super) bootstraps: Option<Placed<Count>>,
}

/// What the verdict asks for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Diagnostics {
    /// Largest rank-normalised split R-hat. Default 1.01.
    pub(super) rhat: Option<Placed<Number>>,
    /// Smallest effective sample size, bulk and tail. Default 400.
    pub(super) ess: Option<Placed<Number>>,
    /// Fewest crossings between basins that were both visited. Default 20.
    pub(super) min_crossings: Option<Placed<Count>>,
    /// Largest fraction of replicas that may have diverged. Default 0.
    pub(super) max_diverged: Option<Placed<Number>>,
}
