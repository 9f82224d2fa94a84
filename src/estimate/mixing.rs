//! How fast a ladder mixes: the matrix of transitions between its states.

use super::algebra::eigen;

/// Second largest eigenvalue of the mixing matrix of counted transitions N_ij, `[from][to]`:
///
///   T_ij = (N_ij + N_ji) / sum_k (N_ik + N_ki)
///
/// States are forgotten like its powers, with the number of exchanges. `None` before every state was visited, and for fewer than two
/// states.
/// Source: Chodera and Shirts, J. Chem. Phys. 135, 194110 (2011).
pub fn second_eigenvalue(moves: &[u64], states: usize) -> Option<f64> {
    let k = states;
    let both = |i: usize, j: usize| moves[i * k + j] + moves[j * k + i];
    let rows: Vec<f64> = (0..k).map(|i| (0..k).map(|j| both(i, j)).sum::<u64>() as f64).collect();
    if k < 2 || rows.contains(&0.0) {
        return None;
    }
    let mut symmetric = vec![0.0; k * k];
    for i in 0..k {
        for j in 0..k {
            // D^1/2 T D^-1/2 has the eigenvalues of T
            symmetric[i * k + j] = both(i, j) as f64 / (rows[i] * rows[j]).sqrt();
        }
    }
    let (mut values, _) = eigen(&symmetric, k);
    values.sort_by(f64::total_cmp);
    Some(values[k - 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A walk to either neighbour with probability 1/2, which stays where the ladder ends: cos(pi j / K).
    #[test]
    fn a_walk_with_reflecting_ends_has_the_known_eigenvalue() {
        let k = 6;
        let mut moves = vec![0; k * k];
        for i in 0..k {
            moves[i * k + i.saturating_sub(1)] += 500;
            moves[i * k + (i + 1).min(k - 1)] += 500;
        }
        let (_, cos) = crate::real::Real::sin_cos(std::f64::consts::PI / k as f64);
        assert!((second_eigenvalue(&moves, k).unwrap() - cos).abs() < 1e-14);
        // two halves that never meet
        let halves = [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1];
        assert!((second_eigenvalue(&halves, 4).unwrap() - 1.0).abs() < 1e-14);
        assert_eq!(second_eigenvalue(&[1, 0, 0, 0], 2), None);
        assert_eq!(second_eigenvalue(&[5], 1), None);
    }
}
