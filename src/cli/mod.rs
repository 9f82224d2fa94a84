//! The command line: what each verb takes. The work is done in `ergodica::campaign`.

mod estimate;
pub(crate) mod verbs;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use ergodica::campaign::estimate_files::Method;
use std::path::PathBuf;

/// Samples physics targets and tells what the samples are worth.
#[derive(Parser)]
#[command(name = "ergodica", version, max_term_width = 110, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done, 1 the run failed, 2 bad usage or input, 3 finished but the diagnostics failed, \
                        75 interrupted with a good checkpoint.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Write a commented campaign file that runs in under a minute
    Init(Init),
    /// List what there is: systems, samplers, estimators, columns
    List(List),
    /// Tell all about one system, sampler or estimator
    Describe(Describe),
    /// Validate a campaign and print its plan: jobs, cores, padding, disk, time step
    Check(Check),
    /// Run a campaign
    Run(Run),
    /// Go on with an interrupted run, bit-identically
    Resume(Resume),
    /// Lengthen a sampling stage of a finished run and recompute everything downstream
    Extend(Extend),
    /// How far is a run? Reads files only
    Status(Status),
    /// Energies, terms and forces of given configurations
    Evaluate(Evaluate),
    /// Free energies from other programs' files (GROMACS, AMBER, NAMD, GOMC) or arrays
    Estimate(Estimate),
    /// Write figures and report.html of a run again
    Report(Report),
    /// Compare the estimates of runs, or (--exact) every stored number of two runs
    Compare(Compare),
    /// Write a run's data as other programs like it
    Export(Export),
    /// What this machine and this build can do
    Doctor(Doctor),
    /// JSON schema of campaign files, for editors
    Schema,
    /// Shell completions
    Completions(Completions),
    /// Manual page (roff)
    Man,
}

#[derive(Args)]
pub(crate) struct Init {
    /// System to sample
    #[arg(long, default_value = "lj13-efm")]
    pub(crate) system: String,
    /// File to write; "-" prints it
    #[arg(default_value = "campaign.toml")]
    pub(crate) file: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) overwrite: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Catalogue {
    Systems,
    Samplers,
    Estimators,
    Columns,
}

#[derive(Args)]
pub(crate) struct List {
    /// Which list; all without it
    pub(crate) what: Option<Catalogue>,
}

#[derive(Args)]
pub(crate) struct Describe {
    /// Name from `ergodica list`
    pub(crate) name: String,
}

#[derive(Args)]
pub(crate) struct Check {
    /// Campaign file
    pub(crate) file: PathBuf,
    /// Override a key: --set production.steps=1000
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Threads to plan for; all cores by default
    #[arg(short = 'j', long)]
    pub(crate) threads: Option<usize>,
}

#[derive(Args)]
pub(crate) struct Run {
    /// Campaign file
    pub(crate) file: PathBuf,
    /// Run directory; runs/NAME by default
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Override a key: --set production.steps=1000
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
    /// Go on if the run directory exists and holds the same campaign
    #[arg(long, conflicts_with = "overwrite")]
    pub(crate) resume: bool,
    /// Delete an existing run in the run directory first
    #[arg(long)]
    pub(crate) overwrite: bool,
}

#[derive(Args)]
pub(crate) struct How {
    /// Threads; all cores by default. Results do not depend on it
    #[arg(short = 'j', long)]
    pub(crate) threads: Option<usize>,
    /// Stop with a checkpoint after this time on the clock: 90s, 30min, 2h
    #[arg(long)]
    pub(crate) until: Option<String>,
    /// Write no figures and no report.html
    #[arg(long)]
    pub(crate) no_report: bool,
    /// No progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args)]
pub(crate) struct Resume {
    /// Run directory
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Args)]
pub(crate) struct Extend {
    /// Run directory
    pub(crate) dir: PathBuf,
    /// Sampling stage
    #[arg(long)]
    pub(crate) stage: String,
    /// New number of steps
    #[arg(long, required_unless_present = "by", conflicts_with = "by")]
    pub(crate) to: Option<u64>,
    /// Steps to add
    #[arg(long)]
    pub(crate) by: Option<u64>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Args)]
