//! One block: Huffman codes to the last column of the sorted rotations, and run lengths after the inversion.

use super::bits::Bits;
use super::front::Front;
use super::invert::invert;
use super::{Flaw, Room};

/// Bits of a code that are looked up at once.
const DIRECT: u32 = 10;
/// Longest code.
const LONGEST: usize = 20;

/// A block while it is unpacked.
#[derive(Default)]
pub(super) struct Block {
    /// Checksum of what it unpacks to.
    pub(super) check: u32,
    /// The bytes in order, run lengths still packed.
    pub(super) bytes: Vec<u8>,
}

/// A canonical code.
struct Code {
    /// By the next DIRECT bits: symbol << 5 | length; 0: longer.
    direct: Box<[u16; 1 << DIRECT]>,
    /// By length: first value beyond the codes of that length, left-aligned in 32 bits; and what leads from a code to its symbol.
    limit: [u64; LONGEST + 1],
    base: [i32; LONGEST + 1],
    symbols: Vec<u16>,
}

impl Code {
    fn new(lengths: &[u8]) -> Result<Self, Flaw> {
        let mut code = Code { direct: Box::new([0; 1 << DIRECT]), limit: [0; LONGEST + 1], base: [0; LONGEST + 1], symbols: Vec::new() };
        let mut next = 0_u32;
        for length in 1..=LONGEST {
            code.base[length] = code.symbols.len() as i32 - next as i32;
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, l)| usize::from(**l) == length) {
                if next >> length != 0 {
                    return Err(Flaw::Damaged); // more codes than there can be
                }
                if length as u32 <= DIRECT {
                    let first = (next << (DIRECT - length as u32)) as usize;
                    let entry = (symbol as u16) << 5 | length as u16;
                    code.direct[first..first + (1 << (DIRECT - length as u32))].fill(entry);
                }
                code.symbols.push(symbol as u16);
                next += 1;
            }
            code.limit[length] = u64::from(next) << (32 - length);
            next <<= 1;
        }
        Ok(code)
    }

    /// The next symbol; beyond the end of the bits anything, which the caller asks for.
    #[inline(always)]
    fn symbol(&self, bits: &mut Bits<'_>) -> Result<u16, Flaw> {
        bits.fill();
        let word = bits.peek();
        let entry = self.direct[(word >> (32 - DIRECT)) as usize];
        if entry != 0 {
            bits.draw(u32::from(entry & 31));
            return Ok(entry >> 5);
        }
        self.long(bits, word)
    }

    fn long(&self, bits: &mut Bits<'_>, word: u32) -> Result<u16, Flaw> {
        for length in DIRECT as usize + 1..=LONGEST {
            if u64::from(word) < self.limit[length] {
                bits.draw(length as u32);
                let at = (word >> (32 - length)) as i32 + self.base[length];
                return usize::try_from(at).ok().and_then(|i| self.symbols.get(i)).copied().ok_or(Flaw::Damaged);
            }
        }
        Err(Flaw::Damaged)
    }
}

impl Block {
    /// Everything up to the last column, linked.
    pub(super) fn read(&mut self, bits: &mut Bits<'_>, most: usize, room: &mut Room) -> Result<(), Flaw> {
        self.check = bits.take(16)? << 16 | bits.take(16)?;
        if bits.take(1)? == 1 {
            return Err(Flaw::Damaged); // randomised: written by versions before 0.9.5 only
        }
        let origin = bits.take(24)? as usize;
        let order = symbols(bits)?;
        let (mut front, end) = (Front::new(&order), order.len() + 1);
        let (selectors, codes) = tables(bits, end + 1)?;
        if room.table.len() < most {
            room.table.resize(most, 0);
        }
        let (table, mut length) = (&mut room.table[..most], 0);
        let mut counts = [0_u32; 256];
        let (mut run, mut weight) = (0_usize, 0_u32);
        for selector in selectors {
            if bits.overdrawn() {
                return Err(Flaw::Cut); // long before nonsense costs any time
            }
            let code = &codes[usize::from(selector)];
            for _ in 0..50 {
                let symbol = usize::from(code.symbol(bits)?);
                if symbol < 2 {
                    // A run of the front byte, its length in base 2 with digits 1 and 2.
                    run += (symbol + 1) << weight;
                    weight += 1;
                    if run > most {
                        return Err(Flaw::Damaged);
                    }
                    continue;
                }
                if run > 0 {
                    let byte = front.first();
                    let Some(rows) = table.get_mut(length..length + run) else { return Err(Flaw::Damaged) };
                    rows.fill(u32::from(byte));
                    counts[usize::from(byte)] += run as u32;
                    length += run;
                    (run, weight) = (0, 0);
                }
                if symbol == end {
                    if bits.overdrawn() {
                        return Err(Flaw::Cut);
                    }
                    return self.link(origin, length, &counts, room);
                }
                let byte = front.take(symbol - 1);
                let Some(row) = table.get_mut(length) else { return Err(Flaw::Damaged) };
                *row = u32::from(byte);
                counts[usize::from(byte)] += 1;
                length += 1;
            }
        }
        Err(Flaw::Damaged)
    }

