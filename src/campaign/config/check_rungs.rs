//! What the states of a ladder are: a list, two ends and a number, or the points of a quadrature.

use super::kinds::Rungs;
use super::leaf::Number;
use super::placed::Placed;
use super::shape::Spread;
use super::texts::Drafts;
use crate::estimate::{LARGEST_GRID, gauss_legendre};

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
