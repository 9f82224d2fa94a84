//! From the graph of a formula to the graph of what is computed: whole powers multiplied out, products and sums fused.

use super::Graph;
use super::gradient::operands;
use super::graph::{Fused, Id, Node, Two};

/// Lowers more and more of one graph. What is lowered first keeps its operations, so a value computed alone and a value computed
/// with its derivatives are equal to the bit.
pub(super) struct Lowering {
    pub(super) target: Graph,
    memo: Vec<Option<Id>>,
}

impl Lowering {
    pub(super) fn new() -> Self {
        Lowering { target: Graph::new(), memo: Vec::new() }
    }

    /// The nodes of `target` that compute `roots`, which must hold all roots lowered before.
    pub(super) fn lower(&mut self, source: &Graph, roots: &[Id]) -> Vec<Id> {
        let uses = uses(source, roots);
        self.memo.resize(source.nodes.len(), None);
        for id in 0..source.nodes.len() {
            if uses[id] > 0 && self.memo[id].is_none() {
                let lowered = self.node(source.nodes[id], &uses);
                self.memo[id] = Some(lowered);
            }
        }
        roots.iter().map(|r| self.of(*r)).collect()
    }

    fn of(&self, id: Id) -> Id {
        self.memo[id as usize].unwrap_or_default()
    }

    fn node(&mut self, node: Node, uses: &[u32]) -> Id {
        match node {
            Node::Constant(bits) => self.target.constant(f64::from_bits(bits)),
            Node::Input(i) => self.target.input(i),
            Node::One(operation, a) => {
                let a = self.of(a);
                self.target.one(operation, a)
            }
            Node::Two(Two::Add, a, b) => {
                let (la, lb) = (self.of(a), self.of(b));
                match (self.product(a, uses), self.product(b, uses)) {
                    (Some((p, q)), _) => self.target.fused(Fused::Plus, p, q, lb),
                    (None, Some((p, q))) => self.target.fused(Fused::Plus, p, q, la),
                    (None, None) => self.target.two(Two::Add, la, lb),
                }
            }
            Node::Two(Two::Sub, a, b) => {
                let (la, lb) = (self.of(a), self.of(b));
                match (self.product(a, uses), self.product(b, uses)) {
                    (Some((p, q)), _) => self.target.fused(Fused::Minus, p, q, lb),
                    (None, Some((p, q))) => self.target.fused(Fused::From, p, q, la),
                    (None, None) => self.target.two(Two::Sub, la, lb),
                }
            }
            Node::Two(operation, a, b) => {
                let (a, b) = (self.of(a), self.of(b));
                self.target.two(operation, a, b)
            }
            Node::Whole(a, n) => {
                let a = self.of(a);
                self.multiplied_out(a, n)
            }
            Node::Fused(kind, a, b, c) => {
                let (a, b, c) = (self.of(a), self.of(b), self.of(c));
                self.target.fused(kind, a, b, c)
            }
            Node::Pick(a, b, c, d) => {
                let (a, b, c, d) = (self.of(a), self.of(b), self.of(c), self.of(d));
                self.target.pick(a, b, c, d)
            }
        }
    }

    /// The factors of a node that is a product and used nowhere else.
    fn product(&self, id: Id, uses: &[u32]) -> Option<(Id, Id)> {
        match self.target.nodes[self.of(id) as usize] {
            Node::Two(Two::Mul, p, q) if uses[id as usize] == 1 => Some((p, q)),
            _ => None,
        }
    }

    /// a^n, the products of [`crate::real::Real::powi`] in its order.
    fn multiplied_out(&mut self, a: Id, n: i32) -> Id {
        let mut result = None;
        let mut square = a;
        let mut left = n.unsigned_abs();
        while left > 0 {
            if left & 1 == 1 {
                result = Some(result.map_or(square, |r| self.target.two(Two::Mul, r, square)));
            }
            left >>= 1;
            if left > 0 {
                square = self.target.two(Two::Mul, square, square);
            }
        }
        let one = self.target.constant(1.0);
        let result = result.unwrap_or(one);
        if n < 0 { self.target.two(Two::Div, one, result) } else { result }
    }
}

/// How often each node is used by those that `roots` need, as a root or as an operand.
pub(super) fn uses(graph: &Graph, roots: &[Id]) -> Vec<u32> {
    let mut uses = vec![0; graph.nodes.len()];
    for root in roots {
        uses[*root as usize] += 1;
    }
    for id in (0..graph.nodes.len()).rev() {
        if uses[id] > 0 {
            for operand in operands(graph.nodes[id]).into_iter().flatten() {
                uses[operand as usize] += 1;
            }
        }
    }
    uses
}
