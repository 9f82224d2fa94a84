//! Why a free-energy estimator gives no number.

/// Why a free-energy estimator gives no number: never a number that only looks like one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FreeEnergyError {
    /// The samples of some states say nothing about the others: free energies between the groups do not exist.
    #[error("no overlap between the states {}: together they share {shared:.2e} effective samples, where 2 are needed", list_groups(.groups))]
    Disconnected {
        /// Names of the states, one list for each group that hangs together.
        groups: Vec<Vec<String>>,
        /// Effective samples shared across the weakest cut, `sum_n p_A(n) p_B(n)`; an estimate needs at least a few.
        shared: f64,
    },
    /// No samples at all where at least one is needed.
    #[error("{what} has no samples")]
    NoSamples {
        /// Which state or list of work values.
        what: String,
    },
    /// The equations were not solved: the largest `|sum_n W_nk - 1|` stayed above the tolerance.
    #[error("not converged after {iterations} iterations: state {state} is off by {residual:.1e} (asked for {tolerance:.1e})")]
    NotConverged {
        /// Iterations done.
        iterations: usize,
        /// The state with the largest residual.
        state: String,
        /// Its `|sum_n W_nk - 1|`.
        residual: f64,
        /// The tolerance.
        tolerance: f64,
    },
    /// A reduced energy that cannot be: NaN, minus infinity, or plus infinity in the state the sample was drawn from.
    #[error("sample {sample} (drawn from state {origin}): its reduced energy in state {state} is {value}")]
    NonFinite {
        /// The state in which the energy was evaluated.
        state: String,
        /// 0-based position of the sample in the order it was given.
        sample: usize,
        /// The state it was drawn from.
        origin: String,
        /// The value.
        value: f64,
    },
    /// A work value or observable that cannot be.
    #[error("value {index} of {what} is {value}")]
    NotANumber {
        /// Which list.
        what: &'static str,
        /// 0-based position.
        index: usize,
        /// The value.
        value: f64,
    },
    /// Lengths or arguments that do not fit together.
    #[error("{what}: expected {expected}, found {found}")]
    Inconsistent {
        /// Which argument.
        what: String,
        /// What it should be.
        expected: usize,
        /// What it is.
        found: usize,
    },
    /// A state that is not there, or an option outside its range.
    #[error("{what}")]
    Argument {
        /// What is wrong, with the value.
        what: String,
    },
}

fn list_groups(groups: &[Vec<String>]) -> String {
    let one = |g: &Vec<String>| format!("{{{}}}", g.join(", "));
    groups.iter().map(one).collect::<Vec<_>>().join(" and ")
}

impl FreeEnergyError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            FreeEnergyError::Disconnected { .. } => {
                "add states between the groups or sample longer; check that all energies are in the same units and of the same system"
            }
            FreeEnergyError::NoSamples { .. } => "give at least one sample, or leave the state out",
            FreeEnergyError::NotConverged { .. } => {
                "raise the number of iterations; if that does not help, look at the overlap of neighbouring states"
            }
            FreeEnergyError::NonFinite { .. } => {
                "leave damaged frames out; +inf stands for \"impossible\" and is allowed only in states that the sample was not drawn from"
            }
            FreeEnergyError::NotANumber { .. } => "leave damaged values out; +inf is allowed as work: a move that cannot be",
            FreeEnergyError::Inconsistent { .. } => "give one column for each state and one row for each sample",
            FreeEnergyError::Argument { .. } => "see the documentation of the estimator",
        }
    }

    /// Is the input at fault (exit code 2)? Otherwise the data are sound but too few or too far apart (exit code 3).
    pub fn is_bad_input(&self) -> bool {
        !matches!(self, FreeEnergyError::Disconnected { .. } | FreeEnergyError::NotConverged { .. })
    }
}

impl From<FreeEnergyError> for crate::Error {
    fn from(why: FreeEnergyError) -> Self {
        if why.is_bad_input() {
            crate::Error::input(why.to_string(), why.remedy())
        } else {
            crate::Error::Diagnostics { what: why.to_string(), remedy: why.remedy().to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn messages_name_the_states_and_exit_codes_differ() {
        let groups = vec![vec!["a".into(), "b".into()], vec!["c".into()]];
        let e = FreeEnergyError::Disconnected { groups, shared: 2.5e-9 };
        assert_eq!(
            e.to_string(),
            "no overlap between the states {a, b} and {c}: together they share 2.50e-9 effective samples, where 2 are needed"
        );
        assert_eq!(Error::from(e).exit_code(), 3);
        let e = FreeEnergyError::NonFinite { state: "7".into(), sample: 12, origin: "3".into(), value: f64::NAN };
        let e = Error::from(e);
        assert!(e.exit_code() == 2 && e.to_string().contains("sample 12 (drawn from state 3)") && e.to_string().contains("help: "));
    }
}
