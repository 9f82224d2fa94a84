//! The list of bytes that move to the front when they are named.

/// Bytes in the order of their last use.
pub(super) struct Front {
    /// The first sixteen, the very first in the low byte: most moves stay within, and are a few operations without a branch.
    near: u128,
    /// The others.
    far: [u8; 256],
}

impl Front {
    /// With bytes in this order.
    pub(super) fn new(order: &[u8]) -> Self {
        let mut front = Front { near: 0, far: [0; 256] };
        for (k, byte) in order.iter().enumerate() {
            match k {
                0..16 => front.near |= u128::from(*byte) << (8 * k),
                _ => front.far[k - 16] = *byte,
            }
        }
        front
    }

    /// The byte in front.
    #[inline(always)]
    pub(super) fn first(&self) -> u8 {
        self.near as u8
    }

    /// Moves the byte at a place below 256 to the front.
    #[inline(always)]
    pub(super) fn take(&mut self, at: usize) -> u8 {
        if at < 16 {
            let shift = 8 * at as u32;
            let byte = (self.near >> shift) as u8;
            // The bytes before it, and with its own.
            let before = (1_u128 << shift) - 1;
            let with = before << 8 | 0xff;
            self.near = (self.near & !with) | (self.near & before) << 8 | u128::from(byte);
            return byte;
        }
        let at = (at - 16) & 255;
        let byte = self.far[at];
        self.far.copy_within(0..at, 1);
        self.far[0] = (self.near >> 120) as u8;
        self.near = self.near << 8 | u128::from(byte);
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_as_a_plain_list_does() {
        let order: Vec<u8> = (0..=255).rev().collect();
        let (mut front, mut list) = (Front::new(&order), order);
        let mut seed = 1_u32;
        for k in 0..5000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (seed >> 24) as usize >> (k % 8);
            let byte = list.remove(at);
            list.insert(0, byte);
            assert_eq!((front.take(at), front.first()), (byte, byte), "{k}");
        }
    }
}
