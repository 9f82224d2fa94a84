//! The fastest vibration, which bounds the time step.

use super::{Angle, Bond, MolecularSystem};
use crate::real::Real;

/// The stiffest vibration of a system.
#[derive(Clone, Debug, PartialEq)]
pub struct Stiffest {
    /// Angular frequency, 1/ps. A leapfrog-like step dt is stable while omega dt < 2.
    pub omega: f64,
    /// The atoms of the bond (2) or angle (3, the corner in the middle) that takes the largest part in it.
    pub atoms: Vec<usize>,
}

/// Steps of the power iteration.
const STEPS: usize = 2000;

/// The stiffest vibration of the bonds and angles at rest, `None` without either.
///
/// Of the bonds: the largest eigenvalue omega^2 of the mass-weighted Hessian at rest, as the matrix
/// sqrt(k_a) G_ab sqrt(k_b) of Wilson, where G_aa = 1/m_i + 1/m_j and G_ab = cos(theta) / m for two bonds that meet in an
/// atom of mass m at the rest angle theta. A theta that no angle gives counts as 0, the stiffest case.
/// Of the angles, each alone: k (1/(m_i a^2) + 1/(m_k b^2) + (1/a^2 + 1/b^2 - 2 cos(theta)/(a b))/m_j), a and b the rest
/// lengths of its arms. Pairs, torsions and the coupling of bonds to angles are left out: 0.12 % of omega for alanine
/// dipeptide (622.2 against 622.9 to 623.0 /ps from the Hessian of all terms, ff96 and ff99SB-ILDN in vacuum).
/// Source: Wilson, Decius, Cross, "Molecular Vibrations" (1955), chapter 4.
pub fn stiffest(system: &MolecularSystem) -> Option<Stiffest> {
    let bonds: Vec<Bond> = merged(system);
    let angles: Vec<Angle> = system.angles.iter().flat_map(|a| a.items.iter().copied()).filter(|a| a.k > 0.0).collect();
    let mut best = stiffest_of_bonds(&system.masses, &bonds, &angles);
    for angle in &angles {
        let square = of_angle(&system.masses, &bonds, angle);
        if square.is_finite() && best.as_ref().is_none_or(|b| square > b.omega * b.omega) {
            best = Some(Stiffest { omega: square.sqrt(), atoms: angle.atoms.to_vec() });
        }
    }
    best
}

/// All bonds that pull, one per pair of atoms (springs side by side add up).
fn merged(system: &MolecularSystem) -> Vec<Bond> {
    let mut bonds: Vec<Bond> = system.bonds.iter().flat_map(|b| b.items.iter().copied()).filter(|b| b.k > 0.0).collect();
    for b in &mut bonds {
        b.atoms = [b.atoms[0].min(b.atoms[1]), b.atoms[0].max(b.atoms[1])];
    }
    bonds.sort_by_key(|b| b.atoms);
    bonds.dedup_by(|b, kept| {
        let same = b.atoms == kept.atoms;
        if same {
            kept.k += b.k;
        }
        same
    });
    bonds
}

fn stiffest_of_bonds(masses: &[f64], bonds: &[Bond], angles: &[Angle]) -> Option<Stiffest> {
    let rest_angles = by_ends(angles);
    let mut meeting: Vec<Vec<usize>> = vec![Vec::new(); masses.len()];
    for (a, bond) in bonds.iter().enumerate() {
        meeting[bond.atoms[0]].push(a);
        meeting[bond.atoms[1]].push(a);
    }
    let mut matrix: Vec<(usize, usize, f64)> = Vec::new();
    for (a, bond) in bonds.iter().enumerate() {
        matrix.push((a, a, bond.k * (1.0 / masses[bond.atoms[0]] + 1.0 / masses[bond.atoms[1]])));
    }
    for (corner, here) in meeting.iter().enumerate() {
        for &a in here {
            for &b in here.iter().filter(|b| **b != a) {
                let ends = [other(&bonds[a], corner), other(&bonds[b], corner)];
                let key = (corner, ends[0].min(ends[1]), ends[0].max(ends[1]));
                let cos = rest_angles.binary_search_by_key(&key, |r| r.0).map_or(1.0, |at| rest_angles[at].1);
                matrix.push((a, b, (bonds[a].k * bonds[b].k).sqrt() * cos / masses[corner]));
            }
        }
    }
    // Uneven on purpose: no symmetry of a molecule may hide its stiffest vibration.
    let mut v: Vec<f64> = (0..bonds.len()).map(|a| 1.0 + 0.1 * ((7 * a) % 11) as f64).collect();
    let mut square = 0.0;
    for _ in 0..STEPS {
        let mut next = vec![0.0; v.len()];
        for &(a, b, m) in &matrix {
            next[a] += m * v[b];
        }
        let norm = next.iter().fold(0.0, |s, n| s + n * n).sqrt();
        if norm == 0.0 {
            break;
        }
        for (v, n) in v.iter_mut().zip(&next) {
            *v = n / norm;
        }
        square = norm;
    }
    let most = (0..v.len()).max_by(|&a, &b| v[a].abs().total_cmp(&v[b].abs()).then(b.cmp(&a)))?;
    Some(Stiffest { omega: square.sqrt(), atoms: bonds[most].atoms.to_vec() })
}

