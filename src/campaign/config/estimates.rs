//! What a campaign asks of its samples: estimates, basins, the verdict.

use schemars::JsonSchema;
use serde::Deserialize;

use super::column::Column;
use super::placed::Placed;
use crate::campaign::estimate_files::Discard;
use crate::estimate::TiRule;

/// How an estimate stage makes its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Means with standard errors; of a ladder or a biased stage, of the target ensemble by the weights of the frames.
    Mean,
    /// Free-energy profile (one observable) or surface (two) from histograms or smooth ones, errors from independent replicas or
    /// copies; of a ladder or a biased stage, of the target ensemble by the weights of the frames.
    Fes,
    /// Autocorrelation times, R-hat, effective sample sizes, equilibration.
    Timeseries,
    /// Visits, populations and crossings of the declared basins; populations as means.
    Basins,
    /// Free energies of all states of a ladder from the reduced energies at every state.
    Mbar,
    /// Free energies between neighbours of a ladder.
    Bar,
    /// Free energies of a ladder from the mean derivative by lambda.
    Ti,
    /// Free energies between neighbours from one side.
    Exp,
    /// Free energy from the work of switching, both ways together and each alone.
    Work,
    /// Logarithm of the integral of exp(-u) over configurations.
    LogZ,
    /// Means at the target state from the frames of all states: what mean does over a ladder.
    Reweight,
}

/// How a free-energy surface is smoothed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Smooth {
    /// By Gaussian kernels of Silverman's width.
    Kde,
    /// As a cubic spline of greatest likelihood.
    Spline,
}

impl Smooth {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Smooth::Kde => "kde",
            Smooth::Spline => "spline",
        }
    }
}

impl Method {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Method::Mean => "mean",
            Method::Fes => "fes",
            Method::Timeseries => "timeseries",
            Method::Basins => "basins",
            Method::Mbar => "mbar",
            Method::Bar => "bar",
            Method::Ti => "ti",
            Method::Exp => "exp",
            Method::Work => "work",
            Method::LogZ => "log_z",
            Method::Reweight => "reweight",
        }
    }

    /// Reads columns named by `of`.
    pub fn of_columns(self) -> bool {
        matches!(self, Method::Mean | Method::Fes | Method::Timeseries | Method::Reweight)
    }

    /// Averages over frames, weighted where they do not count alike.
    pub fn averages(self) -> bool {
        matches!(self, Method::Mean | Method::Fes | Method::Basins | Method::Reweight)
    }

    /// Ends in free energies.
    pub fn free_energy(self) -> bool {
        matches!(self, Method::Mbar | Method::Bar | Method::Ti | Method::Exp | Method::Work)
    }
}

/// Unit of a free energy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum EnergyUnit {
    /// Reduced.
    #[default]
    #[serde(rename = "kT")]
    Thermal,
    /// kJ/mol.
    #[serde(rename = "kJ/mol")]
    Kilojoule,
    /// kcal/mol.
    #[serde(rename = "kcal/mol")]
    Kilocalorie,
}

impl EnergyUnit {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            EnergyUnit::Thermal => "kT",
            EnergyUnit::Kilojoule => "kJ/mol",
            EnergyUnit::Kilocalorie => "kcal/mol",
        }
    }

    /// One kT in this unit, when kT is given in kJ/mol.
    pub fn of_kt(self, kt: f64) -> f64 {
        match self {
            EnergyUnit::Thermal => 1.0,
            EnergyUnit::Kilojoule => kt,
            EnergyUnit::Kilocalorie => kt / 4.184,
        }
    }
}

/// How mean gradients are integrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Straight lines.
    Trapezoid,
    /// Natural cubic spline.
    Cubic,
    /// Gauss-Legendre quadrature, of states at its points.
    GaussLegendre,
}

