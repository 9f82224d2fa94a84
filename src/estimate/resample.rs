//! Draws with replacement, a pure function of a seed.

/// A stream of indices and uniform numbers for bootstraps: SplitMix64, started at a mix of seed and number of the bootstrap.
/// Source: Steele, Lea and Flood, OOPSLA 2014.
pub(super) struct Resample(u64);

impl Resample {
    /// The stream of bootstrap number `which`.
    pub(super) fn new(seed: u64, which: u64) -> Self {
        let mut start = Resample(seed ^ which.wrapping_mul(0xD134_2543_DE82_EF95));
        Resample(start.bits())
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// An index below n (n > 0): the high half of a product, biased by less than n / 2^64.
    pub(super) fn index(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// As many draws with replacement as there are values.
    pub(super) fn draw(&mut self, values: &[f64]) -> Vec<f64> {
        (0..values.len()).map(|_| values[self.index(values.len())]).collect()
    }
}
