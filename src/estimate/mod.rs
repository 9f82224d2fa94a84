//! Estimators: functions of plain arrays that answer with a number and its error.
//!
//! A series is `[replica][draw]` ([`Series`]); replicas are independent, draws of one replica are correlated. Nothing here knows
//! configuration, engine or files. Every sum has a fixed order and every transcendental function is [`crate::real::Real`]'s, so an
//! answer has the same bits on every machine and for any number of threads.
//!
//! | question | function |
//! |---|---|
//! | mean, population with standard error | [`mean`], [`circular_mean`], [`variance`], [`jackknife`] |
//! | how correlated are the draws | [`autocorrelation_time`], [`statistical_inefficiency`], [`cross_inefficiency`], [`autocovariance`] |
//! | which draws are nearly independent | [`subsample`] |
//! | do the replicas agree | [`rank_diagnostics`] (R-hat, bulk and tail ESS), [`forward_reverse`] |
//! | where does equilibrium begin | [`detect_equilibration`], [`detect_equilibration_at`], [`detect_equilibration_search`] |
//! | block averages | [`block_average`] |
//! | does any estimator stand still | [`forward_reverse_of`], [`halves`], [`block_estimates`], [`converged_fraction`] |
//! | free energy from mean gradients | [`thermodynamic_integration`] |
//! | free energy from nonequilibrium work | [`jarzynski`], [`crooks`], [`crossed_gaussians`], [`hummer_szabo`] |
//! | any error from independent groups | [`leave_one_out`], [`delete_one_error`] |
//! | how fast a ladder mixes | [`second_eigenvalue`] |
//! | free energy from runs of weighted particles | [`mean_of_runs`] |
//! | what correlated samples do to MBAR's errors | [`Mbar::influences`] |
//! | averages at other temperatures | [`reweight`], [`reweight_many`] |
//! | free-energy surface | [`surface`], [`weighted_surface`], [`Mbar::surface`], [`smooth_surface`] |
//! | basins: populations, visits, crossings | [`basins`] |
//! | may the result be believed | [`diagnose`], [`judge`] |

mod algebra;
mod autocorrelation;
mod autocovariance;
mod bar;
mod bar_chain;
mod basin;
mod blocks;
mod convergence;
mod equilibration;
mod exponential;
mod fft;
mod free_energy_error;
mod inefficiency;
mod jackknife;
mod leave_one_out;
mod mbar;
mod mean;
mod mixing;
pub(crate) mod number;
mod quantile;
mod rank;
mod reduced;
mod resample;
mod reweighting;
mod runs;
mod series;
mod smooth;
mod stability;
mod subsample;
pub mod summary;
mod surface;
mod ti;
mod value;
mod verdict;
mod work;

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test may ask the system's mathematics")]
mod tests;

pub use autocorrelation::{AutocorrelationTime, autocorrelation_time, autocorrelation_time_with};
pub use autocovariance::{Centre, autocovariance};
pub use bar::{Bar, bar};
pub use bar_chain::{BarChain, Works, bar_chain};
pub use basin::{Basin, BasinCount, Basins, Interval, basins};
pub use blocks::{BlockAverage, BlockLevel, block_average};
pub use convergence::{Convergence, Fraction, forward_reverse};
pub use equilibration::{
    Equilibration, detect_equilibration, detect_equilibration_at, detect_equilibration_search, detect_equilibration_with,
};
pub use exponential::{Delta, cumulant2, exp_forward, exp_reverse, pareto_k};
pub use free_energy_error::FreeEnergyError;
pub use inefficiency::{
    Inefficiency, LagWindow, Lags, cross_inefficiency, statistical_inefficiency, statistical_inefficiency_of, statistical_inefficiency_with,
};
pub use jackknife::{Jackknife, circular_mean, jackknife, variance};
pub use leave_one_out::{LeaveOneOut, delete_one_error, leave_one_out};
pub use mbar::{
    Bootstrap, Covariance, CovarianceMethod, EntropyEnthalpy, Expectations, Influences, Initial, Mbar, MbarOptions, Overlap, Perturbed,
    Resampled, mbar,
};
pub use mean::{ErrorRoute, Mean, REPLICAS_FOR_SPREAD, mean};
pub use mixing::second_eigenvalue;
pub use quantile::{normal_quantile, student_t_quantile};
pub use rank::{RankDiagnostics, ess_mean, rank_diagnostics};
pub use reduced::{ReducedPotentials, ReducedPotentialsBuilder};
pub use reweighting::{Reweighted, reweight, reweight_many};
pub use runs::{RunMean, mean_of_runs};
pub use series::{Series, Unusable, circle};
pub use smooth::{SmoothSurface, Smoothing, resample_weights, smooth_surface};
pub use stability::{
    BlockEstimates, Measured, Part, Stability, block_estimates, converged_area, converged_fraction, forward_reverse_of, halves,
};
pub use subsample::{Spacing, subsample};
pub use surface::{Axis, Surface, surface, weighted_surface};
pub use ti::{Gradients, LARGEST_GRID, Ti, TiRule, gauss_legendre, gauss_legendre_grid, thermodynamic_integration, ti_rule};
pub(crate) use value::stderr_of;
pub use value::{Conditions, Estimate, Reference, Warning, WarningKind};
pub use verdict::{Check, Diagnosis, Outcome, Threshold, Thresholds, Verdict, diagnose, diagnose_circle, judge};
pub use work::{
    CrossedGaussians, Jarzynski, PullingProfile, Pulls, crooks, crossed_gaussians, hummer_szabo, jarzynski, normality, wu_kofke,
};
