//! Trajectories pulled by a moving harmonic bias, as arrays.

use super::Array;
use crate::{Error, Result};

/// Trajectories of one direction, `[trajectory][time]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulled {
    /// The pulled coordinate.
    pub z: Vec<f64>,
    /// Work in kT up to each time; 0 at the first.
    pub work: Vec<f64>,
}

/// Pulled trajectories with what pulled them: V(z, t) = stiffness / 2 (z - centre_t)^2 in kT.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulling {
    /// From the first centre to the last.
    pub forward: Pulled,
    /// From the last centre to the first, if there are any.
    pub reverse: Option<Pulled>,
    /// Centre of the bias at each time, in forward order.
    pub centres: Vec<f64>,
    /// kT over the coordinate's unit squared.
    pub stiffness: f64,
}

const REMEDY: &str = "pulling needs z_f and w_f (trajectories, times), centres (times) and stiffness: \
                      numpy.savez(\"pull.npz\", z_f=z, w_f=w, centres=c, stiffness=k)";

/// From the arrays of these names; `works` are w_f and w_r.
pub(super) fn pulling(
    (z_f, z_r): (&Array, Option<&Array>),
    (w_f, w_r): (Option<&Array>, Option<&Array>),
    (centres, stiffness): (Option<&Array>, Option<&Array>),
) -> Result<Pulling> {
    let missing = |what: &str| Error::input(format!("{}: pulled trajectories without {what}", z_f.from), REMEDY);
    let (w_f, centres, stiffness) = (
        w_f.ok_or_else(|| missing("w_f, the work up to each time"))?,
        centres.ok_or_else(|| missing("centres, where the bias stands at each time"))?,
        stiffness.ok_or_else(|| missing("stiffness, that of the bias"))?,
    );
    let times = times(z_f, "z_f")?;
    let forward = pulled((z_f, "z_f"), (w_f, "w_f"))?;
    let reverse = match (z_r, w_r) {
        (Some(z), Some(w)) => {
            if z.shape.last() != Some(&times) {
                let what = format!("{}: z_r has the shape {:?}, and z_f has {times} times", z.from, z.shape);
                return Err(Error::input(what, "reverse trajectories pass the same times, from the last centre to the first"));
            }
            Some(pulled((z, "z_r"), (w, "w_r"))?)
        }
        (None, None) => None,
        (Some(z), None) => return Err(Error::input(format!("{}: z_r without w_r, the work of going back", z.from), REMEDY)),
        (None, Some(w)) => return Err(Error::input(format!("{}: w_r without z_r, the trajectories of going back", w.from), REMEDY)),
    };
    if centres.values.len() != times {
        let what = format!("{}: centres has the shape {:?}, and z_f has {times} times", centres.from, centres.shape);
        return Err(Error::input(what, "one centre a time, in the order of z_f"));
    }
    if let Some(t) = centres.values.iter().position(|c| !c.is_finite()) {
        return Err(Error::input(format!("{}: the centre at time {t} is {}", centres.from, centres.values[t]), "give finite centres"));
    }
    let stiff = match stiffness.values[..] {
        [k] if k > 0.0 && k.is_finite() => k,
        _ => {
            let what = format!("{}: stiffness holds {:?}", stiffness.from, &stiffness.values[..stiffness.values.len().min(4)]);
            return Err(Error::input(
                what,
                "one positive number, in kT over the coordinate's unit squared: V = stiffness/2 (z - centre)^2",
            ));
        }
    };
    Ok(Pulling { forward, reverse, centres: centres.values.clone(), stiffness: stiff })
}

/// Number of times of an array (trajectories, times).
fn times(z: &Array, name: &str) -> Result<usize> {
    match z.shape[..] {
        [trajectories, times] if trajectories > 0 && times > 1 => Ok(times),
        _ => {
            let what = format!("{}: {name} has the shape {:?}", z.from, z.shape);
            Err(Error::input(what, "it must be (trajectories, times): one row a trajectory, at least two times"))
        }
    }
}

fn pulled((z, z_name): (&Array, &str), (w, w_name): (&Array, &str)) -> Result<Pulled> {
    let times = times(z, z_name)?;
    if w.shape != z.shape {
        let turned = w.shape.iter().rev().eq(z.shape.iter());
        let what = format!("{}: {w_name} has the shape {:?}, and {z_name} has {:?}", w.from, w.shape, z.shape);
        let remedy = if turned { "transpose one of them" } else { "the work of each trajectory up to each time, 0 at the first" };
        return Err(Error::input(what, format!("{remedy}: one row a trajectory, one column a time")));
    }
    for (array, name) in [(z, z_name), (w, w_name)] {
        if let Some(at) = array.values.iter().position(|v| !v.is_finite()) {
            let (trajectory, time) = (at / times, at % times);
            let what = format!("{}: {name} of trajectory {trajectory} at time {time} is {}", array.from, array.values[at]);
            return Err(Error::input(what, "leave damaged trajectories out"));
        }
    }
    if let Some(at) = (0..w.values.len()).step_by(times).find(|&at| w.values[at].abs() > 1e-9) {
        let what = format!("{}: {w_name} of trajectory {} is {} at the first time, and must be 0 there", w.from, at / times, w.values[at]);
        return Err(Error::input(what, "give the work up to each time, with that of moving the bias to the time's own centre"));
    }
    Ok(Pulled { z: z.values.clone(), work: w.values.clone() })
}
