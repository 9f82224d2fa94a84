//! Draws that are far enough apart to count as independent.

use super::series::Unusable;

/// How draws are picked once g is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// Draw round(i g): g apart on average, `n / g` draws.
    Average,
    /// Every ceil(g)-th draw: never closer than g.
    Conservative,
}

/// Indices of nearly independent draws among `draws`, for a statistical inefficiency g.
///
///   Average: round(i g), halves to even, each index once;   Conservative: i ceil(g);   i = 0, 1, 2 ... while below `draws`
///
/// The same indices as pymbar's. Errors: `Argument` if g is below 1 or not finite.
/// Source: pymbar 4 `subsample_correlated_data`; Chodera et al., JCTC 3, 26 (2007).
pub fn subsample(draws: usize, g: f64, spacing: Spacing) -> Result<Vec<usize>, Unusable> {
    if !(g >= 1.0 && g.is_finite()) {
        return Err(Unusable::Argument(format!("a statistical inefficiency is at least 1, not {g}")));
    }
    if spacing == Spacing::Conservative {
        let stride = if g.ceil() < draws as f64 { g.ceil() as usize } else { draws.max(1) };
        return Ok((0..draws).step_by(stride).collect());
    }
    let mut kept = Vec::new();
    for i in 0..draws {
        let at = (i as f64 * g).round_ties_even();
        if at >= draws as f64 {
            break;
        }
        if kept.last() != Some(&(at as usize)) {
            kept.push(at as usize);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_even_and_the_end_is_kept_out() {
        assert_eq!(subsample(8, 2.5, Spacing::Average).unwrap(), [0, 2, 5]);
        assert_eq!(subsample(9, 2.5, Spacing::Average).unwrap(), [0, 2, 5, 8]);
        assert_eq!(subsample(9, 2.5, Spacing::Conservative).unwrap(), [0, 3, 6]);
        assert_eq!(subsample(5, 1.0, Spacing::Average).unwrap(), [0, 1, 2, 3, 4]);
        assert_eq!(subsample(5, 1e300, Spacing::Average).unwrap(), [0]);
        assert_eq!(subsample(5, 1e300, Spacing::Conservative).unwrap(), [0]);
        assert!(subsample(0, 3.0, Spacing::Average).unwrap().is_empty() && subsample(0, 3.0, Spacing::Conservative).unwrap().is_empty());
        for g in [0.99, f64::NAN, f64::INFINITY, -2.0] {
            assert!(subsample(10, g, Spacing::Average).unwrap_err().to_string().contains("at least 1"));
        }
    }
}
