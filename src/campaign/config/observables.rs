//! `[system.observables]`: names for collective variables, and `restraint`, an energy in them.

use super::column::{Column, ColumnKind};
use super::formula::place;
use super::leaf::Word;
use super::placed::Placed;
use super::shape::Named;
use super::texts::{Drafts, Texts};
use crate::energy::text::LAMBDA;
use crate::expr::{check_name, parse};

const SCOPE: &str = "[system]";

/// What an observable is.
#[derive(Clone, Debug, PartialEq)]
pub enum Observable {
    /// A column by another name, for formulas: `r = "distance:CA,O"`.
    Column(Column),
    /// A formula in coordinates and in observables that stand before it.
    Formula,
}

/// One line of `[system.observables]`.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedObservable {
    /// Its name.
    pub name: Placed<String>,
    /// As written.
    pub text: Placed<String>,
    /// What it is.
    pub is: Observable,
}

/// Can a force act along this column?
pub(super) fn has_force(kind: &ColumnKind) -> bool {
    use ColumnKind::{Coordinate, Dihedral, Distance, Observable, RadiusOfGyration, Variable};
    matches!(kind, Coordinate(_) | Dihedral(_) | Distance(..) | Observable(_) | RadiusOfGyration | Variable(_))
}

/// Checks names and grammar; what the names in a formula stand for, only the system knows.
pub(super) fn observables(raw: Option<Named<Placed<Word>>>, texts: &Texts, drafts: &mut Drafts) -> Vec<NamedObservable> {
    let mut all: Vec<NamedObservable> = Vec::new();
    for (name, word) in raw.map_or(Vec::new(), |r| r.0) {
        let taken =
            (name.value == LAMBDA).then(|| ("the name \"lambda\" is the coupling parameter".to_owned(), "choose another name".to_owned()));
        if let Some((what, remedy)) = check_name(&name).err().or(taken) {
            drafts.add(SCOPE, &name.span, what, remedy);
            continue;
        }
        let text = word.with(word.value.0.clone());
        let is = if text.contains(':') || text.value == "radius_of_gyration" {
            match Column::parse(&text) {
                Ok(column) if has_force(&column.kind) => Observable::Column(column),
                Ok(_) => {
                    let remedy = "use dihedral:NAME, distance:A,B, coordinate:I, radius_of_gyration or a formula";
                    drafts.add(SCOPE, &text.span, format!("\"{}\" has no force along it", text.value), remedy);
                    continue;
                }
                Err(misfit) => {
                    drafts.add(SCOPE, &text.span, misfit.what, misfit.remedy);
                    continue;
                }
            }
        } else if grammar(&text, texts, drafts) {
            Observable::Formula
        } else {
            continue;
        };
        all.push(NamedObservable { name, text, is });
    }
    all
}

/// The restraint's formula.
pub(super) fn restraint(word: Option<Placed<Word>>, texts: &Texts, drafts: &mut Drafts) -> Option<Placed<String>> {
    let text = word.map(|w| w.with(w.value.0.clone()))?;
    grammar(&text, texts, drafts).then_some(text)
}

fn grammar(text: &Placed<String>, texts: &Texts, drafts: &mut Drafts) -> bool {
    match parse(text) {
        Ok(_) => true,
        Err(mistake) => {
            drafts.add(SCOPE, &place(text, &mistake.span, texts), mistake.what, mistake.remedy);
            false
        }
    }
}
