//! What stages on a ladder say: replica exchange and expanded ensembles.

use super::check_rungs::{Lambdas, plain, quadrature, rungs};
use super::check_sample::{chain, thermal, thermostatted};
use super::check_stage::{Earlier, need};
use super::exchange::{Exchange, Mixing};
use super::expanded::{Expanded, Weights};
use super::ladder::Ladder;
use super::placed::Placed;
use super::raw;
use super::raw_kinds;
use super::sample::{Sample, Thermal};
use super::shape::Spread;
use super::texts::Drafts;
use crate::campaign::units::Quantity;

type Temperatures<'a> = Option<&'a Placed<Spread<Quantity>>>;

/// The ladder of a stage and the chain on it.
fn on_ladder(
    scope: &str,
    table: &str,
    raw: &Placed<raw::Sample>,
    (temperatures, lambdas): (Temperatures<'_>, Lambdas<'_>),
    earlier: Earlier<'_>,
    drafts: &mut Drafts,
) -> (Option<Sample<Quantity>>, Option<Placed<Ladder<Quantity>>>) {
    let (ladder, warmth) = match (temperatures, lambdas) {
        (Some(t), None) => {
            for (key, other) in [("temperature", &raw.temperature), ("beta", &raw.beta)] {
                if let Some(other) = other {
                    let what = format!("`{table}` of {scope} has temperatures and a {key}");
                    drafts.add(scope, &other.span, what, format!("remove {key}: each state has its own temperature"));
                }
            }
            let rungs = rungs(scope, "temperatures", t, Placed::clone, drafts);
            let first = rungs.as_ref().and_then(|r| r.first().map(|f| f.with(Thermal::Temperature(f.value.clone()))));
            (rungs.map(|r| t.with(Ladder::Temperatures(r))), first)
        }
        (None, Some(l)) => {
            let rungs = match quadrature(scope, table, l, drafts) {
                Some(points) => points,
                None => rungs(scope, "lambdas", l, plain, drafts),
            };
            let warmth = thermal(scope, table, (raw.temperature.as_ref(), raw.beta.as_ref()), &raw.span, drafts);
            (rungs.map(|r| l.with(Ladder::Lambdas(r))), warmth)
        }
        (Some(_), Some(l)) => {
            let what = format!("`{table}` of {scope} has both temperatures and lambdas");
            drafts.add(scope, &l.span, what, "keep one: a ladder goes along one of them");
            (None, None)
        }
        (None, None) => {
            let what = format!("`{table}` of {scope} has no ladder");
            let remedy =
                "write temperatures = { from = \"300 K\", to = \"600 K\", count = 8 }, or lambdas = { from = 0, to = 1, count = 8 }";
            drafts.missing(scope, &raw.span, what, remedy);
            (None, None)
        }
    };
    thermostatted(scope, raw, drafts);
    (chain(scope, table, raw, warmth, earlier, drafts), ladder)
}

/// Checks an `exchange` table.
pub(super) fn exchange(
    scope: &str,
    raw: &Placed<raw_kinds::Exchange>,
    earlier: Earlier<'_>,
    drafts: &mut Drafts,
) -> Option<Exchange<Quantity>> {
    let ladders = (raw.temperatures.as_ref(), raw.lambdas.as_ref());
    let (sample, ladder) = on_ladder(scope, "exchange", &raw.with(raw.chain()), ladders, earlier, drafts);
    let swap_every = need(scope, "exchange", "swap_every", "50", raw.swap_every.as_ref(), &raw.span, drafts);
    Some(Exchange {
        sample: sample?,
        ladder: ladder?,
        swap_every: swap_every.map(|n| n.with(n.value.0))?,
        mixing: raw.mixing.clone().unwrap_or(Placed::default_of(Mixing::Neighbour)),
    })
}

/// Checks an `expanded` table.
pub(super) fn expanded(
    scope: &str,
    raw: &Placed<raw_kinds::Expanded>,
    earlier: Earlier<'_>,
    drafts: &mut Drafts,
) -> Option<Expanded<Quantity>> {
    let ladders = (raw.temperatures.as_ref(), raw.lambdas.as_ref());
    let (sample, ladder) = on_ladder(scope, "expanded", &raw.with(raw.chain()), ladders, earlier, drafts);
    let jump_every = need(scope, "expanded", "jump_every", "50", raw.jump_every.as_ref(), &raw.span, drafts);
    Some(Expanded {
        sample: sample?,
        ladder: ladder?,
        jump_every: jump_every.map(|n| n.with(n.value.0))?,
        weights: raw.weights.clone().unwrap_or(Placed::default_of(Weights::Sams)),
    })
}
