//! bzip2, many files at a time.
//!
//! Reading free-energy files is mostly bzip2, and of that two thirds are its last step: following a chain of references through a
//! block's table, each a miss of the cache. Here four steps of the chain are joined to one beforehand, in an order that memory likes, and
//! the chains of several blocks are followed in turn, so that their misses overlap: half the CPU time of libbz2 and of its translation to
//! Rust on the files of GROMACS, less on a busy machine. The rest is the plain format: run lengths, move-to-front, Huffman codes.
//! Source: J. Seward, bzip2 1.0; J. Tsai, "bzip2: Format Specification" (2016).

mod bits;
mod block;
mod front;
mod invert;

use bits::Bits;
use block::Block;
use invert::invert;

/// Chains followed at a time.
const CHAINS: usize = 4;

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
    flaw: Option<Flaw>,
    done: bool,
}

/// Memory to work in, kept from one call to the next.
#[derive(Default)]
pub(super) struct Room {
    /// Bytes of a last column in the low 8 bits, above them the row that follows, once linked.
    table: Vec<u32>,
    /// Blocks that are done with.
    idle: Vec<Block>,
}

/// Contents of the files, each of one or more bzip2 streams, in order.
pub(super) fn unpack(files: &[&[u8]], most: u64, room: &mut Room) -> Vec<Result<Vec<u8>, Flaw>> {
    let mut streams: Vec<Stream<'_>> = files.iter().map(|f| Stream::new(f)).collect();
    let mut waiting: Vec<(usize, Block)> = Vec::new();
    for at in 0..streams.len() {
        while !streams[at].done {
            let mut block = room.idle.pop().unwrap_or_default();
            match streams[at].next_block(&mut block, room) {
                Ok(true) => waiting.push((at, block)),
                Ok(false) => room.idle.push(block),
                Err(flaw) => {
                    // What is drawn beyond the end makes no sense either.
                    let cut = streams[at].bits.overdrawn();
                    streams[at].fail(if cut { Flaw::Cut } else { flaw });
                    room.idle.push(block);
                }
            }
            if waiting.len() == CHAINS {
                finish(&mut waiting, &mut room.idle, &mut streams, most);
            }
        }
    }
    finish(&mut waiting, &mut room.idle, &mut streams, most);
    streams.into_iter().map(|s| s.flaw.map_or(Ok(s.out), Err)).collect()
}

/// Unpacks the blocks that wait and gives their memory back.
fn finish(waiting: &mut Vec<(usize, Block)>, idle: &mut Vec<Block>, streams: &mut [Stream<'_>], most: u64) {
    let mut blocks: Vec<&mut Block> = waiting.iter_mut().map(|(_, b)| b).collect();
    invert(&mut blocks);
    for (at, block) in waiting.drain(..) {
        let stream = &mut streams[at];
        if stream.flaw.is_none() {
            let before = stream.out.len();
            let written = block.expand(&mut stream.out);
            if !written || bits::checksum(&stream.out[before..]) != block.check {
                stream.fail(Flaw::Damaged);
            } else if stream.out.len() as u64 > most {
                stream.fail(Flaw::TooLong);
            }
        }
        idle.push(block);
    }
}

impl<'a> Stream<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Stream { bits: Bits::new(bytes), level: None, check: 0, out: Vec::new(), flaw: None, done: false }
    }

    fn fail(&mut self, flaw: Flaw) {
        self.flaw.get_or_insert(flaw);
        self.done = true;
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
        let all = unpack(&[HELLO, &twice, HELLO, HELLO, HELLO, &[]], 1 << 20, &mut Room::default());
        assert_eq!(all[0].as_ref().unwrap(), &text);
        assert_eq!(all[1].as_ref().unwrap(), &text.repeat(2));
        assert!(all[2] == all[0] && all[4] == all[0] && all[5] == Ok(Vec::new()));
        assert_eq!(unpack(&[HELLO], 100, &mut Room::default()), [Err(Flaw::TooLong)]);
        for cut in 1..HELLO.len() {
            assert_eq!(unpack(&[&HELLO[..cut]], 1 << 20, &mut Room::default()), [Err(Flaw::Cut)], "{cut}");
        }
        for bit in 0..HELLO.len() * 8 {
            let mut bad = HELLO.to_vec();
            bad[bit / 8] ^= 0x80 >> (bit % 8);
            // Some bits carry nothing: the last byte's padding, a larger block size, another of the 7 equal rotations.
            if let [Ok(out)] = unpack(&[&bad], 1 << 20, &mut Room::default()).as_slice() {
                assert_eq!(*out, text, "{bit}");
            }
        }
    }
}