impl Rule {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Trapezoid => "trapezoid",
            Rule::Cubic => "cubic",
            Rule::GaussLegendre => "gauss_legendre",
        }
    }

    /// The estimator's word for it.
    pub fn of_ti(self) -> TiRule {
        match self {
            Rule::Trapezoid => TiRule::Trapezoid,
            Rule::Cubic => TiRule::NaturalCubic,
            Rule::GaussLegendre => TiRule::GaussLegendre,
        }
    }
}

/// Numbers from an earlier stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate<Q = f64> {
    /// How.
    pub method: Placed<Method>,
    /// The stage that is read; empty where `data` is.
    pub from: Placed<String>,
    /// Files of other programs that are read instead of a stage, leg by leg; empty for a stage.
    pub data: Vec<Leg>,
    /// How those files are taken.
    pub taken: Taken,
    /// Columns of that stage; empty for methods that take none.
    pub of: Vec<Placed<Column>>,
    /// Fes: one entry for each of `of`.
    pub axes: Vec<Axis<Q>>,
    /// Fes: how it is smoothed; none: a histogram.
    pub smooth: Option<Placed<Smooth>>,
    /// Basins: names of declared basins, all of them if the campaign names none.
    pub basins: Vec<Placed<String>>,
    /// Unit of free energies.
    pub unit: Placed<EnergyUnit>,
    /// Of ti: how it integrates; none: as the states suggest.
    pub rule: Option<Placed<Rule>>,
    /// Of mbar: how often the samples are drawn again for a second error. Of a smooth fes: resamples of the frames that its errors come from.
    pub bootstraps: Option<Placed<u64>>,
}

/// Files of one leg of a transformation.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    /// Its name, where there are several.
    pub name: Option<Placed<String>>,
    /// The files.
    pub files: Vec<Placed<String>>,
}

/// How files are taken: the options of `ergodica estimate` of the same names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// K, where the files do not say it.
    pub temperature: Option<Placed<f64>>,
    /// What is left out at the start of every simulation.
    pub discard: Option<Placed<Discard>>,
    /// Whether all samples are used as if they were independent.
    pub no_subsample: Option<Placed<bool>>,
}

/// One axis of a histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis<Q = f64> {
    /// Number of bins.
    pub bins: Placed<u64>,
    /// Lower and upper edge; none: the whole circle of an angle, or the range of the data.
    pub range: Option<(Placed<Q>, Placed<Q>)>,
}

/// A declared region: a box in one or more observables.
#[derive(Clone, Debug, PartialEq)]
pub struct Basin<Q = f64> {
    /// Its name.
    pub name: Placed<String>,
    /// Its sides.
    pub sides: Vec<Side<Q>>,
}

/// `lower <= observable < upper`; on a circle with `lower > upper` the interval that passes through +-180 degrees.
#[derive(Clone, Debug, PartialEq)]
pub struct Side<Q = f64> {
    /// The column, as [`Column::parse`] understands it.
    pub of: Placed<Column>,
    /// Lower end; may be -inf.
    pub lower: Placed<Q>,
    /// Upper end; may be inf.
    pub upper: Placed<Q>,
}

impl Side<f64> {
    /// Whether a value lies inside. Values and ends of angles are in radians in [-pi, pi].
    pub fn contains(&self, x: f64) -> bool {
        let (lower, upper) = (self.lower.value, self.upper.value);
        if lower <= upper { lower <= x && x < upper } else { x >= lower || x < upper }
    }
}

/// What the verdict asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostics {
    /// Largest rank-normalised split R-hat (1.01: Vehtari et al., Bayesian Analysis 16, 667 (2021)).
    pub rhat: Placed<f64>,
    /// Smallest effective sample size, bulk and tail (400: same source).
    pub ess: Placed<f64>,
    /// Fewest crossings between each pair of basins that were both visited, both ways together.
    pub min_crossings: Placed<u64>,
    /// Largest fraction of replicas that may have diverged.
    pub max_diverged: Placed<f64>,
}
