//! Mutated campaigns: whatever bytes come in, the answer is a campaign or located complaints, in less than a second, and never a panic.
//! What is accepted must survive being written as resolved.toml.

mod fuzz;

use ergodica::campaign::render::render;
use ergodica::campaign::{Campaign, UnitSystem};
use ergodica::error::{Error, Source};
use fuzz::{Mutator, folder};

/// What is put in anywhere.
const PIECES: [&[u8]; 22] = [
    b"\"",
    b"[",
    b"]",
    b"{",
    b"}",
    b"=",
    b",",
    b"#",
    b"\n",
    b".",
    b"\"\"\"",
    b"'''",
    b"\\u0000",
    b"\xef\xbf\xbd",
    b"\xc3\xa9",
    b"\r\n",
    b"[[stage]]\n",
    b"[sweep]\n",
    b"\"2 fs\"",
    b"{ from = 1, to = 2, count = 1000 }",
    b"[\"a\", 1, {}]",
    b"1979-05-27",
];

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

fn fuzz(count: u64) {
    let gather = |folders: &[&str]| folders.iter().flat_map(|f| folder(f, "toml")).collect::<Vec<_>>();
    let good = gather(&["tests/campaigns/good", "campaigns", "campaigns/free-energy"]);
    let bad = gather(&["tests/campaigns/bad/sweep", "tests/campaigns/bad/references", "tests/campaigns/bad/stages"]);
    assert!(good.len() > 3 && bad.len() > 10);
    // Often, so that an eighth of what is mutated was refused before.
    let good = good.iter().cycle().take(7 * bad.len()).cloned();
    let seeds: Vec<Vec<u8>> = good.chain(bad.iter().cloned()).collect();
    let from = Mutator { seeds: &seeds, pieces: &PIECES, chunk: 40 };
    let accepted = fuzz::fuzz("campaigns", count, &from, |bytes| read(&String::from_utf8_lossy(bytes)));
    // a fuzzer whose inputs are all refused, or all accepted, tests little
    assert!(accepted * 100 > count && accepted * 2 < count, "{accepted} of {count} accepted");
}

#[test]
fn five_thousand_mutated_campaigns() {
    fuzz(5_000);
}

#[test]
#[ignore = "ten minutes or more: cargo test --release --test fuzz_campaigns -- --ignored"]
fn a_million_mutated_campaigns() {
    fuzz(1_000_000);
}
