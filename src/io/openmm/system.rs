//! A molecular system in neutral terms: what the energies are made of, without a word of XML.
//!
//! Units: nm, kJ/mol, amu, elementary charges, radians. Indices are 0-based. Everything here was checked by the reader:
//! finite numbers, indices in range, one entry per particle. Forces keep their place in the file as `term`: the index into
//! [`MolecularSystem::forces`] and into every list of per-term energies.

use std::collections::BTreeMap;

/// 1/(4 pi epsilon_0) of OpenMM's `NonbondedForce` and `GBSAOBCForce`, in kJ nm / (mol e^2).
/// Source: measured on OpenMM 8.6.1 (Reference): two unit charges 1 nm apart have this energy.
pub const COULOMB: f64 = 138.935_457_644_381_98;

/// Largest periodicity of a torsion that the reader accepts (force fields use 1 to 6).
pub const MAX_PERIODICITY: u32 = 16;

/// A molecule (or several) with the energies that act on it.
#[derive(Clone, Debug, PartialEq)]
pub struct MolecularSystem {
    /// Mass of each particle, amu; all positive.
    pub masses: Vec<f64>,
    /// Periodic box vectors as written, nm; no supported force uses them.
    pub box_vectors: [[f64; 3]; 3],
    /// Every force of the file, in its order (`CMMotionRemover` included: its energy is 0).
    pub forces: Vec<ForceInfo>,
    /// `HarmonicBondForce`s.
    pub bonds: Vec<Bonded<Bond>>,
    /// `HarmonicAngleForce`s.
    pub angles: Vec<Bonded<Angle>>,
    /// `PeriodicTorsionForce`s.
    pub torsions: Vec<Bonded<Torsion>>,
    /// The `NonbondedForce`, if there is one.
    pub nonbonded: Option<Nonbonded>,
    /// The implicit solvent, if there is one.
    pub implicit: Option<Implicit>,
    /// Steps between removals of centre-of-mass motion, if the file has a `CMMotionRemover`.
    pub cm_motion_remover: Option<u32>,
    /// What is lawful but looks like a mistake, each a sentence for the user.
    pub warnings: Vec<String>,
}

impl MolecularSystem {
    /// Number of particles.
    pub fn atoms(&self) -> usize {
        self.masses.len()
    }

    /// Names of the energy terms, one per force in file order; a class that occurs twice is told apart as `Class#2`.
    pub fn term_names(&self) -> Vec<String> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut names = Vec::with_capacity(self.forces.len());
        for force in &self.forces {
            let count = seen.entry(&force.class).or_insert(0);
            *count += 1;
            names.push(if *count == 1 { force.class.clone() } else { format!("{}#{count}", force.class) });
        }
        names
    }
}

/// A force of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForceInfo {
    /// OpenMM's class, for example `HarmonicBondForce`.
    pub class: String,
    /// The name the user gave it (OpenMM's default: the class).
    pub name: String,
    /// Force group, 0 to 31; energies here are always the sum over all groups.
    pub group: u32,
}

/// The items of one bonded force.
#[derive(Clone, Debug, PartialEq)]
pub struct Bonded<T> {
    /// Place among the forces of the file.
    pub term: usize,
    /// The items, in file order.
    pub items: Vec<T>,
}

/// E = k/2 (r - length)^2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bond {
    /// The two particles.
    pub atoms: [usize; 2],
    /// Length at rest, nm.
    pub length: f64,
    /// kJ/mol/nm^2.
    pub k: f64,
}

/// E = k/2 (theta - angle)^2, theta at `atoms[1]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Angle {
    /// The three particles; the corner is the middle one.
    pub atoms: [usize; 3],
    /// Angle at rest, radians.
    pub angle: f64,
    /// kJ/mol/rad^2.
    pub k: f64,
}

