//! Lists of pairs, by their first atom.

use std::ops::Range;

/// Pairs (i, p) with the same i beside each other, in the order given.
#[derive(Clone, Debug)]
pub(super) struct Rows<P> {
    heads: Vec<(usize, Range<usize>)>,
    pairs: Vec<P>,
}

impl<P> Rows<P> {
    pub(super) fn new(list: Vec<(usize, P)>) -> Self {
        let mut heads: Vec<(usize, Range<usize>)> = Vec::new();
        let mut pairs = Vec::with_capacity(list.len());
        for (i, pair) in list {
            pairs.push(pair);
            match heads.last_mut() {
                Some((last, range)) if *last == i => range.end += 1,
                _ => heads.push((i, pairs.len() - 1..pairs.len())),
            }
        }
        Rows { heads, pairs }
    }

    /// Number of first atoms.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The `k`-th first atom and its pairs.
    #[inline(always)]
    pub(super) fn row(&self, k: usize) -> (usize, &[P]) {
        let (i, range) = &self.heads[k];
        (*i, &self.pairs[range.clone()])
    }
}
