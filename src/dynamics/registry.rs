//! Every propagator by name.

use super::{Baoab, Com, EulerMaruyama, HmcOptions, LeimkuhlerMatthews, Obabo, Propagator, VelocityVerlet, mala};
use super::{Hmc, check_step};
use crate::batch::Phase;
use crate::energy::Potential;
use crate::{Error, Result};
use std::sync::Arc;

/// The propagators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Baoab`].
    Baoab,
    /// [`Obabo`].
    Obabo,
    /// [`EulerMaruyama`].
    EulerMaruyama,
    /// [`LeimkuhlerMatthews`].
    LeimkuhlerMatthews,
    /// [`mala`].
    Mala,
    /// [`Hmc`].
    Hmc,
    /// [`VelocityVerlet`].
    VelocityVerlet,
}

impl Kind {
    /// By the name that campaigns use.
    pub fn from_name(name: &str) -> Option<Self> {
        PROPAGATORS.iter().find(|p| p.name == name).map(|p| p.kind)
    }

    /// Its entry in [`PROPAGATORS`].
    pub fn info(self) -> &'static Info {
        let mut found = &PROPAGATORS[0];
        for p in PROPAGATORS {
            if p.kind == self {
                found = p;
            }
        }
        found
    }
}

/// One parameter of a propagator.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Name in a campaign.
    pub name: &'static str,
    /// What it is, with unit and default.
    pub what: &'static str,
    /// Must it be given?
    pub required: bool,
}

/// What `list samplers` and `describe` tell of a propagator.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// Which one.
    pub kind: Kind,
    /// Name in a campaign.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// Size of its bias, as the tests measure it.
    pub order: &'static str,
    /// Does it sample without bias at any step size?
    pub exact: bool,
    /// Where it comes from.
    pub paper: &'static str,
}

const DT: Parameter = Parameter { name: "timestep", what: "step of the integrator (leapfrog step of mala and hmc)", required: true };
const GAMMA: Parameter = Parameter { name: "friction", what: "1/time", required: true };
const LEAPFROG: Parameter = Parameter { name: "leapfrog_steps", what: "leapfrog steps of a proposal (default 10)", required: false };
const JITTER: Parameter =
    Parameter { name: "jitter", what: "of the library: relative spread of the step, 0 to 1 (0.1 in campaigns)", required: false };
const WARMUP: Parameter =
    Parameter { name: "warmup", what: "steps during which the step size adapts, not sampled (default 0)", required: false };
const TARGET_HMC: Parameter =
    Parameter { name: "target_acceptance", what: "acceptance that the warm-up aims at (default 0.8)", required: false };
const TARGET_MALA: Parameter =
    Parameter { name: "target_acceptance", what: "acceptance that the warm-up aims at (default 0.574)", required: false };
const COM: Parameter = Parameter {
    name: "remove_com",
    what: "take the motion of the centre of mass out: true or false (default: as the system says)",
    required: false,
};

/// All propagators.
pub const PROPAGATORS: &[Info] = &[
    Info {
        kind: Kind::Baoab,
        name: "baoab",
        summary: "underdamped Langevin dynamics, splitting B A O A B",
        parameters: &[DT, GAMMA, COM],
        order: "O(dt^2) configurational bias, none in a harmonic well",
        exact: false,
        paper: "Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34 (2013)",
    },
    Info {
        kind: Kind::Obabo,
        name: "obabo",
        summary: "underdamped Langevin dynamics, splitting O B A B O",
        parameters: &[DT, GAMMA, COM],
        order: "O(dt^2) configurational bias",
        exact: false,
        paper: "Bussi and Parrinello, Phys. Rev. E 75, 056707 (2007)",
    },
    Info {
        kind: Kind::EulerMaruyama,
        name: "euler_maruyama",
        summary: "overdamped Langevin dynamics, explicit Euler",
        parameters: &[DT, GAMMA, COM],
        order: "O(dt) bias",
        exact: false,
        paper: "Maruyama, Rend. Circ. Mat. Palermo 4, 48 (1955)",
    },
    Info {
        kind: Kind::LeimkuhlerMatthews,
        name: "leimkuhler_matthews",
        summary: "overdamped Langevin dynamics, the high-friction limit of BAOAB",
        parameters: &[DT, GAMMA, COM],
        order: "O(dt^2) bias, none in a harmonic well",
        exact: false,
        paper: "Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34 (2013)",
    },
    Info {
        kind: Kind::Mala,
        name: "mala",
        summary: "Metropolis-adjusted Langevin algorithm",
        parameters: &[DT, WARMUP, TARGET_MALA, COM],
        order: "exact",
        exact: true,
        paper: "Roberts and Tweedie, Bernoulli 2, 341 (1996)",
    },
    Info {
        kind: Kind::Hmc,
        name: "hmc",
        summary: "Hamiltonian Monte Carlo",
        parameters: &[DT, LEAPFROG, JITTER, WARMUP, TARGET_HMC, COM],
        order: "exact",
        exact: true,
        paper: "Duane, Kennedy, Pendleton and Roweth, Phys. Lett. B 195, 216 (1987)",
    },
    Info {
        kind: Kind::VelocityVerlet,
        name: "velocity_verlet",
        summary: "Newton's equations at constant energy",
        parameters: &[DT, COM],
        order: "O(dt^2) energy error",
        exact: false,
        paper: "Swope, Andersen, Berens and Wilson, J. Chem. Phys. 76, 637 (1982)",
    },
];

