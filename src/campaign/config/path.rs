//! `[path]`: what the one lambda in [0, 1] does to the energy.

use super::column::Column;
use super::fields::{Fields, Number, Shown};
use super::placed::Placed;
use super::quote;
use crate::campaign::units::{Kind, number_text};

/// A path from lambda = 0 to the system at lambda = 1.
#[derive(Clone, Debug, PartialEq)]
pub enum Path<Q = f64> {
    /// U = (1 - lambda) U_base + lambda U with the energy of a normalised Gaussian around the start's centre.
    Geometric {
        /// Standard deviation along every coordinate.
        normal: Placed<Q>,
    },
    /// U = (1 - lambda) U_base + lambda U with another energy of the same coordinates.
    Linear {
        /// Which.
        base: LinearBase,
    },
    /// Implicit solvent: vacuum at 0.
    Solvent,
    /// Charges scaled, in Coulomb pairs and in the solvent: none at 0.
    Charges {
        /// Whose; none: all.
        atoms: Option<Placed<String>>,
    },
    /// Charges scaled in the implicit solvent alone; its surface term stays.
    SolventCharges {
        /// Whose; none: all.
        atoms: Option<Placed<String>>,
    },
    /// Lennard-Jones of some atoms with the rest, soft on the way: decoupled at 0.
    SoftCore {
        /// Which atoms.
        atoms: Placed<String>,
    },
    /// U + stiffness/2 (xi - c(lambda))^2 with c from `from` to `to`.
    Umbrella {
        /// xi.
        of: Placed<Column>,
        /// c(0).
        from: Placed<Q>,
        /// c(1).
        to: Placed<Q>,
        /// Force constant.
        stiffness: Placed<Q>,
    },
    /// Several knobs, each piecewise linear in lambda.
    Knobs {
        /// Atoms that they act on; none: all.
        atoms: Option<Placed<String>>,
        /// Name and points (lambda, value) of each.
        knobs: Vec<KnobPoints>,
    },
}

/// Name of a knob and its points (lambda, value).
pub type KnobPoints = (Placed<String>, Placed<Vec<[f64; 2]>>);

/// The other energy of a linear path.
#[derive(Clone, Debug, PartialEq)]
pub enum LinearBase {
    /// A system by name or folder.
    System(Placed<String>),
    /// A formula over the system's own variables.
    Formula(Placed<String>),
}

/// What the stiffness of a restraint of this column is measured in.
fn stiffness(of: &Column) -> Kind {
    match of.quantity() {
        Some(Kind::Length) => Kind::Stiffness,
        Some(Kind::Angle) => Kind::AngularStiffness,
        _ => Kind::Energy,
    }
}

impl<Q> Path<Q> {
    /// Its name in a campaign.
    pub fn name(&self) -> &'static str {
        match self {
            Path::Geometric { .. } => "geometric",
            Path::Linear { .. } => "linear",
            Path::Solvent => "solvent",
            Path::Charges { .. } => "charges",
            Path::SolventCharges { .. } => "solvent_charges",
            Path::SoftCore { .. } => "soft_core",
            Path::Umbrella { .. } => "umbrella",
            Path::Knobs { .. } => "knobs",
        }
    }

    pub(super) fn map(&self, number: Number<'_, Q>) -> Path {
        match self {
            Path::Geometric { normal } => Path::Geometric { normal: number("normal", normal, Kind::Length) },
            Path::Linear { base } => Path::Linear { base: base.clone() },
            Path::Solvent => Path::Solvent,
            Path::Charges { atoms } => Path::Charges { atoms: atoms.clone() },
            Path::SolventCharges { atoms } => Path::SolventCharges { atoms: atoms.clone() },
            Path::SoftCore { atoms } => Path::SoftCore { atoms: atoms.clone() },
            Path::Umbrella { of, from, to, stiffness: k } => {
                let kind = of.quantity().unwrap_or(Kind::Dimensionless);
                Path::Umbrella {
                    of: of.clone(),
                    from: number("centres", from, kind),
                    to: number("centres", to, kind),
                    stiffness: number("stiffness", k, stiffness(of)),
                }
            }
            Path::Knobs { atoms, knobs } => Path::Knobs { atoms: atoms.clone(), knobs: knobs.clone() },
        }
    }

    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        let mut all = Vec::new();
        if !matches!(self, Path::Knobs { .. }) {
            all.push(("kind", quote(self.name())));
        }
        match self {
            Path::Geometric { normal } => all.push(("base", format!("{{ normal = {} }}", show(normal, Kind::Length)))),
            Path::Linear { base: LinearBase::System(name) } => all.push(("base", format!("{{ system = {} }}", quote(name)))),
            Path::Linear { base: LinearBase::Formula(text) } => all.push(("base", format!("{{ formula = {} }}", quote(text)))),
            Path::Solvent => {}
            Path::Charges { atoms } | Path::SolventCharges { atoms } => all.extend(atoms.as_ref().map(|a| ("atoms", quote(a)))),
            Path::SoftCore { atoms } => all.push(("atoms", quote(atoms))),
            Path::Umbrella { of, from, to, stiffness: k } => {
                let kind = of.quantity().unwrap_or(Kind::Dimensionless);
                all.push(("of", quote(&of.text)));
                all.push(("centres", format!("{{ from = {}, to = {} }}", show(from, kind), show(to, kind))));
                all.push(("stiffness", show(k, stiffness(of))));
            }
            Path::Knobs { atoms, knobs } => {
                all.extend(atoms.as_ref().map(|a| ("atoms", quote(a))));
                let point = |p: &[f64; 2]| format!("[{}, {}]", number_text(p[0]), number_text(p[1]));
                let list = |points: &[[f64; 2]]| points.iter().map(point).collect::<Vec<_>>().join(", ");
                let knobs: Vec<String> = knobs.iter().map(|(name, points)| format!("{} = [{}]", quote(name), list(points))).collect();
                all.push(("knobs", format!("{{ {} }}", knobs.join(", "))));
            }
        }
        all
    }
}
