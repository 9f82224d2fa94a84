//! bzip2.
//!
//! Reading free-energy files is mostly bzip2, and of that two thirds are its last step: following a chain of references through a
//! block's table, each a miss of the cache. Here four steps of the chain are joined to one beforehand, in an order that memory likes, and
//! the chain is followed from many places at once, so that its misses overlap: about half the CPU time of libbz2's
//! translation to Rust on the files of GROMACS. The rest is the plain format: run lengths, move-to-front, Huffman codes.
//! Source: J. Seward, bzip2 1.0; J. Tsai, "bzip2: Format Specification" (2016).

mod bits;
mod block;
mod front;
mod invert;

use bits::Bits;
use block::Block;
use invert::Space;

/// Why a stream cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It ends early.
    Cut,
    /// It contradicts itself, or a checksum does not fit.
    Damaged,
    /// It unpacks to more than is allowed.
    TooLong,
}

/// One file while it is unpacked.
struct Stream<'a> {
    bits: Bits<'a>,
    /// Largest block in bytes; none between streams.
    level: Option<usize>,
    /// Checksum of the stream's blocks so far.
    check: u32,
    out: Vec<u8>,
    done: bool,
}

/// Memory to work in, kept from one call to the next.
#[derive(Default)]
pub(super) struct Room {
    /// Bytes of a last column in the low 8 bits, above them the row that follows, once linked.
    table: Vec<u32>,
    space: Space,
    block: Block,
}

/// Contents of a file of one or more bzip2 streams.
pub(super) fn unpack(file: &[u8], most: u64, room: &mut Room) -> Result<Vec<u8>, Flaw> {
    let mut stream = Stream::new(file);
    let mut block = std::mem::take(&mut room.block);
    let mut result = Ok(());
    while result.is_ok() && !stream.done {
        result = match stream.next_block(&mut block, room) {
            Ok(true) => stream.finish(&block, most),
            Ok(false) => Ok(()),
            // What is drawn beyond the end makes no sense either.
            Err(_) if stream.bits.overdrawn() => Err(Flaw::Cut),
            Err(flaw) => Err(flaw),
        };
    }
    room.block = block;
    result.map(|()| stream.out)
}

impl<'a> Stream<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Stream { bits: Bits::new(bytes), level: None, check: 0, out: Vec::new(), done: false }
    }

    /// Puts a block at the end of the output.
    fn finish(&mut self, block: &Block, most: u64) -> Result<(), Flaw> {
        let before = self.out.len();
        let written = block.expand(&mut self.out);
        if !written || bits::checksum(&self.out[before..]) != block.check {
            return Err(Flaw::Damaged);
        }
        if self.out.len() as u64 > most { Err(Flaw::TooLong) } else { Ok(()) }
    }

    /// Reads the next block's codes; false when a stream or the file has ended.
    fn next_block(&mut self, block: &mut Block, room: &mut Room) -> Result<bool, Flaw> {
        let Some(level) = self.level else {
            if self.bits.at_end() {
                self.done = true;
                return Ok(false);
            }
            let head = self.bits.take(24)?;
            let digit = self.bits.take(8)?;
            if head != 0x42_5a68 || !(0x31..=0x39).contains(&digit) {
                return Err(Flaw::Damaged);
            }
            (self.level, self.check) = (Some((digit - 0x30) as usize * 100_000), 0);
            return Ok(false);
        };
        match (self.bits.take(24)?, self.bits.take(24)?) {
            (0x31_4159, 0x26_5359) => {
                block.read(&mut self.bits, level, room)?;
                self.check = self.check.rotate_left(1) ^ block.check;
                Ok(true)
            }
            (0x17_7245, 0x38_5090) => {
                if self.bits.take(16)? << 16 | self.bits.take(16)? != self.check {
                    return Err(Flaw::Damaged);
                }
                self.bits.align();
                self.level = None;
                Ok(false)
            }
            _ => Err(Flaw::Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `bz2.compress(b"...")` of Python.
    const HELLO: &[u8] = include_bytes!("hello.bz2");

    #[test]
    fn a_known_stream_and_all_its_damages() {
        let text = b"hello hello hello aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(7);
        let twice = [HELLO, HELLO].concat();
        let unpack = |file: &[u8], most| super::unpack(file, most, &mut Room::default());
        assert_eq!(unpack(HELLO, 1 << 20).as_ref(), Ok(&text));
        assert_eq!(unpack(&twice, 1 << 20).as_ref(), Ok(&text.repeat(2)));
        assert_eq!(unpack(&[], 1 << 20), Ok(Vec::new()));
        assert_eq!(unpack(HELLO, 100), Err(Flaw::TooLong));
        for cut in 1..HELLO.len() {
            assert_eq!(unpack(&HELLO[..cut], 1 << 20), Err(Flaw::Cut), "{cut}");
        }
        for bit in 0..HELLO.len() * 8 {
            let mut bad = HELLO.to_vec();
            bad[bit / 8] ^= 0x80 >> (bit % 8);
            // Some bits carry nothing: the last byte's padding, a larger block size, another of the 7 equal rotations.
            if let Ok(out) = unpack(&bad, 1 << 20) {
                assert_eq!(out, text, "{bit}");
            }
        }
    }
}
