//! Bad campaigns: each file of tests/campaigns/bad carries, under every offending line, the message that must point at it.
//!
//! `#^ text` under a line: exactly one complaint points at that line and contains `text` (its remedy counts). No other complaint may come.
//! `#~ text`: the same for a warning of an otherwise good campaign. `# units: reduced` anywhere chooses the units (molecular otherwise).
//! `ERGODICA_BLESS=1 cargo test --test bad_campaigns` writes the present messages into the files, to be read before they are committed.

use std::path::{Path, PathBuf};

use ergodica::campaign::{Campaign, UnitSystem};
use ergodica::error::{Complaint, Error, Source};

/// Complaints and warnings of a campaign, through parsing and resolving of every point.
fn judge(text: &str) -> (Vec<Complaint>, Vec<Complaint>) {
    let units = if text.contains("# units: reduced") { UnitSystem::Reduced } else { UnitSystem::Molecular };
    let complaints = |error: Error| match error {
        Error::Input(list) => list,
        other => panic!("not an input error: {other}"),
    };
    let campaign = match Campaign::parse(&Source::new("bad.toml", text), &[]) {
        Ok(campaign) => campaign,
        Err(error) => return (complaints(error), Vec::new()),
    };
    let (mut bad, mut odd) = (Vec::new(), Vec::new());
    for point in campaign.points() {
        match point.campaign.resolve(units) {
            Ok(resolved) => odd.extend(resolved.warnings),
            Err(error) => bad.extend(complaints(error)),
        }
    }
    (bad, odd)
}

fn line_of(complaint: &Complaint) -> usize {
    complaint.at.as_ref().map_or(0, |at| at.source.line_column(at.span.start).0)
}

fn said(complaint: &Complaint) -> String {
    format!("{} | {}", complaint.what, complaint.remedy)
}

/// What the comments of a file announce: (line, sign, text).
fn announced(text: &str) -> Vec<(usize, char, String)> {
    let mut list = Vec::new();
    let mut last = 0;
    for (i, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        match trimmed.strip_prefix("#^").map(|t| ('^', t)).or_else(|| trimmed.strip_prefix("#~").map(|t| ('~', t))) {
            Some((sign, message)) => list.push((last, sign, message.trim().to_owned())),
            None => last = i + 1,
        }
    }
    list
}

fn check(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut failures = Vec::new();
    let (bad, odd) = judge(&text);
    let mut left: Vec<(char, &Complaint)> = bad.iter().map(|c| ('^', c)).chain(odd.iter().map(|c| ('~', c))).collect();
    let expected = announced(&text);
    if expected.is_empty() {
        failures.push(format!("{}: announces no message", path.display()));
    }
    for (line, sign, message) in expected {
        match left.iter().position(|(s, c)| *s == sign && line_of(c) == line && said(c).contains(&message)) {
            Some(i) => drop(left.remove(i)),
            None => failures.push(format!("{}:{line}: no such message: {message}", path.display())),
        }
    }
    failures.extend(left.iter().map(|(_, c)| format!("{}:{}: not announced: {}", path.display(), line_of(c), said(c))));
    failures
}

fn bless(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let plain: Vec<&str> = text.lines().filter(|l| !l.trim_start().starts_with("#^") && !l.trim_start().starts_with("#~")).collect();
    // comments move lines but must not change what is said
    let (bad, odd) = judge(&(plain.join("\n") + "\n"));
    let mut out = String::new();
    for (i, line) in plain.iter().enumerate() {
        out += &format!("{line}\n");
        let signed = bad.iter().map(|c| ("#^", c)).chain(odd.iter().map(|c| ("#~", c)));
        for (sign, complaint) in signed.filter(|(_, c)| line_of(c) == i + 1) {
            out += &format!("{sign} {}\n", said(complaint));
        }
    }
    std::fs::write(path, out).unwrap_or_else(|e| panic!("{e}"));
}

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/campaigns/bad");
    let mut list = Vec::new();
    for folder in std::fs::read_dir(&root).unwrap_or_else(|e| panic!("{}: {e}", root.display())).flatten() {
        list.extend(std::fs::read_dir(folder.path()).unwrap_or_else(|e| panic!("{e}")).flatten().map(|f| f.path()));
    }
    list.sort();
    list
}

#[test]
fn every_bad_campaign_is_refused_at_the_right_line_with_the_right_words() {
    let files = files();
    for kind in ["syntax", "units", "physics", "keys", "references", "sweep"] {
        let count = files.iter().filter(|f| f.parent().is_some_and(|p| p.ends_with(kind))).count();
        assert!(count >= 8, "only {count} files in {kind}");
    }
    if std::env::var_os("ERGODICA_BLESS").is_some() {
        files.iter().for_each(|path| bless(path));
    }
    let failures: Vec<String> = files.iter().flat_map(|path| check(path)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_check_itself_can_fail() {
    let (bad, _) = judge("[campaign]\nname = 3\n");
    assert!(bad.iter().any(|c| line_of(c) == 2));
    assert!(!bad.iter().any(|c| said(c).contains("this is said nowhere")));
    assert_eq!(announced("a = 1\n#^ x\n#~ y\nb\n"), [(1, '^', "x".to_owned()), (1, '~', "y".to_owned())]);
}

#[test]
fn complaints_have_exit_code_2_and_a_remedy() {
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let (bad, odd) = judge(&text);
        for complaint in bad.iter().chain(&odd) {
            assert!(!complaint.remedy.is_empty() && complaint.at.is_some(), "{}: {complaint}", path.display());
        }
        if !bad.is_empty() {
            assert_eq!(Error::Input(bad).exit_code(), 2);
        }
    }
}