/// E = k (1 + cos(periodicity phi - phase)), IUPAC sign of phi.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Torsion {
    /// The four particles.
    pub atoms: [usize; 4],
    /// Number of periods in a turn, 1 to [`MAX_PERIODICITY`].
    pub periodicity: u32,
    /// Radians.
    pub phase: f64,
    /// kJ/mol.
    pub k: f64,
}

/// Which pairs interact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// All of them.
    NoCutoff,
    /// Those nearer than the cutoff, without images.
    CutoffNonPeriodic,
}

/// Lennard-Jones and Coulomb of all pairs that are not exceptions:
///
///   E_ij = 4 eps ((sigma/r)^12 - (sigma/r)^6) + COULOMB q_i q_j / r,  sigma = (sigma_i + sigma_j)/2,  eps = sqrt(eps_i eps_j)
///
/// With a cutoff the Lennard-Jones part is truncated (not shifted) and the Coulomb part becomes a reaction field,
/// COULOMB q_i q_j (1/r + k_rf r^2 - c_rf). Exceptions keep plain Lennard-Jones and 1/r, at any distance.
/// Source: OpenMM user guide, "NonbondedForce".
#[derive(Clone, Debug, PartialEq)]
pub struct Nonbonded {
    /// Place among the forces of the file.
    pub term: usize,
    /// Which pairs.
    pub method: Method,
    /// Cutoff, nm; meaningless with `NoCutoff`.
    pub cutoff: f64,
    /// Dielectric constant outside the cutoff; meaningless with `NoCutoff`.
    pub rf_dielectric: f64,
    /// Charge of each particle, e.
    pub charges: Vec<f64>,
    /// Lennard-Jones sigma of each particle, nm.
    pub sigma: Vec<f64>,
    /// Lennard-Jones epsilon of each particle, kJ/mol.
    pub epsilon: Vec<f64>,
    /// Pairs with their own parameters; excluded pairs have charge product and epsilon 0.
    pub exceptions: Vec<Exception>,
}

impl Nonbonded {
    /// k_rf = (eps - 1) / (rc^3 (2 eps + 1)) and c_rf = 3 eps / (rc (2 eps + 1)); both 0 without a cutoff.
    /// Source: Tironi et al., J. Chem. Phys. 102, 5451 (1995), as in the OpenMM user guide.
    pub fn reaction_field(&self) -> (f64, f64) {
        match self.method {
            Method::NoCutoff => (0.0, 0.0),
            Method::CutoffNonPeriodic => {
                let (eps, rc) = (self.rf_dielectric, self.cutoff);
                ((eps - 1.0) / (rc * rc * rc * (2.0 * eps + 1.0)), 3.0 * eps / (rc * (2.0 * eps + 1.0)))
            }
        }
    }
}

/// A pair with its own parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exception {
    /// The two particles, each pair at most once.
    pub atoms: [usize; 2],
    /// Product of charges, e^2 (already scaled).
    pub charge_product: f64,
    /// nm.
    pub sigma: f64,
    /// kJ/mol.
    pub epsilon: f64,
}

/// Which generalised-Born model; they differ in how the descreening integral becomes a radius.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImplicitKind {
    /// `GBSAOBCForce` (OBC2 with OpenMM's built-in constants).
    GbsaObc,
    /// Hawkins, Cramer, Truhlar, J. Phys. Chem. 100, 19824 (1996): 1/B = 1/or - I, no tanh.
    Hct,
    /// OBC model I of Onufriev, Bashford, Case, Proteins 55, 383 (2004).
    Obc1,
    /// OBC model II, same source.
    Obc2,
    /// Mongan et al., J. Chem. Theory Comput. 3, 156 (2007): with necks.
    Gbn,
    /// Nguyen, Roe, Simmerling, J. Chem. Theory Comput. 9, 2020 (2013): necks, per-element alpha, beta, gamma.
    Gbn2,
}

