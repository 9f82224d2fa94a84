//! Standard error of a correlated mean by repeated halving into blocks.

use super::series::{Series, Unusable, squares_and_sum};
use serde::Serialize;

/// One level: blocks of `length` draws.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BlockLevel {
    /// Draws in a block.
    pub length: usize,
    /// Blocks, over all replicas.
    pub blocks: usize,
    /// `sqrt(c_0 / (blocks - 1))`: the standard error of the mean if blocks are independent.
    pub stderr: f64,
    /// Its own standard error, `stderr / sqrt(2 (blocks - 1))`.
    pub stderr_error: f64,
}

/// The levels of blocking and where they become flat.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockAverage {
    /// Blocks of 1, 2, 4, 8 ... draws.
    pub levels: Vec<BlockLevel>,
    /// Index of the first level that no longer one exceeds by more than the two errors together; `None`: the curve still rises
    /// at its end, and its last value is only a lower bound.
    pub plateau: Option<usize>,
}

impl BlockAverage {
    /// Standard error on the plateau, if there is one.
    pub fn stderr(&self) -> Option<f64> {
        self.plateau.map(|k| self.levels[k].stderr)
    }
}

/// Block averages over replicas around their common mean.
///
/// Blocks never cross from one replica to the next; a last odd block of a replica is dropped at each halving. Levels with fewer
/// than 32 blocks in all are not made, and the plateau must hold over at least two further levels.
/// Errors: fewer than 32 draws in all, a constant series, values that are not finite.
/// Source: Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989).
pub fn block_average(series: Series<'_>) -> Result<BlockAverage, Unusable> {
    series.check_varying("block averages (draws)", 1)?;
    let total = series.replicas * series.draws;
    if total < 32 {
        return Err(Unusable::TooShort { what: "block averages (draws of all replicas)", needed: 32, found: total });
    }
    let (_, mean) = series.means();
    let mut blocks: Vec<f64> = series.values.iter().map(|v| v - mean).collect();
    let (mut draws, mut length) = (series.draws, 1);
    let mut levels = Vec::new();
    loop {
        let n = blocks.len() as f64;
        let (_, sum) = squares_and_sum(&blocks, 0.0);
        let (squares, _) = squares_and_sum(&blocks, sum / n);
        let stderr = (squares / n / (n - 1.0)).sqrt();
        levels.push(BlockLevel { length, blocks: blocks.len(), stderr, stderr_error: stderr / (2.0 * (n - 1.0)).sqrt() });
        if series.replicas * (draws / 2) < 32 {
            break;
        }
        blocks = blocks.chunks_exact(draws).flat_map(|r| r.chunks_exact(2).map(|p| 0.5 * (p[0] + p[1])).collect::<Vec<_>>()).collect();
        draws /= 2;
        length *= 2;
    }
    let flat =
        |k: usize| levels[k + 1..].iter().all(|later| later.stderr <= levels[k].stderr + levels[k].stderr_error + later.stderr_error);
    let plateau = (0..levels.len().saturating_sub(2)).find(|&k| flat(k));
    Ok(BlockAverage { levels, plateau })
}
