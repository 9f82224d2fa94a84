//! What is asked: method, files, options.

use crate::campaign::units::{Kind, Quantity, UnitSystem, number_text};
use crate::estimate::TiRule;
use crate::io::alchemical::{Asked, GAS_CONSTANT, KCAL};
use crate::{Error, Result};
use std::path::PathBuf;

/// Which estimator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// TI, BAR and MBAR in one table.
    All,
    /// Thermodynamic integration.
    Ti,
    /// Bennett's acceptance ratio between neighbours.
    Bar,
    /// The multistate Bennett acceptance ratio.
    Mbar,
    /// Exponential averages between neighbours, both ways.
    Exp,
    /// Jarzynski, Crooks, the second cumulant and the crossing of Gaussians, from arrays of work.
    Work,
    /// Free-energy profile along a pulled coordinate, from arrays.
    Pmf,
    /// Correlation times and equilibration.
    Timeseries,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 8] =
        [Method::All, Method::Ti, Method::Bar, Method::Mbar, Method::Exp, Method::Work, Method::Pmf, Method::Timeseries];

    /// What it gives, for the command line.
    pub fn about(self) -> &'static str {
        match self {
            Method::All => "TI, BAR and MBAR in one table",
            Method::Ti => "Thermodynamic integration",
            Method::Bar => "Bennett's acceptance ratio between neighbours",
            Method::Mbar => "Multistate Bennett acceptance ratio",
            Method::Exp => "Exponential averages between neighbours, both ways",
            Method::Work => "Crooks, Jarzynski each way, second cumulant, crossing of Gaussians, from arrays w_f and w_r",
            Method::Pmf => "Free-energy profile along a pulled coordinate (Hummer and Szabo), from arrays z_f, w_f, centres, stiffness",
            Method::Timeseries => "Correlation times and equilibration",
        }
    }

    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Method::All => "all",
            Method::Ti => "ti",
            Method::Bar => "bar",
            Method::Mbar => "mbar",
            Method::Exp => "exp",
            Method::Work => "work",
            Method::Pmf => "pmf",
            Method::Timeseries => "timeseries",
        }
    }

    /// The method of a name.
    pub fn of(name: &str) -> Option<Method> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }
}

/// Unit of free energies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// k_B T at the data's temperature.
    #[default]
    Kt,
    /// kJ/mol.
    KilojoulePerMole,
    /// kcal/mol.
    KilocaloriePerMole,
}

impl Unit {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Kt => "kT",
            Unit::KilojoulePerMole => "kJ/mol",
            Unit::KilocaloriePerMole => "kcal/mol",
        }
    }

    /// The unit of a name.
    pub fn of(name: &str) -> Option<Unit> {
        [Unit::Kt, Unit::KilojoulePerMole, Unit::KilocaloriePerMole].into_iter().find(|u| u.name() == name)
    }

    /// How many of it are one kT; none: that needs a temperature.
    pub fn per_kt(self, temperature: Option<f64>) -> Option<f64> {
        match self {
            Unit::Kt => Some(1.0),
            Unit::KilojoulePerMole => temperature.map(|t| GAS_CONSTANT * t),
            Unit::KilocaloriePerMole => temperature.map(|t| GAS_CONSTANT * t / KCAL),
        }
    }
}

/// What to leave out at the start of every simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Discard {
    /// Nothing.
    #[default]
    Nothing,
    /// So many picoseconds.
    Picoseconds(f64),
    /// So many samples.
    Samples(usize),
}

impl Discard {
    /// What is left out, as it is written: "1 ns", "500 samples".
    pub const WRITTEN: &'static str = "write a time, \"1 ns\", or a number of samples, \"500 samples\"";

    /// Reads "1 ns" or "500 samples"; none for anything else, and for what is negative.
    pub fn parse(text: &str) -> Option<Discard> {
        if let Some(count) = text.trim().strip_suffix("samples") {
            return count.trim().parse().ok().map(Discard::Samples);
        }
        let time = Quantity::parse(text).ok()?.resolve("discard", Kind::Time, UnitSystem::Molecular).ok()?;
        (time >= 0.0 && time.is_finite()).then_some(Discard::Picoseconds(time))
    }

