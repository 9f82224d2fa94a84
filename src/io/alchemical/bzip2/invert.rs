//! The chain of a block's rows, followed from many places at once.
//!
//! Each step of the chain is a miss of the cache, and the next one waits for it. So four steps are joined to one beforehand, for every row,
//! in an order that memory likes; and the chain is entered at many rows besides its first. Where in the text they are is not known, but
//! each is followed until it comes to a row where another began, and then the segments are put one behind the other.

/// The row in an entry of the table, once its byte is shifted out: a block has 900 000 rows at most.
const ROW: u32 = 0xf_ffff;
/// On an entry: the chain is entered here.
const MARK: u32 = 1 << 31;
/// On four steps: one of them leaves such a row.
const MARKED: u64 = 1 << 63;
/// Entrances to the chain of a block, with the first row.
const ENTRANCES: usize = 64;
/// Followed at a time.
const LANES: usize = 8;
/// Words of four bytes that a segment grows by.
const PIECE: usize = 1024;

/// Memory to work in.
#[derive(Default)]
pub(super) struct Space {
    /// By row, four steps in one: their bytes in the low 32 bits, the row after them above, [`MARKED`].
    quads: Vec<u64>,
    /// Pieces of all segments.
    words: Vec<u32>,
}

/// Bytes from one entrance to the next.
struct Segment {
    /// The row of the entrance.
    row: u32,
    /// Where its pieces begin.
    pieces: Vec<usize>,
    length: usize,
    /// The segment behind it.
    next: usize,
}

/// A segment while it is followed.
struct Lane {
    segment: usize,
    row: u32,
    /// Where the next word goes, and how many have room there.
    at: usize,
    room: usize,
}

/// The bytes in order. An entry of `table` is the byte of a row and, shifted left by 8, the row that follows; `first` is the first row.
pub(super) fn invert(table: &mut [u32], first: u32, space: &mut Space, bytes: &mut Vec<u8>) {
    let length = table.len();
    let mut segments = enter(table, first);
    let words = (length.div_ceil(4 * PIECE) + 2 * segments.len()) * PIECE;
    if space.words.len() < words {
        space.words.resize(words, 0);
    }
    space.quads.clear();
    space.quads.extend(table.iter().map(|&first| {
        let second = table[(first >> 8 & ROW) as usize];
        let third = table[(second >> 8 & ROW) as usize];
        let fourth = table[(third >> 8 & ROW) as usize];
        let bytes = (first & 255) | (second & 255) << 8 | (third & 255) << 16 | fourth << 24;
        let rest = (fourth >> 8 & ROW) | (first | second | third | fourth) & MARK;
        u64::from(bytes) | u64::from(rest) << 32
    }));
    let mut lanes: Vec<Lane> = Vec::with_capacity(LANES);
    let (mut entered, mut used) = (0, 0);
    loop {
        while lanes.len() < LANES && entered < segments.len() {
            lanes.push(Lane { segment: entered, row: segments[entered].row, at: 0, room: 0 });
            entered += 1;
        }
        for lane in lanes.iter_mut().filter(|l| l.room == 0) {
            segments[lane.segment].pieces.push(used);
            (lane.at, lane.room) = (used, PIECE);
            used += PIECE;
        }
        match &mut lanes[..] {
            [a, b, c, d, e, f, g, h] => follow([a, b, c, d, e, f, g, h], space),
            [a, b, c, d, ..] => follow([a, b, c, d], space),
            [a, b, ..] => follow([a, b], space),
            [a] => follow([a], space),
            [] => break,
        }
        lanes.retain_mut(|lane| !ends(lane, table, space, &mut segments));
    }
    join(&segments, length, &space.words, bytes);
}

/// Marks the rows where the chain is entered.
fn enter(table: &mut [u32], first: u32) -> Vec<Segment> {
    let length = table.len();
    let entrances = if length < 16 * PIECE { 1 } else { ENTRANCES };
    let mut segments = Vec::with_capacity(entrances);
    for row in std::iter::once(first).chain((1..entrances).map(|k| (k * length / entrances) as u32)) {
        let entry = &mut table[row as usize];
        if *entry & MARK == 0 {
            *entry |= MARK;
            segments.push(Segment { row, pieces: Vec::new(), length: 0, next: 0 });
        }
    }
    segments
}

