//! Numbers for configurations, the same on every machine.

use ergodica::real::Real;

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub(crate) struct Draw(u64);

impl Draw {
    /// Seeded by a name.
    pub(crate) fn of(name: &str) -> Self {
        Draw(name.bytes().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)))
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In (0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / 4_503_599_627_370_496.0
    }

    /// Standard normal (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let r = (-2.0 * Real::ln(self.unit())).sqrt();
        r * Real::sin_cos(2.0 * std::f64::consts::PI * self.unit()).1
    }
}
