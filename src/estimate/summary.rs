//! `summary.json`: everything a run has found, for scripts, the report and comparisons.

use super::value::Estimate;
use super::verdict::{Check, Verdict};
use serde::{Deserialize, Serialize};

/// Version of the schema of `summary.json`.
pub const SCHEMA: u32 = 1;

/// The whole of `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// `done`, or `running` when some stage has not come to its end.
    pub status: String,
    /// Name of the campaign.
    pub campaign: String,
    /// One line about it.
    pub title: Option<String>,
    /// Name of the system.
    pub system: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// Version of the program.
    pub version: String,
    /// May the results be believed?
    pub verdict: Verdict,
    /// Estimates of all stages and sweep points.
    pub estimates: Vec<Estimate>,
    /// What each stage was and found about itself.
    pub stages: Vec<StageSummary>,
    /// Costs; not part of the results.
    pub performance: Performance,
    /// What looks odd.
    pub warnings: Vec<String>,
    /// What the numbers mean: conventions, what a path leaves over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Papers of the methods used.
    pub papers: Vec<String>,
}

/// One stage of one sweep point.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageSummary {
    /// Name of the stage.
    pub stage: String,
    /// The sweep point's values, "" without a sweep.
    pub point: String,
    /// Folder within the run directory.
    pub folder: String,
    /// `minimise`, `sample` or `estimate`.
    pub kind: String,
    /// How replicas moved.
    pub propagator: Option<String>,
    /// Replicas.
    pub replicas: usize,
    /// Steps of each.
    pub steps: u64,
    /// Steps between frames.
    pub every: u64,
    /// Time of a step in `time_unit`.
    pub timestep: f64,
    /// Unit of time, none in reduced units.
    pub time_unit: Option<String>,
    /// Stored frames.
    pub draws: usize,
    /// Frames left out at the start.
    pub discard: usize,
    /// `declared`, `automatic`, or why automatic was impossible.
    pub discard_by: String,
    /// Replicas that diverged, with the step.
    pub diverged: Vec<(usize, u64)>,
    /// Fraction of proposals accepted.
    pub acceptance: Option<f64>,
    /// Scalar columns.
    pub columns: Vec<ColumnSummary>,
    /// Declared basins.
    pub basins: Option<BasinsSummary>,
    /// The verdict's checks of this stage.
    pub checks: Vec<Check>,
    /// Free-energy surfaces of this stage.
    pub surfaces: Vec<SurfaceSummary>,
    /// Of minimise stages, one entry a replica.
    pub minimised: Vec<Minimised>,
    /// Energy evaluations of the stage.
    #[serde(default)]
    pub evaluations: u64,
    /// Those of them whose forces were used; none where that was not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradients: Option<u64>,
    /// Of estimate stages: the stage that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Of stages on a ladder of states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<LadderSummary>,
    /// Free energies of a ladder, of estimate stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_energies: Option<FreeEnergySummary>,
    /// Works of switching, of estimate stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub works: Option<WorkSummary>,
    /// Runs of an annealing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annealing: Option<AnnealSummary>,
}

/// What replicas did on a ladder of thermodynamic states.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LadderSummary {
    /// `temperature` or `lambda`.
    pub variable: String,
    /// Value of each state.
    pub values: Vec<f64>,
    /// Names of the states.
    pub states: Vec<String>,
    /// The state that plain sampling would have.
    pub target: usize,
    /// Independent copies that are judged.
    pub copies: usize,
    /// Replicas of a copy.
    pub per_copy: usize,
    /// Accepted fraction between neighbours; none where nothing was tried.
    pub acceptance: Vec<Option<f64>>,
    /// Round trips of each replica, from the first state to the last and back.
    pub round_trips: Vec<u64>,
    /// Second largest eigenvalue of the mixing matrix.
    pub second_eigenvalue: Option<f64>,
    /// Fraction of the visits of each state by replicas that come from the first state.
    pub upward: Vec<Option<f64>>,
    /// Frames at each state.
    pub visits: Vec<u64>,
    /// Learned weights of an expanded ensemble.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f64>,
}

/// Free energies of the states of a ladder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FreeEnergySummary {
    /// `mbar`, `bar`, `ti` or `exp`.
    pub method: String,
    /// Unit of all free energies.
    pub unit: String,
    /// Value of each state.
    pub values: Vec<f64>,
    /// Names of the states.
    pub states: Vec<String>,
    /// Free energy of each state less that of the first.
    pub f: Vec<f64>,
    /// Their standard errors.
    pub stderr: Vec<f64>,
    /// Statistical inefficiency of the frames.
    pub g: Option<f64>,
    /// Where the errors come from.
    pub errors: String,
    /// Overlap matrix, `[i][j]`; empty where the method has none.
    pub overlap: Vec<Vec<f64>>,
    /// Places among the states of ends that were not sampled and that only a quadrature reaches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_quadrature: Vec<usize>,
    /// Of thermodynamic integration: the rule, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Mean of beta dU/dlambda at each sampled state with its error, of thermodynamic integration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gradients: Vec<(f64, f64)>,
    /// Free-energy difference of the ends from the first and from the last part of the data: fraction, forward value and error,
    /// reverse value and error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub convergence: Vec<[f64; 5]>,
}

