//! Does the difference of the ends stand still when frames are added, from the front and from the back?

use super::Answer;
use super::find::find;
use super::found::Found;
use super::part::Part;
use super::solve::How;
use std::ops::Range;

/// Parts of the data that convergence is shown for.
const PARTS: usize = 10;

/// The difference of the ends from the first and from the last frames: fraction, forward and its error, reverse and its error.
///
/// The errors are those of each part by the rule of the whole: the larger of theory with the part's own correlation in time, and the
/// spread of its copies. `g` is that of the whole, for states that no frame of the part was at.
pub(super) fn convergence(how: How, whole: &Part<'_>, g: f64, found: &Found) -> Answer<Vec<[f64; 5]>> {
    let (from, n) = (whole.draws.start, whole.draws.len());
    let ends = |draws: Range<usize>| -> Answer<(f64, f64)> {
        let part = find(How { bootstrap: None, ends: true, ..how }, &Part { draws, ..*whole }, g)?;
        Ok((part.f[part.end()], part.error(0, part.end())))
    };
    let row = |part: usize| -> Answer<[f64; 5]> {
        let m = n * part / PARTS;
        let ((forward, error), (reverse, reverse_error)) = (ends(from..from + m)?, ends(from + n - m..from + n)?);
        Ok([part as f64 / PARTS as f64, forward, error, reverse, reverse_error])
    };
    let mut rows = (1..PARTS).map(row).collect::<Answer<Vec<_>>>()?;
    let (all, error) = (found.f[found.end()], found.error(0, found.end()));
    rows.push([1.0, all, error, all, error]);
    Ok(rows)
}