    /// The text that reads back as the same; empty for nothing.
    pub fn text(self) -> String {
        match self {
            Discard::Nothing => String::new(),
            Discard::Picoseconds(t) => format!("{} ps", number_text(t)),
            Discard::Samples(n) => format!("{n} samples"),
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which estimator.
    pub method: Method,
    /// The legs: name (none when there is only one) and files.
    pub legs: Vec<(Option<String>, Vec<PathBuf>)>,
    /// What to leave out.
    pub discard: Discard,
    /// Whether correlated samples are thinned to independent ones (energies) or counted as fewer (gradients).
    pub subsample: bool,
    /// Unit of the answer.
    pub unit: Unit,
    /// Temperature in K where the files do not say it.
    pub temperature: Option<f64>,
    /// Of TI: the rule of the answer; none: Gauss-Legendre where the states are such a grid, else the trapezoid.
    pub rule: Option<TiRule>,
    /// Of MBAR: how often the samples are drawn again for a second error.
    pub bootstrap: Option<Bootstrap>,
    /// Of MBAR: energy and entropy apart.
    pub entropy: bool,
    /// Of a profile: its bins; 50 without.
    pub bins: Option<usize>,
    /// Of a profile: from where to where; all that is reached without.
    pub range: Option<(f64, f64)>,
    /// Of MBAR and BAR: the answer from growing parts of the data.
    pub convergence: bool,
    /// Where it was asked, so that messages call the settings as they were written.
    pub asked: Asked,
}

impl Request {
    /// A method on the files of one leg, the rest as the command has it without options.
    pub fn new(method: Method, files: Vec<PathBuf>) -> Self {
        Request {
            method,
            legs: vec![(None, files)],
            discard: Discard::Nothing,
            subsample: true,
            unit: Unit::Kt,
            temperature: None,
            rule: None,
            bootstrap: None,
            entropy: false,
            bins: None,
            range: None,
            convergence: false,
            asked: Asked::CommandLine,
        }
    }

    /// What the method has no use for is refused, not ignored.
    ///
    /// Errors: a rule without TI; bootstrap, entropy without MBAR; bins, a range without a profile; fewer than 20 resamples.
    pub(super) fn check(&self) -> Result<()> {
        let multistate = matches!(self.method, Method::All | Method::Mbar);
        let refuse = |what: &str, of: &str| {
            Err(Error::input(format!("`{}` has no {what}", self.method.name()), format!("leave it out; it belongs to {of}")))
        };
        match self {
            Request { rule: Some(_), method, .. } if !matches!(method, Method::All | Method::Ti) => refuse("rule", "ti and all"),
            Request { bootstrap: Some(_), .. } if !multistate => refuse("bootstrap", "mbar and all"),
            Request { entropy: true, .. } if !multistate => refuse("entropy", "mbar and all"),
            Request { bins: Some(_), method, .. } if *method != Method::Pmf => refuse("bins", "pmf"),
            Request { range: Some(_), method, .. } if *method != Method::Pmf => refuse("range", "pmf"),
            Request { bootstrap: Some(b), .. } if b.replicates < FEWEST => {
                let what = format!("{} resamples of a bootstrap are too few for an interval of 95 %", b.replicates);
                Err(Error::input(what, format!("draw at least {FEWEST}, better 200")))
            }
            _ => Ok(()),
        }
    }
}

/// Fewest resamples whose 2.5 % and 97.5 % mean something.
pub const FEWEST: usize = 20;

/// Resampling for a second error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// How often the samples are drawn again; at least 20.
    pub replicates: usize,
    /// Seed of the draws.
    pub seed: u64,
}

#[cfg(test)]
mod tests {
    use super::Discard;

    #[test]
    fn what_is_left_out() {
        assert_eq!(Discard::parse("1ns"), Some(Discard::Picoseconds(1000.0)));
        assert_eq!(Discard::parse(" 500 samples "), Some(Discard::Samples(500)));
        for text in ["500", "-1 ps", "1 K", "x samples", "-3 samples", "1.5 samples", "auto", "", "inf ps"] {
            assert_eq!(Discard::parse(text), None, "{text}");
        }
        for discard in [Discard::Picoseconds(0.1), Discard::Picoseconds(1e-7), Discard::Picoseconds(3e20), Discard::Samples(7)] {
            assert_eq!(Discard::parse(&discard.text()), Some(discard));
        }
    }
}