    /// Writes into each row which row follows, and follows them.
    fn link(&mut self, origin: usize, length: usize, counts: &[u32; 256], room: &mut Room) -> Result<(), Flaw> {
        let table = &mut room.table[..length];
        if origin >= length {
            return Err(Flaw::Damaged);
        }
        let mut first = [0_u32; 256];
        let mut sum = 0;
        for (first, count) in first.iter_mut().zip(counts) {
            *first = sum;
            sum += count;
        }
        for i in 0..length {
            let byte = (table[i] & 255) as usize;
            table[first[byte] as usize] |= (i as u32) << 8;
            first[byte] += 1;
        }
        let start = table[origin] >> 8;
        invert(table, start, &mut room.space, &mut self.bytes);
        Ok(())
    }

    /// Appends the bytes with runs written out: four equal ones are followed by how many more there are. False: a count is missing.
    pub(super) fn expand(&self, out: &mut Vec<u8>) -> bool {
        let bytes = &self.bytes;
        out.reserve(bytes.len() + bytes.len() / 8);
        let (mut from, mut at, mut equal) = (0, 1, 1);
        while at < bytes.len() {
            equal = if bytes[at] == bytes[at - 1] { equal + 1 } else { 1 };
            at += 1;
            if equal == 4 {
                let Some(&more) = bytes.get(at) else { return false };
                out.extend_from_slice(&bytes[from..at]);
                out.resize(out.len() + usize::from(more), bytes[at - 1]);
                // The byte after the count starts afresh.
                (from, at, equal) = (at + 1, at + 2, 1);
            }
        }
        out.extend_from_slice(&bytes[from.min(bytes.len())..]);
        true
    }
}

/// The bytes that occur, ascending.
fn symbols(bits: &mut Bits<'_>) -> Result<Vec<u8>, Flaw> {
    let groups = bits.take(16)?;
    let mut used = Vec::new();
    for group in (0..16).filter(|g| groups >> (15 - g) & 1 == 1) {
        let members = bits.take(16)?;
        used.extend((0..16).filter(|m| members >> (15 - m) & 1 == 1).map(|m| (group * 16 + m) as u8));
    }
    if used.is_empty() { Err(Flaw::Damaged) } else { Ok(used) }
}

/// Which code each fifty symbols use, and the codes.
fn tables(bits: &mut Bits<'_>, alphabet: usize) -> Result<(Vec<u8>, Vec<Code>), Flaw> {
    let groups = bits.take(3)? as usize;
    let count = bits.take(15)? as usize;
    if !(2..=6).contains(&groups) || count == 0 {
        return Err(Flaw::Damaged);
    }
    let mut front: Vec<u8> = (0..groups as u8).collect();
    let mut selectors = Vec::with_capacity(count);
    for _ in 0..count {
        let mut at = 0;
        while bits.take(1)? == 1 {
            at += 1;
            if at == groups {
                return Err(Flaw::Damaged);
            }
        }
        front[..=at].rotate_right(1);
        selectors.push(front[0]);
    }
    let mut codes = Vec::with_capacity(groups);
    for _ in 0..groups {
        let mut length = bits.take(5)? as i32;
        let mut lengths = Vec::with_capacity(alphabet);
        for _ in 0..alphabet {
            loop {
                if !(1..=LONGEST as i32).contains(&length) {
                    return Err(Flaw::Damaged);
                }
                if bits.take(1)? == 0 {
                    break;
                }
                length += if bits.take(1)? == 0 { 1 } else { -1 };
            }
            lengths.push(length as u8);
        }
        codes.push(Code::new(&lengths)?);
    }
    Ok((selectors, codes))
}
