//! Do the states hang together firmly enough for the answer to mean something?

use super::super::bar::{SHARED_NEEDED, SHARED_TRUSTED};
use super::super::free_energy_error::FreeEnergyError;
use super::super::reduced::ReducedPotentials;
use super::super::value::{Warning, WarningKind};
use super::ladder::spanning_tree;

/// The weakest cut: the samples that the two sides share, `sum over j in A, k in B of sum_n p_j p_k`.
struct Cut {
    shared: f64,
    /// Is the i-th sampled state on the second side?
    beyond: Vec<bool>,
    /// The edge of the tree that crosses it.
    edge: (usize, usize),
}

/// Warnings about weak cuts. Errors: `Disconnected` where the sides share fewer than two effective samples.
///
/// Among the cuts that removing one edge of the strongest spanning tree makes. The variance of a difference across a cut is about
/// 1 / shared.
pub(super) fn judge(u: &ReducedPotentials, sampled: &[usize], products: &[f64]) -> Result<Vec<Warning>, FreeEnergyError> {
    let s = sampled.len();
    let tree = spanning_tree(products, s);
    let Some(cut) = tree.iter().map(|edge| cut(products, s, &tree, *edge)).min_by(|a, b| a.shared.total_cmp(&b.shared)) else {
        return Ok(Vec::new()); // one state
    };
    let name = |i: usize| u.states()[sampled[i]].clone();
    if cut.shared < SHARED_NEEDED {
        let side = |beyond: bool| (0..s).filter(|i| cut.beyond[*i] == beyond).map(name).collect();
        return Err(FreeEnergyError::Disconnected { groups: vec![side(false), side(true)], shared: cut.shared });
    }
    let mut warnings = Vec::new();
    if cut.shared < SHARED_TRUSTED {
        let message = format!(
            "only {:.1} effective samples link the states up to {} with those beyond, from {} on: values across that gap and their errors \
             rest on a handful of samples; add states between",
            cut.shared,
            name(cut.edge.0),
            name(cut.edge.1)
        );
        warnings.push(Warning::new(WarningKind::PoorOverlap, message));
    }
    Ok(warnings)
}

/// What is shared across the two parts that the tree falls into without one edge.
fn cut(products: &[f64], s: usize, tree: &[(usize, usize)], edge: (usize, usize)) -> Cut {
    let mut beyond = vec![false; s];
    beyond[edge.1] = true;
    // Prim's order: a parent is always listed before its children.
    for &(parent, child) in tree {
        if beyond[parent] && (parent, child) != edge {
            beyond[child] = true;
        }
    }
    let mut shared = 0.0;
    for i in (0..s).filter(|i| !beyond[*i]) {
        for j in (0..s).filter(|j| beyond[*j]) {
            shared += products[i * s + j];
        }
    }
    Cut { shared, beyond, edge }
}
