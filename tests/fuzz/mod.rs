//! Mutated inputs: edits of sound ones, the same on every machine, and what is asked of a reader whatever it is given: an answer or
//! an error, within a second and a gigabyte.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub(crate) const TIME: Duration = Duration::from_secs(1);
pub(crate) const MEMORY_KB: u64 = 1 << 20;

/// splitmix64. Source: Steele, Lea, Flood, OOPSLA 2014.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }
}

/// What takes the place of a number.
const NUMBERS: [&str; 33] = [
    "1",
    "2",
    "0.5",
    "7",
    "1000",
    "nan",
    "-nan",
    "inf",
    "-inf",
    "1e308",
    "-1e308",
    "1e999",
    "1e15",
    "-1",
    "0",
    "-0.0",
    "1e-320",
    "5e-324",
    "99999999999999999999",
    "4294967296",
    "2147483648",
    "-2147483648",
    "9223372036854775807",
    "18446744073709551615",
    "0x10",
    "",
    "1e",
    ".",
    "3.",
    "1_000",
    "1.5D+02",
    "********",
    "1.2.3",
];

/// Where inputs come from.
pub(crate) struct Mutator<'a> {
    /// Sound inputs (and some that are refused for one reason each).
    pub(crate) seeds: &'a [Vec<u8>],
    /// What is put in anywhere.
    pub(crate) pieces: &'a [&'a [u8]],
    /// Longest chunk that is lost, doubled, moved or taken from another seed.
    pub(crate) chunk: usize,
}

impl Mutator<'_> {
    /// One to five edits of a seed: flipped bits, other bytes, cuts, doubled, lost and moved chunks and lines, other numbers, odd
    /// pieces, another seed's chunk.
    pub(crate) fn input(&self, r: &mut Random) -> Vec<u8> {
        let mut out = self.seeds[r.below(self.seeds.len())].clone();
        for _ in 0..1 + r.below(3) * r.below(3) {
            let at = r.below(out.len() + 1);
            let end = at + r.below((out.len() - at).min(self.chunk) + 1);
            match r.below(14) {
                0 if at < out.len() => out[at] ^= 1 << r.below(8),
                1 if at < out.len() => out[at] = r.below(256) as u8,
                2 => out.truncate(at),
                3 => {
                    let chunk = out[at..end].to_vec();
                    for _ in 0..1 + r.below(4) {
                        out.splice(at..at, chunk.iter().copied());
                    }
                }
                4 => drop(out.drain(at..end)),
                5 => {
                    let chunk: Vec<u8> = out.drain(at..end).collect();
                    let to = r.below(out.len() + 1);
                    out.splice(to..to, chunk);
                }
                6 => {
                    let piece = self.pieces[r.below(self.pieces.len())];
                    out.splice(at..at, piece.iter().copied());
                }
                7 => {
                    let other = &self.seeds[r.below(self.seeds.len())];
                    let from = r.below(other.len() + 1);
                    let to = from + r.below((other.len() - from).min(self.chunk) + 1);
                    out.splice(at..end, other[from..to].iter().copied());
                }
                8 => drop(out.drain(line(&out, at))),
                9 => {
                    let text = out[line(&out, at)].to_vec();
                    let to = line(&out, r.below(out.len() + 1)).start;
                    out.splice(to..to, text);
                }
                10 => {
                    let text: Vec<u8> = out.drain(line(&out, at)).collect();
                    let to = line(&out, r.below(out.len() + 1)).start;
                    out.splice(to..to, text);
                }
                _ => number(r, &mut out, at),
            }
        }
        out.truncate(4 << 20);
        out
    }
}

/// The bytes of the line that holds a place, its break included.
fn line(text: &[u8], at: usize) -> std::ops::Range<usize> {
    let start = text[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let end = text[at..].iter().position(|b| *b == b'\n').map_or(text.len(), |n| at + n + 1);
    start..end
}

/// Replaces the next number by another.
fn number(r: &mut Random, out: &mut Vec<u8>, at: usize) {
    let digit = |b: u8| b.is_ascii_digit() || b == b'.' || b == b'-';
    if let Some(start) = (at..out.len()).find(|&i| digit(out[i])) {
        let stop = (start..out.len()).find(|&i| !digit(out[i])).unwrap_or(out.len());
        out.splice(start..stop, NUMBERS[r.below(NUMBERS.len())].bytes());
    }
}

/// Time this thread has spent computing, so that a busy machine does not matter; wall time where the system does not tell.
pub(crate) fn cpu() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat").ok().and_then(|s| s.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// Peak memory of this process, kB, where the system tells.
pub(crate) fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

/// Reads so many inputs; how many were accepted. An input that panics or takes too long is kept in the temporary folder.
pub(crate) fn fuzz(name: &str, count: u64, from: &Mutator<'_>, read: impl Fn(&[u8]) -> bool) -> u64 {
    // The unharmed seeds prove that the reader is reached.
    assert!(from.seeds.iter().any(|s| read(s)), "{name}: no seed is accepted");
    let (mut accepted, mut slowest) = (0_u64, Duration::ZERO);
    for k in 0..count {
        let input = from.input(&mut Random(k ^ (from.seeds.len() as u64) << 40));
        let start = cpu();
        let result = catch_unwind(AssertUnwindSafe(|| read(&input)));
        let took = cpu() - start;
        slowest = slowest.max(took);
        if result.is_err() || took > TIME {
            let path = std::env::temp_dir().join(format!("ergodica-fuzz-{name}-{k}"));
            let _ = std::fs::write(&path, &input);
            panic!("{name}: input {k} ({}) {} after {took:?}", path.display(), if result.is_err() { "panicked" } else { "was too slow" });
        }
        accepted += u64::from(result.unwrap_or(false));
    }
    let peak = peak_kb();
    println!("{name}: {count} inputs, {accepted} accepted, slowest {slowest:?}, peak {} MB", peak.unwrap_or(0) >> 10);
    assert!(peak.is_none_or(|kb| kb < MEMORY_KB), "{name}: {peak:?} kB");
    accepted
}

/// A file of the checkout.
#[allow(dead_code)]
pub(crate) fn shipped(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// All files of a folder of the checkout with this ending, by name.
pub(crate) fn folder(path: &str, ending: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut files: Vec<_> = entries.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == ending)).collect();
    files.sort();
    files.iter().map(|p| std::fs::read(p).unwrap()).collect()
}
