//! Derivatives in reverse: from an expression to the expressions of its partial derivatives.
//!
//! Source: Griewank and Walther, "Evaluating Derivatives", SIAM (2008), section 3.2. The derivatives share the graph, so what they
//! have in common with the value and among themselves is computed once.

use super::Graph;
use super::graph::{Fused, Id, Node, One, Two};

/// The adjoint of every node seen so far.
struct Sweep<'g> {
    graph: &'g mut Graph,
    adjoint: Vec<Option<Id>>,
    /// Does the node depend on a variable of interest?
    active: Vec<bool>,
}

impl Graph {
    /// The partial derivatives of `root` with respect to the first `variables` inputs.
    ///
    /// At kinks they are those that [`super::Function`] states. When the graph is full afterwards they mean nothing.
    pub fn gradient(&mut self, root: u32, variables: usize) -> Vec<u32> {
        let n = root as usize + 1;
        let mut active = vec![false; n];
        for id in 0..n {
            let node = self.nodes[id];
            active[id] = match node {
                Node::Input(i) => (i as usize) < variables,
                _ => operands(node).into_iter().flatten().any(|o| active[o as usize]),
            };
        }
        let one = self.constant(1.0);
        let mut sweep = Sweep { graph: self, adjoint: vec![None; n], active };
        sweep.adjoint[root as usize] = Some(one);
        let mut of_inputs = vec![None; variables];
        for id in (0..n).rev() {
            let Some(adjoint) = sweep.adjoint[id] else { continue };
            match sweep.graph.nodes[id] {
                Node::Input(i) if (i as usize) < variables => of_inputs[i as usize] = Some(adjoint),
                _ if sweep.active[id] => sweep.spread(id as Id, adjoint),
                _ => {}
            }
        }
        let zero = self.constant(0.0);
        of_inputs.into_iter().map(|d| d.unwrap_or(zero)).collect()
    }
}

/// What a node is made of.
pub(super) fn operands(node: Node) -> [Option<Id>; 4] {
    match node {
        Node::Constant(_) | Node::Input(_) => [None; 4],
        Node::One(_, a) | Node::Whole(a, _) => [Some(a), None, None, None],
        Node::Two(_, a, b) => [Some(a), Some(b), None, None],
        Node::Fused(_, a, b, c) => [Some(a), Some(b), Some(c), None],
        Node::Pick(a, b, c, d) => [Some(a), Some(b), Some(c), Some(d)],
    }
}

