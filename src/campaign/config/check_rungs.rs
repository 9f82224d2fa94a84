//! What the states of a ladder and the levels of an annealing are: a list, two ends and a number, or the points of a quadrature.

use std::ops::Range;

use super::ladder::Rungs;
use super::leaf::{Count, Number};
use super::levels::Levels;
use super::placed::Placed;
use super::shape::Spread;
use super::texts::Drafts;
use crate::estimate::{LARGEST_GRID, gauss_legendre};

pub(super) type Lambdas<'a> = Option<&'a Placed<Spread<Number>>>;

/// A list, or two ends and a number.
pub(super) fn rungs<T: Clone, Q>(
    scope: &str,
    key: &str,
    given: &Placed<Spread<T>>,
    value: impl Fn(&Placed<T>) -> Placed<Q>,
    drafts: &mut Drafts,
) -> Option<Rungs<Q>> {
    match &given.value {
        Spread::List(list) if list.len() < 2 => {
            drafts.add(scope, &given.span, format!("`{key}` of {scope} has {} values: a ladder has two or more", list.len()), "list more");
            None
        }
        Spread::List(list) => Some(Rungs::List(list.iter().map(value).collect())),
        Spread::Range(ends) if ends.gauss_legendre.is_some() => {
            let span = ends.gauss_legendre.as_ref().map_or(&given.span, |n| &n.span);
            drafts.add(scope, span, format!("`{key}` of {scope} are no points of quadrature"), "write from, to and count, or a list");
            None
        }
        Spread::Range(ends) => match (&ends.from, &ends.to, &ends.count) {
            (Some(from), Some(to), Some(n)) => {
                if !(2..=10_000).contains(&n.value.0) {
                    let what = format!("`count` of `{key}` of {scope} is {}: a ladder has 2 to 10000 states", n.value.0);
                    drafts.add(scope, &n.span, what, "write for example count = 8");
                    return None;
                }
                Some(Rungs::Even { from: value(from), to: value(to), count: n.with(n.value.0) })
            }
            _ => {
                let what = format!("`{key}` of {scope} needs from, to and count");
                drafts.missing(scope, &given.span, what, format!("write {key} = {{ from = .., to = .., count = 8 }}, or a list"));
                None
            }
        },
    }
}

/// The points of `lambdas = { gauss_legendre = N }`; none: it says something else.
pub(super) fn quadrature(scope: &str, table: &str, given: &Placed<Spread<Number>>, drafts: &mut Drafts) -> Option<Option<Rungs<f64>>> {
    let Spread::Range(ends) = &given.value else { return None };
    let n = ends.gauss_legendre.as_ref()?;
    if ends.from.is_some() || ends.to.is_some() || ends.count.is_some() {
        let what = format!("`lambdas` of {scope} has gauss_legendre and from, to or count");
        drafts.add(scope, &n.span, what, "write lambdas = { gauss_legendre = 8 } alone: its points lie inside of 0 and 1");
        return Some(None);
    }
    if table != "exchange" {
        let what = format!("`{table}` of {scope} at points of quadrature has neither end");
        drafts.add(scope, &n.span, what, "write lambdas = { from = 0, to = 1, count = 8 }");
        return Some(None);
    }
    if !(2..=LARGEST_GRID as u64).contains(&n.value.0) {
        let what = format!("`gauss_legendre` of {scope} is {}: there are grids of 2 to {LARGEST_GRID} points", n.value.0);
        drafts.add(scope, &n.span, what, "write for example lambdas = { gauss_legendre = 8 }");
        return Some(None);
    }
    Some(Some(Rungs::List(gauss_legendre(n.value.0 as usize).into_iter().map(|(x, _)| n.with(x)).collect())))
}

pub(super) fn plain(x: &Placed<Number>) -> Placed<f64> {
    x.with(x.value.0)
}

/// The levels of an annealing or a switching.
pub(super) fn levels(
    scope: &str,
    table: &str,
    (number, list): (Option<&Placed<Count>>, Lambdas<'_>),
    at: &Range<usize>,
    drafts: &mut Drafts,
) -> Option<Placed<Levels>> {
    match (number, list) {
        (Some(n), None) => {
            if n.value.0 == 0 {
                drafts.add(scope, &n.span, format!("`levels` of {scope} is 0: nothing leads from 0 to 1"), "write levels = 1 or more");
                return None;
            }
            if n.value.0 > 1_000_000 {
                let what = format!("`levels` of {scope} is {}: more than a million", n.value.0);
                drafts.add(scope, &n.span, what, "write fewer, and more steps_per_level");
                return None;
            }
            Some(n.with(Levels::Count(n.value.0)))
        }
        (None, Some(list)) => {
            let values = match rungs(scope, "lambdas", list, plain, drafts)? {
                Rungs::List(list) => list,
                even => even.values(false).into_iter().map(|x| list.with(x)).collect(),
            };
            let ends = (values.first().map(|x| x.value), values.last().map(|x| x.value));
            if ends != (Some(0.0), Some(1.0)) || values.windows(2).any(|w| w[1].value <= w[0].value) {
                let what = format!("`lambdas` of {scope} do not rise from 0 to 1");
                drafts.add(scope, &list.span, what, "begin with 0, end with 1, and let every value be larger than the one before");
                return None;
            }
            Some(list.with(Levels::List(values)))
        }
        (Some(_), Some(list)) => {
            let what = format!("`{table}` of {scope} has both levels and lambdas");
            drafts.add(scope, &list.span, what, "keep one of the two");
            None
        }
        (None, None) => {
            let what = format!("`{table}` of {scope} has no levels");
            drafts.missing(scope, at, what, "write levels = 128, or lambdas = [0, 0.1, .., 1]");
            None
        }
    }
}
