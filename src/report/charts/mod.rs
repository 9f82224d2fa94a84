//! One file a kind of figure: from numbers to a [`Chart`](super::plot::Chart).

mod correlation;
pub mod free_energy;
mod map;
mod minimised;
mod profile;
mod sweep;
mod trace;

pub(super) use correlation::correlation;
pub(super) use map::{map, map_of};
pub(super) use minimised::minimised;
pub(super) use profile::profile;
pub(super) use sweep::{Swept, shown, sweeps};
pub(super) use trace::trace;
