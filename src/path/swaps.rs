//! The random decisions of an exchange, drawn for 8 copies of the ladder at once.

use crate::batch::{Health, Thermo};
use crate::real::{Lanewise, Octet, Wide, dispatch};
use crate::stream::{Stream, unit};

/// ln of a uniform number for each pair of neighbours (k, k + 1): `[copy / 8][k].0[copy % 8]`, of (slot k, step, copy).
pub(super) fn log_uniforms(stream: Stream, step: u64, states: usize, copies: usize) -> Vec<Octet> {
    let mut out = vec![Octet::of(0.0); copies.div_ceil(8) * (states - 1)];
    for (block, out) in out.chunks_exact_mut(states - 1).enumerate() {
        dispatch(Logs { stream, step, first: 8 * block as u32, out });
    }
    out
}

struct Logs<'a> {
    stream: Stream,
    step: u64,
    first: u32,
    out: &'a mut [Octet],
}

impl Lanewise for Logs<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        for k in 0..self.out.len() {
            self.out[k] = self.stream.uniform::<L>(k as u32, self.step, self.first).ln().store();
        }
    }
}

/// Swaps of neighbouring states, tried and accepted.
pub(super) struct Counts {
    pub(super) proposed: Vec<u64>,
    pub(super) accepted: Vec<u64>,
}

/// K^3 swaps of random pairs in each of up to 8 copies, `first` being the number of the first one.
///
/// Of the two words of (slot, step, copy) 32 bits choose i, 32 bits choose j != i, 52 bits decide. The choice does not look at the
/// permutation, so every swap is reversible.
pub(super) fn shuffle(
    ladder: &[Thermo],
    thermo: &mut [Thermo],
    u: &[f64],
    health: &[Health],
    stream: Stream,
    (step, first): (u64, u32),
) -> Counts {
    let states = ladder.len();
    let mut place = vec![0; thermo.len()];
    for (r, t) in thermo.iter().enumerate() {
        place[r / states * states + t.state as usize] = r;
    }
    let mut counts = Counts { proposed: vec![0; states - 1], accepted: vec![0; states - 1] };
    dispatch(Shuffle { stream, step, first, states, u, health, place: &mut place, counts: &mut counts });
    for (slot, r) in place.iter().enumerate() {
        thermo[*r] = ladder[slot % states];
    }
    counts
}

struct Shuffle<'a> {
    stream: Stream,
    step: u64,
    first: u32,
    states: usize,
    u: &'a [f64],
    health: &'a [Health],
    place: &'a mut [usize],
    counts: &'a mut Counts,
}

impl Lanewise for Shuffle<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        let Shuffle { stream, step, first, states, u, health, place, counts } = self;
        let (k, copies) = (states as u64, place.len() / states);
        for slot in 0..states * states * states {
            let [pairs, chances] = stream.words::<L>(slot as u32, step, first);
            let (pairs, logs) = (L::from_bits(pairs).store(), unit::<L>(chances).ln().store());
            for copy in 0..copies {
                let bits = pairs.0[copy].to_bits();
                let i = (((bits & 0xffff_ffff) * k) >> 32) as usize;
                let mut j = (((bits >> 32) * (k - 1)) >> 32) as usize;
                j += usize::from(j >= i);
                let place = &mut place[copy * states..(copy + 1) * states];
                let (a, b) = (place[i], place[j]);
                if health[a] != Health::Well || health[b] != Health::Well {
                    continue;
                }
                let log_ratio = u[a * states + i] + u[b * states + j] - u[a * states + j] - u[b * states + i];
                let yes = logs.0[copy] < log_ratio;
                if yes {
                    place[i] = b;
                    place[j] = a;
                }
                if i.abs_diff(j) == 1 {
                    counts.proposed[i.min(j)] += 1;
                    counts.accepted[i.min(j)] += u64::from(yes);
                }
            }
        }
    }
}
