//! The map of an anneal or switch stage over a system: what carries configurations along with lambda.

use super::config::map::{Map, parameters};
use super::config::{Column, Levels, Placed, System as Described};
use super::sample::{held, measure};
use super::system::System;
use crate::batch::Phase;
use crate::observe::Measure;
use crate::path::{Affine, Bijection};
use crate::{Error, Result};
use std::sync::Arc;

/// The map of each step between `levels`, each of which is `times` steps of the path.
///
/// # Errors
/// `Error::Input` when it names coordinates that are none, or would move a centre of mass that is held.
pub(super) fn bijection(
    (map, levels, times): (&Placed<Map>, &Levels, u64),
    system: &System,
    described: &Described,
    com: bool,
) -> Result<Arc<dyn Bijection<Phase>>> {
    let steps = map.steps(&levels.values(), &parameters(described));
    let steps = steps.map_err(|(text, mistake)| mistake.within(text.as_str()))?;
    let repeated = steps.into_iter().flat_map(|step| std::iter::once(step).chain((1..times).map(|_| (1.0, 0.0)))).collect();
    let coordinate = |column: &Placed<Column>| match measure(&column.value.kind, system)? {
        Measure::Coordinate(d) => Ok(d),
        _ => Err(Error::input(format!("\"{}\" is no coordinate", column.value.text), "write \"coordinate:x\"")),
    };
    let all = map.of.is_empty();
    let coordinates = if all { (0..system.dof()).collect() } else { map.of.iter().map(coordinate).collect::<Result<Vec<usize>>>()? };
    let affine = Affine::new(system.dof(), coordinates, repeated)?;
    Ok(match held(com, system.dimension) {
        crate::dynamics::Com::Keep => Arc::new(affine),
        crate::dynamics::Com::Remove { dim } => Arc::new(affine.with_com_held(dim)?),
    })
}