impl Sweep<'_> {
    /// adjoint(`to`) += `part`.
    fn plus(&mut self, to: Id, part: Id) {
        if self.active[to as usize] {
            let sum = self.adjoint[to as usize].map_or(part, |old| self.graph.two(Two::Add, old, part));
            self.adjoint[to as usize] = Some(sum);
        }
    }

    /// adjoint(`to`) -= `part`.
    fn minus(&mut self, to: Id, part: Id) {
        if self.active[to as usize] {
            let sum = match self.adjoint[to as usize] {
                Some(old) => self.graph.two(Two::Sub, old, part),
                None => self.graph.one(One::Negative, part),
            };
            self.adjoint[to as usize] = Some(sum);
        }
    }

    fn mul(&mut self, a: Id, b: Id) -> Id {
        self.graph.two(Two::Mul, a, b)
    }

    /// adjoint * constant.
    fn times(&mut self, a: Id, c: f64) -> Id {
        let c = self.graph.constant(c);
        self.mul(a, c)
    }

    /// Hands the adjoint of node `id` on to its operands.
    fn spread(&mut self, id: Id, w: Id) {
        match self.graph.nodes[id as usize] {
            Node::Constant(_) | Node::Input(_) => {}
            Node::One(operation, a) => self.spread_one(operation, a, id, w),
            Node::Two(operation, a, b) => self.spread_two(operation, a, b, id, w),
            Node::Whole(a, n) => {
                let scaled = self.times(w, f64::from(n));
                let power = self.graph.whole(a, n - 1);
                let part = self.mul(scaled, power);
                self.plus(a, part);
            }
            Node::Fused(kind, a, b, c) => {
                let (wa, wb) = (self.mul(w, b), self.mul(w, a));
                match kind {
                    Fused::From => {
                        self.minus(a, wa);
                        self.minus(b, wb);
                    }
                    Fused::Plus | Fused::Minus => {
                        self.plus(a, wa);
                        self.plus(b, wb);
                    }
                }
                if kind == Fused::Minus { self.minus(c, w) } else { self.plus(c, w) }
            }
            Node::Pick(a, b, c, d) => {
                let zero = self.graph.constant(0.0);
                let (wc, wd) = (self.graph.pick(a, b, w, zero), self.graph.pick(a, b, zero, w));
                self.plus(c, wc);
                self.plus(d, wd);
            }
        }
    }

    /// `f` is the node f(a) itself.
    fn spread_one(&mut self, operation: One, a: Id, f: Id, w: Id) {
        let one = self.graph.constant(1.0);
        match operation {
            One::Negative => self.minus(a, w),
            One::Sin => {
                let cos = self.graph.one(One::Cos, a);
                let part = self.mul(w, cos);
                self.plus(a, part);
            }
            One::Cos => {
                let sin = self.graph.one(One::Sin, a);
                let part = self.mul(w, sin);
                self.minus(a, part);
            }
            One::Tan => {
                let square = self.mul(f, f);
                let slope = self.graph.two(Two::Add, one, square);
                let part = self.mul(w, slope);
                self.plus(a, part);
            }
            One::Exp => {
                let part = self.mul(w, f);
                self.plus(a, part);
            }
            One::Log => {
                let part = self.graph.two(Two::Div, w, a);
                self.plus(a, part);
            }
            One::Sqrt => {
                let half = self.times(w, 0.5);
                let part = self.graph.two(Two::Div, half, f);
                self.plus(a, part);
            }
            One::Sinh | One::Cosh => {
                let slope = self.graph.one(if operation == One::Sinh { One::Cosh } else { One::Sinh }, a);
                let part = self.mul(w, slope);
                self.plus(a, part);
            }
            One::Tanh => {
                let square = self.mul(f, f);
                let slope = self.graph.two(Two::Sub, one, square);
                let part = self.mul(w, slope);
                self.plus(a, part);
            }
            One::Acos => {
                let (below, above) = (self.graph.two(Two::Sub, one, a), self.graph.two(Two::Add, one, a));
                let square = self.mul(below, above);
                let height = self.graph.one(One::Sqrt, square);
                let part = self.graph.two(Two::Div, w, height);
                self.minus(a, part);
            }
            One::Abs => {
                let zero = self.graph.constant(0.0);
                let negative = self.graph.one(One::Negative, w);
                let part = self.graph.pick(a, zero, negative, w);
                self.plus(a, part);
            }
            One::Sgn | One::Step | One::Floor => {}
        }
    }

    /// `f` is the node f(a, b) itself.
    fn spread_two(&mut self, operation: Two, a: Id, b: Id, f: Id, w: Id) {
        match operation {
            Two::Add => {
                self.plus(a, w);
                self.plus(b, w);
            }
            Two::Sub => {
                self.plus(a, w);
                self.minus(b, w);
            }
            Two::Mul => {
                let (wa, wb) = (self.mul(w, b), self.mul(w, a));
                self.plus(a, wa);
                self.plus(b, wb);
            }
            Two::Div => {
                let over = match self.graph.value(b) {
                    Some(c) => self.times(w, 1.0 / c),
                    None => self.graph.two(Two::Div, w, b),
                };
                self.plus(a, over);
                if self.active[b as usize] {
                    let part = self.mul(over, f);
                    self.minus(b, part);
                }
            }
            Two::Power => self.spread_power(a, b, f, w),
            Two::Atan2 => {
                let (yy, xx) = (self.mul(a, a), self.mul(b, b));
                let r2 = self.graph.two(Two::Add, yy, xx);
                let over = self.graph.two(Two::Div, w, r2);
                let (along_y, along_x) = (self.mul(over, b), self.mul(over, a));
                self.plus(a, along_y);
                self.minus(b, along_x);
            }
            Two::Min | Two::Max => {
                let zero = self.graph.constant(0.0);
                // the second one, where it is the smaller (larger) one
                let (p, q) = if operation == Two::Min { (b, a) } else { (a, b) };
                let (wb, wa) = (self.graph.pick(p, q, w, zero), self.graph.pick(p, q, zero, w));
                self.plus(a, wa);
                self.plus(b, wb);
            }
            Two::Mod => {
                self.plus(a, w);
                if self.active[b as usize] {
                    let ratio = self.graph.two(Two::Div, a, b);
                    let turns = self.graph.one(One::Floor, ratio);
                    let part = self.mul(w, turns);
                    self.minus(b, part);
                }
            }
        }
    }

    fn spread_power(&mut self, a: Id, b: Id, f: Id, w: Id) {
        if self.active[a as usize] {
            let one = self.graph.constant(1.0);
            let less = self.graph.two(Two::Sub, b, one);
            let power = self.graph.two(Two::Power, a, less);
            let scaled = self.mul(w, b);
            let part = self.mul(scaled, power);
            self.plus(a, part);
        }
        if self.active[b as usize] {
            let log = self.graph.one(One::Log, a);
            let grown = self.mul(w, f);
            let part = self.mul(grown, log);
            self.plus(b, part);
        }
    }
}