/// (corner, smaller end, larger end) and the cosine of the rest angle, sorted.
fn by_ends(angles: &[Angle]) -> Vec<((usize, usize, usize), f64)> {
    let mut list = Vec::with_capacity(angles.len());
    for angle in angles {
        let [i, corner, k] = angle.atoms;
        list.push(((corner, i.min(k), i.max(k)), Real::sin_cos(angle.angle).1));
    }
    list.sort_by_key(|l| l.0);
    list.dedup_by_key(|l| l.0);
    list
}

fn other(bond: &Bond, atom: usize) -> usize {
    if bond.atoms[0] == atom { bond.atoms[1] } else { bond.atoms[0] }
}

/// omega^2 of an angle alone; infinite or not a number when an arm is no bond or has no length.
fn of_angle(masses: &[f64], bonds: &[Bond], angle: &Angle) -> f64 {
    let [i, corner, k] = angle.atoms;
    let length = |a: usize, b: usize| {
        let at = bonds.binary_search_by_key(&[a.min(b), a.max(b)], |bond| bond.atoms);
        at.map_or(0.0, |at| bonds[at].length)
    };
    let (a, b) = (1.0 / length(i, corner), 1.0 / length(k, corner));
    let cos = Real::sin_cos(angle.angle).1;
    angle.k * (a * a / masses[i] + b * b / masses[k] + (a * a + b * b - 2.0 * cos * a * b) / masses[corner])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::openmm::Bonded;

    fn chain(masses: &[f64], bonds: &[(usize, usize, f64)], angles: &[(usize, usize, usize, f64, f64)]) -> MolecularSystem {
        let items = bonds.iter().map(|&(i, j, k)| Bond { atoms: [i, j], length: 0.1, k }).collect();
        let bent = angles.iter().map(|&(i, j, l, angle, k)| Angle { atoms: [i, j, l], angle, k }).collect();
        MolecularSystem {
            masses: masses.to_vec(),
            box_vectors: [[0.0; 3]; 3],
            forces: Vec::new(),
            bonds: vec![Bonded { term: 0, items }],
            angles: vec![Bonded { term: 1, items: bent }],
            torsions: Vec::new(),
            nonbonded: None,
            implicit: None,
            cm_motion_remover: None,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn closed_forms() {
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
        let two = stiffest(&chain(&[1.0, 12.0], &[(0, 1, 3e5)], &[])).unwrap();
        close(two.omega, (3e5 * (1.0 + 1.0 / 12.0_f64)).sqrt());
        assert_eq!(two.atoms, [0, 1]);
        // O=C=O: the antisymmetric stretch, k (1/m_O + 2/m_C).
        let pi = std::f64::consts::PI;
        let co2 = stiffest(&chain(&[16.0, 12.0, 16.0], &[(0, 1, 1e6), (1, 2, 1e6)], &[(0, 1, 2, pi, 10.0)])).unwrap();
        close(co2.omega, (1e6 * (1.0 / 16.0 + 2.0 / 12.0_f64)).sqrt());
        // The same bonds side by side, and one doubled.
        let doubled = stiffest(&chain(&[1.0, 12.0], &[(0, 1, 1e5), (1, 0, 2e5)], &[])).unwrap();
        close(doubled.omega, two.omega);
        // A stiff angle between soft bonds.
        let bend = stiffest(&chain(&[2.0, 1e9, 2.0], &[(0, 1, 1.0), (1, 2, 1.0)], &[(0, 1, 2, pi / 2.0, 50.0)])).unwrap();
        close(bend.omega, (50.0 * 2.0 * 100.0 / 2.0_f64).sqrt());
        assert_eq!(bend.atoms, [0, 1, 2]);
        assert_eq!(stiffest(&chain(&[1.0, 1.0], &[], &[])), None);
    }
}