/// A propagator in plain numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Which one.
    pub kind: Kind,
    /// Time step; for MALA and HMC with a warm-up, where the search starts.
    pub dt: f64,
    /// Friction, 1/time.
    pub gamma: f64,
    /// Leapfrog steps of an HMC proposal.
    pub leapfrog: u32,
    /// Relative spread of the HMC step.
    pub jitter: f64,
    /// Steps of adaptation of MALA and HMC.
    pub warmup: u64,
    /// Acceptance aimed at; `None` for the method's own.
    pub target_acceptance: Option<f64>,
    /// Centre of mass.
    pub com: Com,
    /// The mover's place in its stage, which names its random streams.
    pub place: u64,
}

impl Spec {
    /// The defaults of a kind; `dt` and, for Langevin dynamics, `gamma` have none and are NaN until set.
    pub fn new(kind: Kind) -> Self {
        let (leapfrog, jitter) = (10, 0.1);
        Spec { kind, dt: f64::NAN, gamma: f64::NAN, leapfrog, jitter, warmup: 0, target_acceptance: None, com: Com::Keep, place: 0 }
    }
}

/// The propagator of a specification; `mass` is per degree of freedom.
///
/// # Errors
/// `Error::Shape` when there is not one mass per degree of freedom; `Error::Input` for a number outside its range, or one
/// that this kind does not take.
pub fn build(spec: &Spec, potential: Arc<dyn Potential>, mass: &[f64]) -> Result<Box<dyn Propagator<Phase>>> {
    check_step(&*potential, mass, spec.dt)?;
    let adapts = matches!(spec.kind, Kind::Mala | Kind::Hmc);
    if !adapts && (spec.warmup > 0 || spec.target_acceptance.is_some()) {
        return Err(Error::input(
            format!("{} does not adapt its step", spec.kind.info().name),
            "remove warmup and target_acceptance, or use mala or hmc",
        ));
    }
    let &Spec { dt, gamma, com, place, warmup, .. } = spec;
    let options = |jitter, target: f64| HmcOptions {
        dt,
        leapfrog: spec.leapfrog,
        jitter,
        warmup,
        target_acceptance: spec.target_acceptance.unwrap_or(target),
        com,
    };
    Ok(match spec.kind {
        Kind::Baoab => Box::new(Baoab::new(potential, mass, dt, gamma, com)?.at_place(place)),
        Kind::Obabo => Box::new(Obabo::new(potential, mass, dt, gamma, com)?.at_place(place)),
        Kind::EulerMaruyama => Box::new(EulerMaruyama::new(potential, mass, dt, gamma, com)?.at_place(place)),
        Kind::LeimkuhlerMatthews => Box::new(LeimkuhlerMatthews::new(potential, mass, dt, gamma, com)?.at_place(place)),
        Kind::VelocityVerlet => Box::new(VelocityVerlet::new(potential, mass, dt, com)?.at_place(place)),
        Kind::Mala => Box::new(mala(potential, mass, options(0.0, 0.574))?.at_place(place)),
        Kind::Hmc => Box::new(Hmc::new(potential, mass, options(spec.jitter, 0.8))?.at_place(place)),
    })
}
