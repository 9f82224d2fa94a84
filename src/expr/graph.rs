//! A formula as a graph: equal subexpressions are one node, and what is constant is a number.
//!
//! Rewriting keeps every bit of the value: constants are folded with the arithmetic that would have been done, and only identities
//! that hold for every double (x*1, x/1, x-0, -(-x), a+(-b), ...) are used. 0*x stays, because it is NaN for an infinite x.

use super::MAX_NODES;
use super::elementary as e;
use crate::real::Real;
use std::collections::HashMap;

/// A node of a graph; operands have smaller numbers than what is made of them.
pub(super) type Id = u32;

/// An operation of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum One {
    Negative,
    Sin,
    Cos,
    Tan,
    Exp,
    Log,
    Sqrt,
    Sinh,
    Cosh,
    Tanh,
    Acos,
    Abs,
    Sgn,
    Step,
    Floor,
}

/// An operation of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Two {
    Add,
    Sub,
    Mul,
    Div,
    /// Any exponent.
    Power,
    Atan2,
    Min,
    Max,
    Mod,
}

/// A product and a sum rounded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fused {
    /// a b + c
    Plus,
    /// a b - c
    Minus,
    /// c - a b
    From,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// By its bits.
    Constant(u64),
    Input(u32),
    One(One, Id),
    Two(Two, Id, Id),
    /// A constant whole exponent other than 0 and 1.
    Whole(Id, i32),
    Fused(Fused, Id, Id, Id),
    /// c where a < b, else d.
    Pick(Id, Id, Id, Id),
}

/// Expressions over common inputs.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(super) nodes: Vec<Node>,
    known: HashMap<Node, Id>,
    full: bool,
}

impl Graph {
    /// Without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does it have more nodes than [`MAX_NODES`]? Then no more are added and its results mean nothing.
    pub fn full(&self) -> bool {
        self.full
    }

    pub(super) fn node(&mut self, node: Node) -> Id {
        if let Some(&id) = self.known.get(&node) {
            return id;
        }
        if self.nodes.len() >= MAX_NODES {
            self.full = true;
            return 0;
        }
        let id = self.nodes.len() as Id;
        self.nodes.push(node);
        self.known.insert(node, id);
        id
    }

    /// The number of a node that is there already.
    pub(super) fn find(&self, node: Node) -> Option<Id> {
        self.known.get(&node).copied()
    }

    pub(super) fn constant(&mut self, value: f64) -> Id {
        self.node(Node::Constant(value.to_bits()))
    }

    pub(super) fn input(&mut self, index: u32) -> Id {
        self.node(Node::Input(index))
    }

