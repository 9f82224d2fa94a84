//! Errors of anything that is computed from independent groups: copies of a ladder, walkers, runs.

use super::quantile::student_t_quantile;

/// A statistic of all groups, and of all but each one.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaveOneOut {
    /// Of all groups.
    pub value: Vec<f64>,
    /// Without group g, `[g]`.
    pub left_out: Vec<Vec<f64>>,
}

/// Delete-one jackknife of a statistic that is no mean, like the f_k of MBAR: it gets the numbers of the groups to use.
///
///   stderr^2 = (G - 1)/G sum_g (theta_(g) - mean theta_())^2,   G - 1 degrees of freedom
///
/// Replicas that trade their states depend on each other, and no statistical inefficiency of single series says how much; whole copies
/// of a ladder do not, so this error is honest however they mix.
/// Errors: what the statistic gives. One group alone has the error +inf.
/// Source: Efron and Stein, Ann. Stat. 9, 586 (1981).
pub fn leave_one_out<E>(groups: usize, statistic: impl Fn(&[usize]) -> Result<Vec<f64>, E>) -> Result<LeaveOneOut, E> {
    let all: Vec<usize> = (0..groups).collect();
    let value = statistic(&all)?;
    let mut left_out = Vec::with_capacity(groups);
    if groups > 1 {
        for g in 0..groups {
            let others: Vec<usize> = all.iter().copied().filter(|other| *other != g).collect();
            left_out.push(statistic(&others)?);
        }
    }
    Ok(LeaveOneOut { value, left_out })
}

/// Standard error from a statistic without each group in turn, theta_(g).
///
///   stderr^2 = (G - 1)/G sum_g (theta_(g) - mean theta_())^2
///
/// NaN without groups, 0 of one.
/// Source: Efron and Stein, Ann. Stat. 9, 586 (1981).
pub fn delete_one_error(left_out: impl IntoIterator<Item = f64>) -> f64 {
    let left_out: Vec<f64> = left_out.into_iter().collect();
    let n = left_out.len() as f64;
    let mean = left_out.iter().sum::<f64>() / n;
    ((n - 1.0) / n * left_out.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>()).sqrt()
}

impl LeaveOneOut {
    /// Element j less element i, and its standard error.
    pub fn delta(&self, i: usize, j: usize) -> (f64, f64) {
        let stderr = if self.left_out.len() < 2 {
            f64::INFINITY
        } else {
            delete_one_error(self.left_out.iter().map(|without| without[j] - without[i]))
        };
        (self.value[j] - self.value[i], stderr)
    }

    /// Half the width of Student's interval for element j less element i that holds the exact value with probability `level`.
    pub fn half_width(&self, i: usize, j: usize, level: f64) -> f64 {
        student_t_quantile(level, self.left_out.len().saturating_sub(1)) * self.delta(i, j).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For a mean the jackknife is the textbook error.
    #[test]
    fn a_mean_has_its_own_error() {
        let x = [1.0, 4.0, 2.5, -3.0, 0.5];
        let mean =
            |groups: &[usize]| -> Result<Vec<f64>, ()> { Ok(vec![0.0, groups.iter().map(|g| x[*g]).sum::<f64>() / groups.len() as f64]) };
        let found = leave_one_out(5, mean).unwrap();
        let squares: f64 = x.iter().map(|x| (x - 1.0) * (x - 1.0)).sum();
        let (value, stderr) = found.delta(0, 1);
        assert!((value - 1.0).abs() < 1e-14 && (stderr - (squares / 20.0).sqrt()).abs() < 1e-14);
        assert!((found.half_width(0, 1, 0.95) / stderr - 2.776).abs() < 1e-3);
        assert_eq!(leave_one_out(1, mean).unwrap().delta(0, 1), (1.0, f64::INFINITY));
        assert!(leave_one_out(3, |_| Err::<Vec<f64>, _>("no")).is_err());
    }
}
