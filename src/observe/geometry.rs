//! Distances, dihedral angles and sizes of one configuration, `x[3 * atom + axis]` (or any dimension where it says so).

use crate::real::Real;

fn difference(x: &[f64], a: usize, b: usize) -> [f64; 3] {
    [x[3 * b] - x[3 * a], x[3 * b + 1] - x[3 * a + 1], x[3 * b + 2] - x[3 * a + 2]]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Dihedral angle of four atoms in radians, (-pi, pi], IUPAC sign: 0 is cis, positive turns clockwise.
///
///   phi = atan2(|b2| b1 . (b2 x b3), (b1 x b2) . (b2 x b3))
pub fn dihedral(x: &[f64], atoms: [usize; 4]) -> f64 {
    let [i, j, k, l] = atoms;
    let (b1, b2, b3) = (difference(x, i, j), difference(x, j, k), difference(x, k, l));
    let (n1, n2) = (cross(b1, b2), cross(b2, b3));
    Real::atan2(dot(b2, b2).sqrt() * dot(b1, n2), dot(n1, n2))
}

/// Distance of two particles in `dimension` dimensions.
pub fn distance(x: &[f64], dimension: usize, a: usize, b: usize) -> f64 {
    let mut r2 = 0.0;
    for k in 0..dimension {
        let d = x[dimension * b + k] - x[dimension * a + k];
        r2 += d * d;
    }
    r2.sqrt()
}

/// Mass-weighted radius of gyration; `mass` is per degree of freedom.
pub fn radius_of_gyration(x: &[f64], mass: &[f64], dimension: usize) -> f64 {
    let centre = centre_of_mass(x, mass, dimension);
    let (mut sum, mut total) = (0.0, 0.0);
    for (d, (x, m)) in x.iter().zip(mass).enumerate() {
        let r = x - centre[d % dimension];
        sum += m * r * r;
        total += m;
    }
    (sum / (total / dimension as f64)).sqrt()
}

/// Centre of mass; `mass` is per degree of freedom.
pub fn centre_of_mass(x: &[f64], mass: &[f64], dimension: usize) -> Vec<f64> {
    let mut centre = vec![0.0; dimension];
    let mut total = vec![0.0; dimension];
    for (d, (x, m)) in x.iter().zip(mass).enumerate() {
        centre[d % dimension] += m * x;
        total[d % dimension] += m;
    }
    for (c, t) in centre.iter_mut().zip(total) {
        *c /= t;
    }
    centre
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dihedrals_have_the_iupac_sign() {
        // Looking along z from the second to the third atom, the front bond points to +x.
        let at = |angle_x: f64, angle_y: f64| [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, angle_x, angle_y, 1.0];
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a} {b}");
        close(dihedral(&at(1.0, 0.0), [0, 1, 2, 3]), 0.0);
        close(dihedral(&at(0.0, 1.0), [0, 1, 2, 3]), std::f64::consts::FRAC_PI_2);
        close(dihedral(&at(0.0, -1.0), [0, 1, 2, 3]), -std::f64::consts::FRAC_PI_2);
        close(dihedral(&at(-1.0, 0.0), [0, 1, 2, 3]).abs(), std::f64::consts::PI);
    }

    #[test]
    fn gyration_of_a_pair() {
        // masses 1 and 3 at distance 4: rg^2 = (1 * 9 + 3 * 1) / 4 = 3
        let rg = radius_of_gyration(&[0.0, 0.0, 0.0, 4.0, 0.0, 0.0], &[1.0, 1.0, 1.0, 3.0, 3.0, 3.0], 3);
        assert!((rg - 3.0_f64.sqrt()).abs() < 1e-15);
        assert_eq!(distance(&[0.0, 0.0, 3.0, 4.0], 2, 0, 1), 5.0);
    }
}
