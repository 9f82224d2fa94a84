//! Alchemical states, each once, and their order along a path.

use super::{Lambdas, Part, Program, key};
use std::collections::HashMap;

/// States in order, found by their lambdas.
#[derive(Clone, Debug, Default)]
pub(super) struct States {
    list: Vec<Lambdas>,
    places: HashMap<Vec<i64>, usize>,
}

impl States {
    /// The states in order.
    pub(super) fn list(&self) -> &[Lambdas] {
        &self.list
    }

    /// Where a state stands.
    pub(super) fn find(&self, lambdas: &[f64]) -> Option<usize> {
        self.places.get(&key(lambdas)).copied()
    }

    /// Where a state stands, at the end if it is new, and whether it is.
    pub(super) fn place(&mut self, lambdas: Lambdas) -> (usize, bool) {
        let end = self.list.len();
        let at = *self.places.entry(key(&lambdas)).or_insert(end);
        if at == end {
            self.list.push(lambdas);
        }
        (at, at == end)
    }
}

impl FromIterator<Lambdas> for States {
    fn from_iter<I: IntoIterator<Item = Lambdas>>(all: I) -> Self {
        let mut states = States::default();
        for lambdas in all {
            states.place(lambdas);
        }
        states
    }
}

/// All states of a leg in order.
///
/// Where their lambdas rise together, states stand from small to large, whatever the files are called and however their columns are
/// shuffled: neighbours on the path are neighbours here. Only the direction is the input's: a program that numbers the states from
/// large to small lambdas, in every file that names all of them, has its initial state at the large ones. (A window of NAMD numbers
/// nothing, it says where it goes.) States whose lambdas do not rise together are as in the input, each file's columns in their order.
pub(super) fn path(parts: &[Part]) -> States {
    let met = met(parts);
    let mut order = met.clone();
    let sum = |s: &Lambdas| key(s).into_iter().map(i128::from).sum::<i128>();
    order.sort_by_cached_key(sum);
    let rise = |a: &Lambdas, b: &Lambdas| key(a).iter().zip(key(b)).all(|(x, y)| *x <= y);
    if !order.windows(2).all(|w| rise(&w[0], &w[1])) {
        return met.into_iter().collect();
    }
    let mut whole = parts.iter().filter(|p| p.states.len() == order.len() && p.program != Program::Namd).peekable();
    if whole.peek().is_some() && whole.all(|p| p.states.windows(2).all(|w| rise(&w[1], &w[0]))) {
        order.reverse();
    }
    order.into_iter().collect()
}

/// States as the parts name them: each part's in their order, new ones behind the one that the part names before them.
fn met(parts: &[Part]) -> Vec<Lambdas> {
    let mut known = States::default();
    // by place in `known`: which one follows
    let mut next: Vec<Option<usize>> = Vec::new();
    let mut last: Option<usize> = None;
    for part in parts {
        let mut before: Option<usize> = None;
        for lambdas in &part.states {
            let (at, new) = known.place(permuted(lambdas, &part.components, &parts[0].components));
            if new {
                let follows = before.or(last).and_then(|b| next[b].replace(at));
                next.push(follows);
                if follows.is_none() {
                    last = Some(at);
                }
            }
            before = Some(at);
        }
    }
    // the first that was met has nothing before it
    let chain = std::iter::successors((!next.is_empty()).then_some(0), |at| next[*at]);
    chain.map(|at| known.list[at].clone()).collect()
}

/// Values in the order of other names.
pub(super) fn permuted(values: &[f64], from: &[String], to: &[String]) -> Lambdas {
    to.iter().map(|name| from.iter().position(|f| f == name).map_or(f64::NAN, |k| values[k])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::alchemical::{Clock, Table};

    fn part(program: Program, states: &[&[f64]]) -> Part {
        Part {
            file: String::new(),
            program,
            temperature: None,
            clock: Clock::Picoseconds,
            components: (0..states[0].len()).map(|k| k.to_string()).collect(),
            states: states.iter().map(|s| s.to_vec()).collect(),
            fixed: Some(0),
            gradients: Table::new(0),
            energies: Table::new(0),
            base: Vec::new(),
            totals: false,
            refused: None,
            notes: Vec::new(),
        }
    }

    fn order(parts: &[Part]) -> Vec<Lambdas> {
        path(parts).list().to_vec()
    }

    #[test]
    fn the_order_along_a_path() {
        use Program::{Gromacs, Namd};
        let rising = [vec![0.0], vec![0.5], vec![1.0]];
        let falling = [vec![1.0], vec![0.5], vec![0.0]];
        // one state a file, files in any order
        assert_eq!(order(&[part(Gromacs, &[&[1.0]]), part(Gromacs, &[&[0.0]]), part(Gromacs, &[&[0.5]])]), rising);
        assert_eq!(order(&[part(Gromacs, &[&[1.0]]), part(Gromacs, &[&[0.5]]), part(Gromacs, &[&[0.0]])]), rising);
        // columns shuffled
        assert_eq!(order(&[part(Gromacs, &[&[0.5], &[0.0], &[1.0]])]), rising);
        // numbered from large to small by the program
        assert_eq!(order(&[part(Gromacs, &[&[1.0], &[0.5], &[0.0]]), part(Gromacs, &[&[0.5]])]), falling);
        assert_eq!(order(&[part(Gromacs, &[&[1.0], &[0.5], &[0.0]]), part(Gromacs, &[&[0.0], &[0.5], &[1.0]])]), rising);
        assert_eq!(order(&[part(Namd, &[&[1.0], &[0.5]]), part(Namd, &[&[0.5], &[1.0]])]), rising[1..]);
    }

    #[test]
    fn states_that_do_not_rise_together_are_as_in_the_input() {
        let (a, b, c, d): (&[f64], &[f64], &[f64], &[f64]) = (&[1.0, 0.0], &[0.5, 0.5], &[0.25, 0.75], &[0.0, 1.0]);
        let parts = [part(Program::Gromacs, &[a, b]), part(Program::Gromacs, &[d]), part(Program::Gromacs, &[b, c, d])];
        assert_eq!(order(&parts), [a, b, c, d]);
        // lambdas as large as can be
        let far: (&[f64], &[f64]) = (&[1e300, 1e300], &[-1e300, 1e300]);
        assert_eq!(order(&[part(Program::Gromacs, &[far.1, far.0])]), [far.1, far.0]);
    }
}
