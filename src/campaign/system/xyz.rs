//! Structures as XYZ text: a count, a comment, one line `name x y z` for each particle; several structures may follow.

use crate::error::Source;
use crate::{Error, Result};

/// All structures, each `[particle, 3]`, in the file's numbers.
pub(super) fn read(source: &Source) -> Result<Vec<Vec<f64>>> {
    let mut structures = Vec::new();
    let mut offset = 0;
    let mut lines = source.text.split_inclusive('\n').map(|line| {
        let start = offset;
        offset += line.len();
        (start, line.trim_end())
    });
    let fail = |start: usize, line: &str, what: &str, remedy: &str| {
        Error::input_at(source, start..start + line.len(), what.to_owned(), remedy.to_owned())
    };
    while let Some((start, line)) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        let count = line.trim().parse::<usize>().ok().filter(|n| (1..=1_000_000).contains(n));
        let count = count.ok_or_else(|| fail(start, line, "the number of particles should stand here", "a structure begins with it"))?;
        lines.next();
        let mut x = Vec::new();
        for _ in 0..count {
            let Some((start, line)) = lines.next() else {
                return Err(fail(start, line, &format!("fewer than {count} particles follow"), "the file is cut short"));
            };
            let before = x.len();
            x.extend(line.split_whitespace().skip(1).take(3).filter_map(|w| w.parse::<f64>().ok()).filter(|v| v.is_finite()));
            if x.len() != before + 3 {
                return Err(fail(start, line, "a name and three finite numbers should stand here", "write: LJ 0.1 0.2 0.3"));
            }
        }
        structures.push(x);
    }
    if structures.is_empty() { Err(Error::input(format!("{} is empty", source.name), "give a structure")) } else { Ok(structures) }
}
