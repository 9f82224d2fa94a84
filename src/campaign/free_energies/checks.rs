//! Whether free energies of a ladder may be believed.

use super::found::Found;
use crate::campaign::copies::SHARED;
use crate::campaign::ladders::OnLadder;
use crate::estimate::{Check, Outcome, Threshold};

/// Off-diagonal elements of the overlap matrix between neighbours: reliable from here on.
/// Source: Klimovich, Shirts and Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015).
const OVERLAP: f64 = 0.03;

/// An integral against other ways to its ends, and neighbours that must overlap and share samples.
pub(super) fn checks(read: &OnLadder, found: &Found, checks: &mut Vec<Check>) {
    checks.extend(found.against.iter().map(|against| grid(read, found, against)));
    for (i, shared) in found.shared.iter().enumerate() {
        let of = format!("{} and {}", read.names[i], read.names[i + 1]);
        if let Some(overlap) = found.overlap.get(i) {
            let good = *overlap >= OVERLAP;
            let advice = if good { "" } else { ": add states between them" };
            checks.push(Check {
                check: "overlap".to_owned(),
                of: of.clone(),
                value: Some(*overlap),
                bound: Some(OVERLAP),
                outcome: if good { Outcome::Pass } else { Outcome::Fail },
                message: format!("overlap of {} {of} is {overlap:.3}, should be at least {OVERLAP}{advice}", read.variable),
            });
        }
        checks.push(Check {
            check: "n_eff".to_owned(),
            of: of.clone(),
            value: shared.is_finite().then_some(*shared),
            bound: Some(SHARED.pass),
            outcome: SHARED.at_least(*shared),
            message: format!("{shared:.0} independent samples connect {} {of}, should be at least {:.0}", read.variable, SHARED.pass),
        });
    }
}

/// Do the states lie close enough for the rule of integration?
fn grid(read: &OnLadder, found: &Found, (other, value, error): &(&'static str, f64, f64)) -> Check {
    let states = read.states.len();
    let total = found.f[found.before + states - 1] - found.f[found.before];
    let z = (total - value) / error;
    // BAR has no error of its grid; the trapezoid has one, and it is larger than the spline's
    let bounds = if *other == "BAR" { Threshold { pass: 3.0, fail: 4.0 } } else { Threshold { pass: 5.0, fail: f64::INFINITY } };
    Check {
        check: "grid".to_owned(),
        of: format!("integral against {other}"),
        value: z.is_finite().then_some(z.abs()),
        bound: Some(bounds.pass),
        outcome: bounds.at_most(z.abs()),
        message: format!(
            "the integral over {states} states is {total:.3} kT, {other} says {value:.3}: {:.1} standard errors apart, should be at most {}: add states where the gradient bends",
            z.abs(),
            bounds.pass
        ),
    }
}
