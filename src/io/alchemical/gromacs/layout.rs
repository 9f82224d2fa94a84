//! What the columns of a `dhdl.xvg` are, and which state its rows are of.

use super::super::lines::{Line, few, wrong};
use super::super::states::States;
use super::super::unpack::Text;
use super::super::{Lambdas, key};
use super::header::{Column, Header};
use crate::Result;

/// Where the numbers of a row go.
#[derive(Default)]
pub(super) struct Layout {
    /// Names of the lambdas.
    pub(super) components: Vec<String>,
    /// Columns of dH/dlambda, by component; none or all of them.
    pub(super) gradients: Vec<usize>,
    /// The states: those that columns name, and the one that was sampled.
    pub(super) states: States,
    /// Of each state the columns that carry its name, the first of which is taken.
    pub(super) energies: Vec<Vec<usize>>,
    /// State of the n-th energy column, as "Thermodynamic state" counts.
    pub(super) by_index: Vec<u32>,
    /// Columns of pV and of the total energy.
    pub(super) base: Vec<usize>,
    /// Whether one of them is an energy.
    pub(super) totals: bool,
    /// Column of the "Thermodynamic state".
    pub(super) state: Option<usize>,
    /// The state of all rows, where there is no such column.
    pub(super) fixed: Option<u32>,
}

/// Where the numbers go under this header, whose rows begin at `first`.
pub(super) fn layout(text: &Text, header: &Header<'_>, first: Line<'_>) -> Result<Layout> {
    let mut out = Layout::default();
    let mut here = Lambdas::new();
    for (index, column) in header.columns.iter().enumerate() {
        let place = header.places[index].unwrap_or(first);
        match column {
            None => {
                let what = format!("column s{index} has no legend, so nobody knows what it holds");
                return Err(wrong(text, first, what, "the header is damaged; copy the file again"));
            }
            Some(Column::Gradient { component, at }) => {
                if out.components.contains(component) {
                    let what = format!("a second column of dH/dlambda for {component}");
                    return Err(wrong(text, place, what, "remove one of the two columns with its legend"));
                }
                out.components.push(component.clone());
                here.push(*at);
                out.gradients.push(index);
            }
            Some(Column::Energy(lambdas)) => {
                let (at, new) = out.states.place(lambdas.clone());
                if new {
                    out.energies.push(Vec::new());
                }
                out.energies[at].push(index);
                out.by_index.push(at as u32);
            }
            Some(Column::Base { energy }) => {
                out.base.push(index);
                out.totals |= *energy;
            }
            Some(Column::State) => {
                if out.state.replace(index).is_some() {
                    return Err(wrong(text, place, "a second column \"Thermodynamic state\"", "remove one of the two columns"));
                }
            }
            Some(Column::Other(_)) => {}
        }
    }
    if let Some((names, lambdas)) = &header.state {
        if !out.components.is_empty() && (out.components != *names || key(&here) != key(lambdas)) {
            return agree(text, first, out, &here, (names, lambdas));
        }
        out.components = names.clone();
        here = lambdas.clone();
    }
    place_state(text, first, out, here)
}

/// The legends of dH/dlambda, at `here`, stand in another order than the subtitle's state, or contradict it.
fn agree(text: &Text, first: Line<'_>, mut out: Layout, here: &[f64], (names, lambdas): (&[String], &[f64])) -> Result<Layout> {
    let damaged =
        |what: String| wrong(text, first, what, "the header is damaged, or a column of dH/dlambda is missing; copy the file again");
    let order: Option<Vec<usize>> = names.iter().map(|n| out.components.iter().position(|c| c == n)).collect();
    let Some(order) = order.filter(|o| o.len() == out.components.len()) else {
        let legends = few(&out.components);
        return Err(damaged(format!("the subtitle names {} and the legends of dH/dlambda {legends}", few(names))));
    };
    if let Some((k, at)) = order.iter().enumerate().find(|(k, at)| key(&[here[**at]]) != key(&[lambdas[*k]])) {
        return Err(damaged(format!("{} is {} in the subtitle and {} in the legend of dH/dlambda", names[k], lambdas[k], here[*at])));
    }
    out.gradients = order.iter().map(|&k| out.gradients[k]).collect();
    out.components = names.to_vec();
    place_state(text, first, out, lambdas.to_vec())
}

fn place_state(text: &Text, first: Line<'_>, mut out: Layout, here: Lambdas) -> Result<Layout> {
    let expected = if here.is_empty() { out.states.list().first().map_or(0, Vec::len) } else { here.len() };
    if let Some((odd, columns)) = out.states.list().iter().zip(&out.energies).find(|(s, _)| s.len() != expected) {
        let what = format!("the legend of column s{} has {} lambdas, others {expected}", columns[0], odd.len());
        return Err(wrong(text, first, what, "the header is damaged; copy the file again"));
    }
    if out.components.is_empty() {
        out.components = (0..expected).map(|k| if expected == 1 { "lambda".to_owned() } else { format!("lambda {}", k + 1) }).collect();
    }
    if out.state.is_none() {
        if here.is_empty() {
            let what = "nothing says which state was sampled: no state in the subtitle, no dH/dlambda legends, no column of states";
            return Err(wrong(text, first, what, "write the file with GROMACS 4.6 or newer and dhdl-derivatives = yes"));
        }
        let (at, new) = out.states.place(here);
        if new {
            out.energies.push(Vec::new());
        }
        out.fixed = Some(at as u32);
    } else if out.by_index.is_empty() {
        let what = "there is a column of states but no energies to tell their lambdas";
        return Err(wrong(text, first, what, "write the energies of all states: calc-lambda-neighbors = -1"));
    }
    Ok(out)
}
