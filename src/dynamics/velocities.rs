//! Maxwell's velocities.

use super::{Center, Com};
use crate::Result;
use crate::batch::{Ensemble, Phase};
use crate::stream::Purpose;

/// Draws the velocities of every replica at its own temperature: v_d = sqrt(kT/m_d) xi_d, without the centre of mass if that
/// is removed. The numbers are those of `ens.step` for `place` and [`Purpose::Velocities`].
///
/// # Errors
/// As [`Center::new`].
pub fn draw_velocities(ens: &mut Ensemble<Phase>, place: u64, com: Com) -> Result<()> {
    let center = Center::new(com, ens.state().mass())?;
    let (stream, step) = (ens.root.stream(place, Purpose::Velocities), ens.step);
    let (phase, thermo, _) = ens.parts_mut();
    let sigma: Vec<f64> = phase.mass().iter().map(|m| (1.0 / m).sqrt()).collect();
    let mut v = vec![0.0; sigma.len()];
    for (r, t) in thermo.iter().enumerate() {
        stream.normals::<f64>(step, r as u32, &mut v);
        let root_kt = (1.0 / t.beta).sqrt();
        for (v, s) in v.iter_mut().zip(&sigma) {
            *v *= s * root_kt;
        }
        center.remove(&mut v);
        phase.v.set_row(r, &v);
    }
    Ok(())
}