/// Works of switching trajectories, in kT.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkSummary {
    /// From 0 to 1.
    pub forward: Vec<f64>,
    /// From 1 to 0.
    pub reverse: Vec<f64>,
    /// Where the histograms should cross, in kT.
    pub delta_f: Option<f64>,
    /// Its standard error.
    pub stderr: Option<f64>,
}

/// Runs of an annealing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnnealSummary {
    /// ln of the mean weight of each run; of a normalised base log Z.
    pub log_z: Vec<f64>,
    /// Effective fraction of the particles at the end of each run.
    pub ess: Vec<f64>,
    /// Values of lambda of the last run; none along temperatures.
    pub lambdas: Vec<f64>,
    /// Temperatures of the last run, of an annealing along them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub temperatures: Vec<f64>,
    /// Families that survived in each run.
    pub families: Vec<f64>,
}

/// Diagnostics of one scalar column after the discard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnSummary {
    /// As in the campaign.
    pub name: String,
    /// Unit.
    pub unit: Option<String>,
    /// An angle: mean and diagnostics are those of its cosine and sine, the worse of the two.
    pub periodic: bool,
    /// Mean.
    pub mean: Option<f64>,
    /// Its standard error.
    pub stderr: Option<f64>,
    /// Integrated autocorrelation time in draws.
    pub tau: Option<f64>,
    /// Its standard error.
    pub tau_stderr: Option<f64>,
    /// Statistical inefficiency 2 tau.
    pub g: Option<f64>,
    /// Rank-normalised split R-hat.
    pub r_hat: Option<f64>,
    /// Bulk effective sample size.
    pub ess_bulk: Option<f64>,
    /// Tail effective sample size.
    pub ess_tail: Option<f64>,
    /// Standard error from block averages, where they have a plateau.
    pub stderr_blocks: Option<f64>,
    /// First draw of equilibrium by its own detection.
    pub equilibrated: Option<usize>,
    /// Why a number is missing.
    pub remark: Option<String>,
}

/// Declared basins of one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BasinsSummary {
    /// Names of the columns that span them.
    pub of: Vec<String>,
    /// Each basin.
    pub basins: Vec<BasinSummary>,
    /// `[from][to]`.
    pub crossings: Vec<u64>,
    /// Draws in no basin.
    pub between: u64,
}

/// One declared basin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BasinSummary {
    /// Its name.
    pub name: String,
    /// Lower and upper end along each column.
    pub sides: Vec<(f64, f64)>,
    /// Fraction of draws; none: not visited.
    pub population: Option<f64>,
    /// Its standard error.
    pub stderr: Option<f64>,
    /// Stays.
    pub visits: u64,
    /// Replicas that have been inside.
    pub replicas: usize,
    /// Crossings into it.
    pub entered: u64,
    /// Crossings out of it.
    pub left: u64,
}

/// A free-energy surface or profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SurfaceSummary {
    /// The estimate stage.
    pub stage: String,
    /// Names of the columns.
    pub of: Vec<String>,
    /// Units of the columns.
    pub units: Vec<Option<String>>,
    /// Bin edges along each column.
    pub edges: Vec<Vec<f64>>,
    /// Free energy of each bin; none: not visited.
    pub free_energy: Vec<Option<f64>>,
    /// Standard errors.
    pub stderr: Vec<Option<f64>>,
    /// Unit of the free energy.
    pub unit: Option<String>,
    /// Of which ensemble, from which frames, how smoothed; none: plain frames as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}

/// What a minimisation did to one replica.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Minimised {
    /// Energy before.
    pub energy_before: Option<f64>,
    /// Energy after.
    pub energy_after: Option<f64>,
    /// Largest force component before.
    pub force_before: Option<f64>,
    /// Largest force component after.
    pub force_after: Option<f64>,
    /// Steps taken.
    pub steps: u64,
    /// Did it reach the tolerance?
    pub converged: bool,
}

/// What a run cost, interruptions left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Processor seconds of the sampling stages.
    pub cpu_s: f64,
    /// Seconds on the clock of the sampling stages.
    pub wall_s: f64,
    /// Seconds spent handing frames to files and closing segments.
    pub io_s: f64,
    /// Steps times replicas, per processor second.
    pub replica_steps_per_cpu_s: f64,
    /// Energy and force evaluations of single replicas.
    pub evaluations: u64,
    /// The same per processor second.
    pub evaluations_per_cpu_s: f64,
    /// Threads of the last run or resume.
    pub threads: usize,
    /// Vector path.
    pub isa: String,
}