/// Generalised-Born implicit solvent with an optional surface term.
///
///   I_i = sum_j [or_i < r + sr_j] 1/2 (1/L - 1/U + (r - sr_j^2/r)(1/U^2 - 1/L^2)/4 + ln(L/U)/(2r) + C) + neck
///         L = max(or_i, |r - sr_j|),  U = r + sr_j,  C = 2 (1/or_i - 1/L) where or_i < sr_j - r and `engulfed`, else 0
///   1/B_i = 1/or_i - tanh(alpha psi - beta psi^2 + gamma psi^3) / radius_i,  psi = I_i or_i        (not Hct)
///   1/B_i = 1/or_i - I_i                                                                           (Hct)
///   E = -1/2 coulomb tau sum_i q_i^2 / B_i - coulomb tau sum_{i<j} q_i q_j (1/f - pair_shift)
///         + surface sum_i (radius_i + probe)^2 (radius_i / B_i)^6
///   tau = 1/solute_dielectric - 1/solvent_dielectric,  f = sqrt(r^2 + B_i B_j exp(-r^2 / (4 B_i B_j)))
///
/// All pairs count, bonded or not; with a cutoff only those nearer than it, in I and in E.
/// Source: the references of [`ImplicitKind`]; constants as OpenMM writes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Implicit {
    /// Place among the forces of the file.
    pub term: usize,
    /// Model.
    pub kind: ImplicitKind,
    /// Charge of each particle, e.
    pub charges: Vec<f64>,
    /// Intrinsic radius of each particle, nm (`offset_radii + offset`).
    pub radii: Vec<f64>,
    /// `or`: radius less the offset, nm; positive.
    pub offset_radii: Vec<f64>,
    /// `sr`: scale factor times `or`, nm (negative for sulfur in GBn2).
    pub scaled_radii: Vec<f64>,
    /// alpha of each particle (the same for all but in GBn2; 0 in HCT, where it plays no part).
    pub alpha: Vec<f64>,
    /// beta of each particle.
    pub beta: Vec<f64>,
    /// gamma of each particle.
    pub gamma: Vec<f64>,
    /// Whether I has the term C of a particle wholly inside its neighbour (`GBSAOBCForce`: yes, `CustomGBForce`: no).
    pub engulfed: bool,
    /// Necks (GBn and GBn2).
    pub neck: Option<Neck>,
    /// Offset, nm.
    pub offset: f64,
    /// Dielectric constant of the solvent.
    pub solvent_dielectric: f64,
    /// Dielectric constant inside the molecule.
    pub solute_dielectric: f64,
    /// 1/(4 pi epsilon_0) of this force, kJ nm / (mol e^2): [`COULOMB`] or the 138.935485 of the expressions.
    pub coulomb: f64,
    /// Coefficient of the surface term, kJ/mol/nm^2 (28.3919551); 0 if the file has none.
    pub surface: f64,
    /// Radius of the probe, nm.
    pub probe: f64,
    /// Which pairs.
    pub method: Method,
    /// Cutoff, nm; meaningless with `NoCutoff`.
    pub cutoff: f64,
    /// What is taken from 1/f in the pair energy, 1/nm: 1/cutoff, or 0.
    pub pair_shift: f64,
}

/// The neck correction: I_i += scale [r < radius_i + radius_j + cut] m0_ij / (1 + 100 (r - d0_ij)^2 + 3e5 (r - d0_ij)^6).
#[derive(Clone, Debug, PartialEq)]
pub struct Neck {
    /// Row (for i, the particle being descreened) and column (for j) of each particle.
    pub index: Vec<usize>,
    /// Rows, and columns, of the tables.
    pub size: usize,
    /// Distance of the largest correction, nm: `d0[index_i * size + index_j]`. Not symmetric.
    pub d0: Vec<f64>,
    /// Size of the largest correction, 1/nm, in the same order. Not symmetric.
    pub m0: Vec<f64>,
    /// 0.361825 (GBn) or 0.826836 (GBn2).
    pub scale: f64,
    /// 0.68 nm.
    pub cut: f64,
}
