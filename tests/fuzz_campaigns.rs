//! Mutated campaigns: whatever bytes come in, the answer is a campaign or located complaints, in less than a second, and never a panic.
//! What is accepted must survive being written as resolved.toml.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use ergodica::campaign::render::render;
use ergodica::campaign::{Campaign, UnitSystem};
use ergodica::error::{Error, Source};

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the inputs are the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

const NUMBERS: [&str; 16] = [
    "0",
    "-1",
    "1e400",
    "nan",
    "-inf",
    "inf",
    "9223372036854775807",
    "18446744073709551615",
    "1e308",
    "5e-324",
    "0.5",
    "1000",
    "1_000",
    "0x10",
    "99999999999999999999",
    "1e15",
];
const WORDS: [&str; 22] = [
    "\"",
    "[",
    "]",
    "{",
    "}",
    "=",
    ",",
    "#",
    "\n",
    ".",
    "\"\"\"",
    "'''",
    "\\u0000",
    "\u{fffd}",
    "é",
    "\r\n",
    "[[stage]]\n",
    "[sweep]\n",
    "\"2 fs\"",
    "{ from = 1, to = 2, count = 1000 }",
    "[\"a\", 1, {}]",
    "1979-05-27",
];

fn mutate(dice: &mut Dice, seeds: &[String]) -> String {
    let mut bytes = seeds[dice.below(seeds.len())].clone().into_bytes();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        match dice.below(10) {
            0 => bytes[at..].iter_mut().take(1).for_each(|b| *b = (dice.next() & 0xff) as u8),
            1 => drop(bytes.drain(at..(at + 1 + dice.below(8)).min(bytes.len()))),
            2 => drop(bytes.splice(at..at, WORDS[dice.below(WORDS.len())].bytes())),
            3 => bytes.truncate(at),
            4 | 5 => number(dice, &mut bytes),
            6 => lines(dice, &mut bytes, |lines, i, _| drop(lines.remove(i))),
            7 => lines(dice, &mut bytes, |lines, i, j| lines.insert(j, lines[i].clone())),
            8 => lines(dice, &mut bytes, |lines, i, j| lines.swap(i, j)),
            _ => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len());
                let piece: Vec<u8> = other.bytes().skip(from).take(dice.below(80)).collect();
                drop(bytes.splice(at..at, piece));
            }
        }
        if bytes.is_empty() {
            bytes.push(b'\n');
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Replaces one number by another.
fn number(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let starts: Vec<usize> = (1..bytes.len()).filter(|&i| bytes[i].is_ascii_digit() && !bytes[i - 1].is_ascii_alphanumeric()).collect();
    if let Some(&start) = starts.get(dice.below(starts.len())) {
        let end = (start..bytes.len()).find(|&i| !(bytes[i].is_ascii_digit() || matches!(bytes[i], b'.' | b'_'))).unwrap_or(bytes.len());
        drop(bytes.splice(start..end, NUMBERS[dice.below(NUMBERS.len())].bytes()));
    }
}

fn lines(dice: &mut Dice, bytes: &mut Vec<u8>, change: impl Fn(&mut Vec<Vec<u8>>, usize, usize)) {
    let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let (i, j) = (dice.below(lines.len()), dice.below(lines.len()));
    change(&mut lines, i, j);
    *bytes = lines.join(&b'\n');
}

/// Reads one input every way there is; true if it was accepted in some units.
fn read(text: &str) -> bool {
    let shown = |error: &Error| {
        let Error::Input(list) = error else { panic!("not an input error: {error}") };
        assert!(!list.is_empty() && list.iter().all(|c| !c.what.is_empty()));
        assert!(!render(error, false).is_empty() && !render(error, true).is_empty());
    };
    let campaign = match Campaign::parse(&Source::new("fuzz.toml", text), &[("campaign.seed".to_owned(), "3".to_owned())]) {
        Ok(campaign) => campaign,
        Err(error) => {
            shown(&error);
            return false;
        }
    };
    let mut accepted = false;
    for units in [UnitSystem::Molecular, UnitSystem::Reduced] {
        let written = campaign.to_toml(units);
        let again = match Campaign::parse(&Source::new("resolved.toml", written.clone()), &[]) {
            Ok(again) => again.points(),
            Err(error) => panic!("resolved.toml is refused: {error}\n{written}"),
        };
        let points = campaign.points();
        assert_eq!(points.len(), again.len());
        // enough points to see every kind of value
        for (point, again) in points.iter().zip(&again).take(8) {
            assert_eq!((&point.label, &point.values), (&again.label, &again.values));
            match (point.campaign.resolve(units), again.campaign.resolve(units)) {
                (Ok(first), Ok(second)) => {
                    accepted = true;
                    assert_eq!(first.canonical(), second.canonical(), "{written}");
                    assert_eq!(first.digest(), second.digest());
                }
                (Err(first), Err(_)) => shown(&first),
                (first, second) => panic!("one is refused: {first:?} {second:?}\n{written}"),
            }
        }
    }
    accepted
}

fn seeds(folders: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in folders {
        if let Ok(entries) = std::fs::read_dir(root.join(folder)) {
            files.extend(entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "toml")));
        }
    }
    files.sort();
    files.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

/// Time that this thread has had a processor, where Linux tells; else time on the clock.
fn clock(begin: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran = told.and_then(|text| text.split_whitespace().next()?.parse().ok());
    ran.map_or_else(|| begin.elapsed(), Duration::from_nanos)
}

fn fuzz(count: u64, offset: u64) {
    let good = seeds(&["tests/campaigns/good", "campaigns", "campaigns/free-energy"]);
    let bad = seeds(&["tests/campaigns/bad/sweep", "tests/campaigns/bad/references", "tests/campaigns/bad/stages"]);
    assert!(good.len() > 3 && bad.len() > 10);
    let begin = Instant::now();
    let (mut accepted, mut slowest) = (0u64, Duration::ZERO);
    for i in 0..count {
        let text = mutate(&mut Dice((offset + i) << 20), if i % 8 == 0 { &bad } else { &good });
        let before = clock(begin);
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| read(&text)));
        let time = clock(begin).saturating_sub(before);
        match result {
            Ok(good) => accepted += u64::from(good),
            Err(_) => panic!("input {} panics:\n{text}", offset + i),
        }
        assert!(time < Duration::from_secs(1), "input {} takes {time:?}:\n{text}", offset + i);
        slowest = slowest.max(time);
    }
    println!("{count} inputs, {accepted} accepted, slowest {slowest:?}");
    // a fuzzer whose inputs are all refused, or all accepted, tests little
    assert!(accepted * 100 > count && accepted * 2 < count, "{accepted} of {count} accepted");
}

#[test]
fn five_thousand_mutated_campaigns() {
    fuzz(5_000, 0);
}

#[test]
#[ignore = "ten minutes or more: cargo test --release --test fuzz_campaigns -- --ignored"]
fn a_million_mutated_campaigns() {
    fuzz(1_000_000, 1_000_000);
}
