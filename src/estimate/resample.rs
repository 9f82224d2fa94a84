//! Draws with replacement, a pure function of a seed.

use crate::stream::{Purpose, Root, Stream};

/// Indices of one bootstrap.
pub(super) struct Resample {
    stream: Stream,
    which: u64,
    slot: u32,
    spare: Option<u64>,
}

impl Resample {
    /// The draws of bootstrap number `which`.
    pub(super) fn new(seed: u64, which: u64) -> Self {
        Resample { stream: Root::new(seed, "bootstrap", "").stream(0, Purpose::Estimate), which, slot: 0, spare: None }
    }

    fn word(&mut self) -> u64 {
        if let Some(word) = self.spare.take() {
            return word;
        }
        let [word, spare] = self.stream.words::<f64>(self.slot, self.which, 0);
        self.slot += 1;
        self.spare = Some(spare);
        word
    }

    /// An index below n (n > 0): the high half of a product, biased by less than n / 2^64.
    pub(super) fn index(&mut self, n: usize) -> usize {
        ((u128::from(self.word()) * n as u128) >> 64) as usize
    }

    /// As many draws with replacement as there are values.
    pub(super) fn draw(&mut self, values: &[f64]) -> Vec<f64> {
        (0..values.len()).map(|_| values[self.index(values.len())]).collect()
    }
}
