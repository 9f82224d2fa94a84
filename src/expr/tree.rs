//! The syntax tree of a formula.

use super::Function;
use std::ops::Range;

/// Place of a node in its tree; children stand before their parents.
pub(super) type Place = usize;

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
}

impl Operator {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Sub => "-",
            Operator::Mul => "*",
            Operator::Div => "/",
            Operator::Pow => "^",
        }
    }

    /// How tightly it binds on its left and right; the sign in front of an operand binds with [`SIGN`].
    pub(super) fn binding(self) -> (u8, u8) {
        match self {
            Operator::Add | Operator::Sub => (1, 2),
            Operator::Mul | Operator::Div => (3, 4),
            Operator::Pow => (8, 7),
        }
    }
}

/// How tightly the minus in front of an operand binds: tighter than `*`, looser than `^`.
pub(super) const SIGN: u8 = 5;

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Number(f64),
    Name(String),
    Negative(Place),
    Binary(Operator, Place, Place),
    Call(Function, Vec<Place>),
}

/// A node and the bytes it was read from.
#[derive(Clone, Debug)]
pub(super) struct Twig {
    pub(super) part: Part,
    pub(super) span: Range<usize>,
}

/// A parsed formula. Two trees are equal when they say the same, wherever their parts stood in a text.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(super) twigs: Vec<Twig>,
}

impl Tree {
    /// The names that occur, each once, in the order of their first occurrence, with where that is.
    pub fn names(&self) -> Vec<(&str, Range<usize>)> {
        let mut names: Vec<(&str, Range<usize>)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for twig in &self.twigs {
            if let Part::Name(name) = &twig.part
                && seen.insert(name.as_str())
            {
                names.push((name, twig.span.clone()));
            }
        }
        names
    }

    pub(super) fn root(&self) -> Place {
        self.twigs.len() - 1
    }
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.twigs.len() == other.twigs.len() && self.twigs.iter().zip(&other.twigs).all(|(a, b)| a.part == b.part)
    }
}