pub(crate) struct Status {
    /// Run directory
    pub(crate) dir: PathBuf,
    /// Machine-readable
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Evaluate {
    /// System: a name from `ergodica list systems`, or a folder with a system.toml, or an OpenMM System XML
    #[arg(long)]
    pub(crate) system: String,
    /// JSON: {"configs": [{"id": .., "x": [..]}]}; a PDB, XYZ or NPY file works too
    #[arg(long)]
    pub(crate) configs: PathBuf,
    /// Structure of an XML system (PDB); only names of atoms are taken from it
    #[arg(long)]
    pub(crate) coordinates: Option<PathBuf>,
    /// Override a parameter of the system: --set pair_coefficient=1
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Print JSON with forces
    #[arg(long)]
    pub(crate) json: bool,
}

/// The estimators by their names, which the library has.
fn methods() -> impl TypedValueParser<Value = Method> {
    let known = Method::ALL.map(|m| PossibleValue::new(m.name()).help(m.about()));
    PossibleValuesParser::new(known).try_map(|name| Method::of(&name).ok_or("no such estimator"))
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Rule {
    /// Straight lines
    Trapezoid,
    /// Natural cubic spline
    Cubic,
    /// Gauss-Legendre quadrature, of states at its points
    GaussLegendre,
}

#[derive(Args)]
#[command(
    after_help = "delta_f = F(final) - F(initial). Files may be .gz, .bz2 or .tar of these; states are told apart by their lambdas, in any order of \
                        the files; they stand from small to large lambdas, or the other way round where the files themselves number them so. \
                        Samples are thinned by their statistical inefficiency unless --no-subsample is given; arrays are taken as \
                        independent samples in kT.\n\n\
                        Arrays (.npz, .npy, .csv): u_kn (K, N) with n_k (K), reduced energies, samples grouped by state; u_ln (L, N) beside them, \
                        energies of the same samples in states that nobody sampled; w_f and w_r, work both ways; \
                        for pmf z_f and w_f (trajectories, times), coordinate and work in kT up to each time, with centres (times) and stiffness \
                        of the bias stiffness/2 (z - centre)^2 in kT, and z_r, w_r of going back.\n\n\
                        ergodica estimate all dhdl*.xvg --discard 1ns --unit kcal/mol\n\
                        ergodica estimate mbar --leg 'coul=Coulomb/*/dhdl.xvg.bz2' --leg 'vdw=VDW/*/dhdl.xvg.bz2' --out result\n\
                        ergodica estimate mbar u.npz --json"
)]
pub(crate) struct Estimate {
    /// Estimator
    #[arg(value_parser = methods())]
    pub(crate) method: Method,
    /// Files of one leg; quoted patterns (* ? [..] **) are expanded
    pub(crate) files: Vec<String>,
    /// A leg with its files; several legs are summed, errors in quadrature
    #[arg(long = "leg", value_name = "NAME=PATTERN", conflicts_with = "files")]
    pub(crate) legs: Vec<String>,
    /// Leave out the start of every simulation: "1ns", or "500 samples"
    #[arg(long)]
    pub(crate) discard: Option<String>,
    /// Use all samples as if they were independent
    #[arg(long)]
    pub(crate) no_subsample: bool,
    /// Unit of free energies: kT, kJ/mol, kcal/mol
    #[arg(long, default_value = "kT")]
    pub(crate) unit: String,
    /// Temperature, where the files do not say it: "300 K"
    #[arg(long)]
    pub(crate) temperature: Option<String>,
    /// Of ti: how the mean gradient is integrated; by default Gauss-Legendre where the states are its points, else the trapezoid
    #[arg(long)]
    pub(crate) rule: Option<Rule>,
    /// Of mbar: draw the samples again N times (in blocks, unless they are thinned) for a second error and a 95 % interval
    #[arg(long, value_name = "N")]
    pub(crate) bootstrap: Option<usize>,
    /// Seed of the bootstrap
    #[arg(long, value_name = "S", default_value_t = 0, requires = "bootstrap")]
    pub(crate) seed: u64,
    /// Of mbar: split free energies into energy and entropy, f = u - s
    #[arg(long)]
    pub(crate) entropy: bool,
    /// Of pmf: bins of the profile; 50 by default
    #[arg(long)]
    pub(crate) bins: Option<usize>,
    /// Of pmf: from where to where; by default all that is reached
    #[arg(long, value_name = "LOW:HIGH", allow_hyphen_values = true)]
    pub(crate) range: Option<String>,
    /// Write figures, convergence, tables and covariances into a new folder
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON in the schema of summary.json
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Report {
    /// Run directory
    pub(crate) dir: PathBuf,
}

#[derive(Args)]
pub(crate) struct Compare {
    /// Run directories; with --quantity one will do
    #[arg(required = true, num_args = 1..)]
    pub(crate) runs: Vec<PathBuf>,
    /// Every estimate and every stored number must be equal to the bit (exit 0 or 1)
    #[arg(long)]
    pub(crate) exact: bool,
    /// One quantity (log_z, delta_f, ...) by every run and stage: value, error, energy and gradient calls, efficiency, pairwise z
    #[arg(long, conflicts_with = "exact")]
    pub(crate) quantity: Option<String>,
    /// Machine-readable
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// One H5MD file a stage (MDAnalysis)
    H5md,
    /// mdtraj's HDF5, one file a replica
    Mdtraj,
    /// ArviZ InferenceData (netCDF4/HDF5)
    Arviz,
    /// Scalar columns as CSV
    Csv,
}

#[derive(Args)]
pub(crate) struct Export {
    /// Run directory
    pub(crate) dir: PathBuf,
    /// Where to; DIR/export by default
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Format
    #[arg(long, value_enum, default_value = "h5md")]
    pub(crate) format: Format,
    /// One self-contained file a stage, without links to the segments
    #[arg(long)]
    pub(crate) merge: bool,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// Folder whose writability is tested
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
}

#[derive(Args)]
pub(crate) struct Completions {
    /// Shell
    pub(crate) shell: clap_complete::Shell,
}