    /// The number that a node is, if it is one.
    pub(super) fn value(&self, id: Id) -> Option<f64> {
        match self.nodes.get(id as usize) {
            Some(Node::Constant(bits)) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    pub(super) fn one(&mut self, operation: One, a: Id) -> Id {
        if let Some(a) = self.value(a) {
            return self.constant(apply_one(operation, a));
        }
        match (operation, self.nodes.get(a as usize)) {
            (One::Negative, Some(Node::One(One::Negative, inner))) => *inner,
            _ => self.node(Node::One(operation, a)),
        }
    }

    pub(super) fn two(&mut self, operation: Two, a: Id, b: Id) -> Id {
        let (va, vb) = (self.value(a), self.value(b));
        if let (Some(a), Some(b)) = (va, vb) {
            return self.constant(apply_two(operation, a, b));
        }
        let minus =
            |g: &Self, id: Id| if let Some(Node::One(One::Negative, inner)) = g.nodes.get(id as usize) { Some(*inner) } else { None };
        match operation {
            Two::Add => {
                if let Some(inner) = minus(self, b) {
                    return self.two(Two::Sub, a, inner);
                }
                if let Some(inner) = minus(self, a) {
                    return self.two(Two::Sub, b, inner);
                }
            }
            Two::Sub => {
                if vb.is_some_and(|b| b.to_bits() == 0) {
                    return a; // x - 0 is x, for -0 too
                }
                if let Some(inner) = minus(self, b) {
                    return self.two(Two::Add, a, inner);
                }
            }
            Two::Mul => {
                for (constant, other) in [(va, b), (vb, a)] {
                    match constant {
                        Some(1.0) => return other,
                        Some(-1.0) => return self.one(One::Negative, other),
                        _ => {}
                    }
                }
                // a sign moves through constants and out of products
                let (sign_a, sign_b) = (minus(self, a), minus(self, b));
                match (sign_a, sign_b, va, vb) {
                    (Some(x), Some(y), ..) => return self.two(Two::Mul, x, y),
                    (Some(x), None, _, Some(c)) | (None, Some(x), Some(c), _) => {
                        let c = self.constant(-c);
                        return self.two(Two::Mul, c, x);
                    }
                    (Some(x), None, ..) => {
                        let product = self.two(Two::Mul, x, b);
                        return self.one(One::Negative, product);
                    }
                    (None, Some(y), ..) => {
                        let product = self.two(Two::Mul, a, y);
                        return self.one(One::Negative, product);
                    }
                    _ => {}
                }
            }
            Two::Div => match vb {
                Some(1.0) => return a,
                Some(-1.0) => return self.one(One::Negative, a),
                // division by a power of two is exact as a product, as long as the reciprocal is a normal number
                Some(c) if c.to_bits() << 12 == 0 && (1e-300..1e300).contains(&c.abs()) => {
                    let r = self.constant(1.0 / c);
                    return self.two(Two::Mul, a, r);
                }
                _ => {}
            },
            Two::Power => match vb {
                Some(n) if whole_exponent(n) => return self.whole(a, n as i32),
                Some(0.5) => return self.one(One::Sqrt, a),
                _ => {}
            },
            Two::Min | Two::Max if a == b => return a,
            _ => {}
        }
        // sums and products are the same both ways
        let (a, b) = if matches!(operation, Two::Add | Two::Mul) && b < a { (b, a) } else { (a, b) };
        self.node(Node::Two(operation, a, b))
    }

    /// a^n by [`Real::powi`].
    pub(super) fn whole(&mut self, a: Id, n: i32) -> Id {
        if let Some(a) = self.value(a) {
            return self.constant(Real::powi(a, n));
        }
        match n {
            0 => self.constant(1.0),
            1 => a,
            _ => self.node(Node::Whole(a, n)),
        }
    }

    pub(super) fn fused(&mut self, kind: Fused, a: Id, b: Id, c: Id) -> Id {
        let (a, b) = if b < a { (b, a) } else { (a, b) };
        self.node(Node::Fused(kind, a, b, c))
    }

    /// c where a < b, else d.
    pub(super) fn pick(&mut self, a: Id, b: Id, c: Id, d: Id) -> Id {
        if c == d {
            return c;
        }
        if let (Some(a), Some(b)) = (self.value(a), self.value(b)) {
            return if a < b { c } else { d };
        }
        self.node(Node::Pick(a, b, c, d))
    }
}

/// Exponents that are multiplied out.
fn whole_exponent(n: f64) -> bool {
    n == n.floor() && n.abs() <= 1e6
}

/// What the operation makes of a number, to the bit.
pub(super) fn apply_one(operation: One, a: f64) -> f64 {
    match operation {
        One::Negative => -a,
        One::Sin => Real::sin_cos(a).0,
        One::Cos => Real::sin_cos(a).1,
        One::Tan => e::tan(a),
        One::Exp => Real::exp(a),
        One::Log => Real::ln(a),
        One::Sqrt => Real::sqrt(a),
        One::Sinh => e::sinh(a),
        One::Cosh => e::cosh(a),
        One::Tanh => Real::tanh(a),
        One::Acos => e::acos(a),
        One::Abs => Real::abs(a),
        One::Sgn => e::sgn(a),
        One::Step => e::step(a),
        One::Floor => Real::floor(a),
    }
}

/// What the operation makes of two numbers, to the bit.
pub(super) fn apply_two(operation: Two, a: f64, b: f64) -> f64 {
    match operation {
        Two::Add => a + b,
        Two::Sub => a - b,
        Two::Mul => a * b,
        Two::Div => a / b,
        Two::Power if whole_exponent(b) => Real::powi(a, b as i32),
        Two::Power if b == 0.5 => Real::sqrt(a),
        Two::Power => e::power(a, b),
        Two::Atan2 => Real::atan2(a, b),
        Two::Min => e::min(a, b),
        Two::Max => e::max(a, b),
        Two::Mod => e::modulo(a, b),
    }
}