/// Steps of all lanes until one has no room or comes to four that are marked, which nobody takes then.
fn follow<const N: usize>(mut lanes: [&mut Lane; N], space: &mut Space) {
    let most = lanes.iter().map(|l| l.room).min().unwrap_or(0);
    let mut row: [u32; N] = std::array::from_fn(|k| lanes[k].row);
    let at: [usize; N] = std::array::from_fn(|k| lanes[k].at);
    let (quads, words) = (&space.quads[..], &mut space.words[..]);
    let mut taken = 0;
    while taken < most {
        let four: [u64; N] = std::array::from_fn(|k| quads[row[k] as usize]);
        for k in 0..N {
            words[at[k] + taken] = four[k] as u32;
        }
        if four.iter().fold(0, |all, q| all | q) & MARKED != 0 {
            break;
        }
        for k in 0..N {
            row[k] = (four[k] >> 32) as u32;
        }
        taken += 1;
    }
    for (lane, row) in lanes.iter_mut().zip(row) {
        lane.row = row;
        lane.at += taken;
        lane.room -= taken;
    }
}

/// Takes the next four steps if they are marked; whether the segment ends within.
fn ends(lane: &mut Lane, table: &[u32], space: &mut Space, segments: &mut [Segment]) -> bool {
    let four = space.quads[lane.row as usize];
    if lane.room == 0 || four & MARKED == 0 {
        return false;
    }
    space.words[lane.at] = four as u32;
    let segment = &segments[lane.segment];
    let words = segment.pieces.len() * PIECE - lane.room;
    let mut row = lane.row;
    for step in 0..4 {
        let entry = table[row as usize];
        // at its own entrance it has only begun
        if entry & MARK != 0 && words + step > 0 {
            let next = segments.iter().position(|s| s.row == row).unwrap_or(0);
            let segment = &mut segments[lane.segment];
            (segment.length, segment.next) = (4 * words + step, next);
            return true;
        }
        row = entry >> 8 & ROW;
    }
    lane.row = row;
    lane.at += 1;
    lane.room -= 1;
    false
}

/// One segment behind the other from the first on, until there are `length` bytes.
fn join(segments: &[Segment], length: usize, words: &[u32], bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.reserve(length + 4 * PIECE);
    let mut segment = &segments[0];
    while bytes.len() < length {
        let end = bytes.len() + segment.length;
        for piece in &segment.pieces {
            let wanted = (end - bytes.len()).div_ceil(4).min(PIECE);
            bytes.extend(words[*piece..*piece + wanted].iter().flat_map(|w| w.to_le_bytes()));
        }
        bytes.truncate(end);
        segment = &segments[segment.next];
    }
    // a text of equal parts comes round again
    bytes.truncate(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_one_step_after_the_other() {
        let mut seed = 1_u64;
        let mut next = |n: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % n
        };
        let mut space = Space::default();
        // lengths around where the chain is entered at many rows, and the longest of a block
        for length in [1, 2, 3, 4, 5, 255, 4097, 16_383, 16_384, 16_385, 65_536, 150_001, 900_000] {
            // one cycle through all rows, or several as of a text of equal parts
            for cycles in [1, 2, 7] {
                let mut rows: Vec<u32> = (0..length as u32).collect();
                for k in (1..length).rev() {
                    rows.swap(k, next(k + 1));
                }
                let mut table = vec![0; length];
                for part in rows.chunks(length.div_ceil(cycles)) {
                    for (k, row) in part.iter().enumerate() {
                        table[*row as usize] = next(256) as u32 | part[(k + 1) % part.len()] << 8;
                    }
                }
                let first = next(length) as u32;
                let mut row = first;
                let mut plain = Vec::with_capacity(length);
                for _ in 0..length {
                    plain.push(table[row as usize] as u8);
                    row = table[row as usize] >> 8;
                }
                let mut bytes = Vec::new();
                invert(&mut table, first, &mut space, &mut bytes);
                assert!(bytes == plain, "{length} rows in {cycles} cycles");
            }
        }
    }
}
