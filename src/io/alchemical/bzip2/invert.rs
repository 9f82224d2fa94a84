//! The chains of several blocks, followed in turn.

use super::block::Block;

/// Fills `bytes` of every block.
pub(super) fn invert(blocks: &mut [&mut Block]) {
    let mut chains: Vec<Chain<'_>> = blocks
        .iter_mut()
        .map(|block| {
            // Four bytes a step; what the last step writes too much is cut off at the end.
            block.bytes.clear();
            block.bytes.resize(block.length.next_multiple_of(4), 0);
            let Block { quads, bytes, start, .. } = &mut **block;
            Chain { quads, to: bytes, next: *start }
        })
        .collect();
    // The longest first: when the shortest has ended the others go on without it.
    chains.sort_by_key(|c| std::cmp::Reverse(c.to.len()));
    while !chains.is_empty() {
        match &mut chains[..] {
            [a, b, c, d, ..] => follow([a, b, c, d]),
            [a, b, c] => follow([a, b, c]),
            [a, b] => follow([a, b]),
            [a] => follow([a]),
            [] => {}
        }
        chains.retain(|c| !c.to.is_empty());
    }
    for block in blocks {
        block.bytes.truncate(block.length);
    }
}

struct Chain<'a> {
    quads: &'a [u64],
    /// What is still to be written, a multiple of four bytes.
    to: &'a mut [u8],
    next: u64,
}

/// As many steps of all chains as the shortest has left.
fn follow<const N: usize>(mut chains: [&mut Chain<'_>; N]) {
    let steps = chains.iter().map(|c| c.to.len() / 4).min().unwrap_or(0);
    let mut next: [u64; N] = std::array::from_fn(|k| chains[k].next);
    let quads: [&[u64]; N] = std::array::from_fn(|k| chains[k].quads);
    for i in 0..steps {
        for k in 0..N {
            let quad = quads[k][next[k] as usize];
            chains[k].to[4 * i..4 * i + 4].copy_from_slice(&(quad as u32).to_le_bytes());
            next[k] = quad >> 32;
        }
    }
    for (chain, next) in chains.iter_mut().zip(next) {
        chain.next = next;
        let to = std::mem::take(&mut chain.to);
        chain.to = &mut to[4 * steps..];
    }
}
