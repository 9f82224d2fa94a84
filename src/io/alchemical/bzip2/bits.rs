//! Bits from the most significant on, and bzip2's checksum.

use super::Flaw;

/// A reader of bits.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next `count` bits, at the top of the word.
    word: u64,
    count: i32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Bits { bytes, at: 0, word: 0, count: 0 }
    }

    /// At least 32 bits in the word, or all that are left.
    #[inline(always)]
    pub(super) fn fill(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some(four) = self.bytes.get(self.at..self.at + 4) {
            let more = u32::from_be_bytes([four[0], four[1], four[2], four[3]]);
            self.word |= u64::from(more) << (32 - self.count.max(0));
            self.at += 4;
            self.count += 32;
            return;
        }
        while self.count <= 56 && self.at < self.bytes.len() {
            self.word |= u64::from(self.bytes[self.at]) << (56 - self.count.max(0));
            self.at += 1;
            self.count += 8;
        }
    }

    /// The next 32 bits, zeros beyond the end; call after `fill`.
    #[inline(always)]
    pub(super) fn peek(&self) -> u32 {
        (self.word >> 32) as u32
    }

    /// Drops up to 32 bits that were seen, without asking whether they were there: see [`overdrawn`](Self::overdrawn).
    #[inline(always)]
    pub(super) fn draw(&mut self, n: u32) {
        self.word <<= n;
        self.count -= n as i32;
    }

    /// Whether more bits were drawn than there were.
    pub(super) fn overdrawn(&self) -> bool {
        self.count < 0
    }

    /// The next 1 to 24 bits.
    pub(super) fn take(&mut self, n: u32) -> Result<u32, Flaw> {
        self.fill();
        let value = self.peek() >> (32 - n);
        self.draw(n);
        if self.overdrawn() { Err(Flaw::Cut) } else { Ok(value) }
    }

    /// To the next whole byte.
    pub(super) fn align(&mut self) {
        let odd = self.count % 8;
        self.word <<= odd;
        self.count -= odd;
    }

    /// Whether all bits are used.
    pub(super) fn at_end(&self) -> bool {
        self.count == 0 && self.at == self.bytes.len()
    }
}

/// Tables of the checksum with polynomial 0x04c11db7, for eight bytes at a time.
const TABLES: [[u32; 256]; 8] = {
    let mut tables = [[0_u32; 256]; 8];
    let mut i = 0;
    while i < 256 {
        let mut c = (i as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            c = if c & 0x8000_0000 != 0 { c << 1 ^ 0x04c1_1db7 } else { c << 1 };
            bit += 1;
        }
        tables[0][i] = c;
        i += 1;
    }
    let mut k = 1;
    while k < 8 {
        let mut i = 0;
        while i < 256 {
            let c = tables[k - 1][i];
            tables[k][i] = c << 8 ^ tables[0][(c >> 24) as usize];
            i += 1;
        }
        k += 1;
    }
    tables
};

/// CRC-32/BZIP2.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut c = !0_u32;
    let eights = bytes.chunks_exact(8);
    let rest = eights.remainder();
    for e in eights {
        let a = c ^ u32::from_be_bytes([e[0], e[1], e[2], e[3]]);
        c = TABLES[7][(a >> 24) as usize]
            ^ TABLES[6][(a >> 16 & 255) as usize]
            ^ TABLES[5][(a >> 8 & 255) as usize]
            ^ TABLES[4][(a & 255) as usize]
            ^ TABLES[3][usize::from(e[4])]
            ^ TABLES[2][usize::from(e[5])]
            ^ TABLES[1][usize::from(e[6])]
            ^ TABLES[0][usize::from(e[7])];
    }
    for b in rest {
        c = c << 8 ^ TABLES[0][(c >> 24 ^ u32::from(*b)) as usize];
    }
    !c
}

#[cfg(test)]
mod tests {
    #[test]
    fn checksum_of_the_nine_digits() {
        // The check value of CRC-32/BZIP2 in the catalogue of parametrised CRC algorithms.
        assert_eq!(super::checksum(b"123456789"), 0xfc89_1918);
        assert_eq!(super::checksum(b""), 0);
    }
}
