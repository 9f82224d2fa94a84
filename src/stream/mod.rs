//! Randomness as a pure function of (seed, stage, sweep point, place, purpose, step, slot, replica).
//!
//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11), with the counter
//! layout (slot, step low, step high, replica). No generator state exists: a checkpoint needs none, and what one replica,
//! stage or sweep point draws never depends on another.

mod normal;
mod philox;
mod rng;

pub use normal::{normal_pair, unit};
pub use philox::philox;
pub use rng::StreamRng;

use crate::real::Word;

/// Why a number is drawn. Different purposes never share a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Thermal noise of a stochastic step.
    Noise = 1,
    /// Fresh velocities.
    Velocities = 2,
    /// Metropolis decisions.
    Accept = 3,
    /// Starting configurations.
    Start = 4,
    /// Resampling and exchange.
    Resample = 5,
    /// Bootstrap and other estimates.
    Estimate = 6,
}

/// The part of the key that a stage of a sweep point has for itself: hash of (seed, stage name, sweep-point values).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    seed: u64,
    hash: u64,
}

impl Root {
    /// `point` is the text of the sweep point's values, "" without a sweep.
    pub fn new(seed: u64, stage: &str, point: &str) -> Self {
        let mut h = blake3::Hasher::new();
        h.update(&seed.to_le_bytes());
        for part in [stage, point] {
            h.update(&(part.len() as u64).to_le_bytes());
            h.update(part.as_bytes());
        }
        Root { seed, hash: first_u64(&h) }
    }

    /// The campaign's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The stream of the `place`-th mover of the stage, for one purpose.
    pub fn stream(&self, place: u64, purpose: Purpose) -> Stream {
        let mut h = blake3::Hasher::new();
        h.update(&self.hash.to_le_bytes());
        h.update(&place.to_le_bytes());
        h.update(&(purpose as u64).to_le_bytes());
        let key = first_u64(&h);
        Stream { key: [key as u32, (key >> 32) as u32] }
    }
}

fn first_u64(h: &blake3::Hasher) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&h.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

/// Numbers of one mover and purpose; replica `r` of a batch reads stream number `r`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
}

impl Stream {
    /// Two 64-bit words for (slot, step), for the replicas `first .. first + L::LANES`.
    #[inline(always)]
    pub fn words<L: Word>(&self, slot: u32, step: u64, first: u32) -> [L::Int; 2] {
        let c = philox::<L>(
            [L::int(u64::from(slot)), L::int(step & 0xffff_ffff), L::int(step >> 32), L::int_lanes(u64::from(first))],
            self.key,
        );
        [L::int_or(c[0], L::int_shl(c[1], 32)), L::int_or(c[2], L::int_shl(c[3], 32))]
    }

    /// A uniform number in (0, 1), never 0 or 1.
    #[inline(always)]
    pub fn uniform<L: Word>(&self, slot: u32, step: u64, first: u32) -> L {
        normal::unit::<L>(self.words::<L>(slot, step, first)[0])
    }

    /// Standard normal numbers, one per degree of freedom: slot d/2 gives those of d and d + 1.
    #[inline(always)]
    pub fn normals<L: Word>(&self, step: u64, first: u32, out: &mut [L]) {
        let n = out.len();
        let mut d = 0;
        while d + 1 < n {
            let (a, b) = self.normal_pair::<L>((d / 2) as u32, step, first);
            out[d] = a;
            out[d + 1] = b;
            d += 2;
        }
        if d < n {
            out[d] = self.normal_pair::<L>((d / 2) as u32, step, first).0;
        }
    }

    /// The two standard normal numbers of a slot.
    #[inline(always)]
    pub fn normal_pair<L: Word>(&self, slot: u32, step: u64, first: u32) -> (L, L) {
        let [a, b] = self.words::<L>(slot, step, first);
        normal_pair::<L>(a, b)
    }

    /// A generator of the `rand` ecosystem over the slots of (step, replica): any of its distributions can be drawn.
    pub fn rng(&self, step: u64, replica: u32) -> StreamRng {
        StreamRng::new(*self, step, replica)
    }
}

#[cfg(test)]
mod tests;
