//! A graph as steps over slots: what the interpreter runs.

use super::Graph;
use super::gradient::operands;
use super::graph::{Fused, Id, Node, One, Two};
use super::lower::uses;
use std::collections::HashMap;

/// What a step does with slots a, b, c, e and constants k. `d` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// d = k\[a\]
    Set,
    /// d = a + b
    Add,
    /// d = a + k\[b\]
    AddK,
    /// d = a - b
    Sub,
    /// d = k\[b\] - a
    KSub,
    /// d = a b
    Mul,
    /// d = k\[b\] a
    MulK,
    /// d = a / b
    Div,
    /// d = k\[b\] / a
    KDiv,
    /// d = a b + c
    Fma,
    /// d = a k\[b\] + c
    FmaK,
    /// d = a k\[b\] + k\[c\]
    FmaKK,
    /// d = a b + k\[c\]
    FmaAddK,
    /// d = a b - c
    Fms,
    /// d = a k\[b\] - c
    FmsK,
    /// d = c - a b
    Fnm,
    /// d = k\[c\] - a b
    FnmK,
    /// d = sin a, b = cos a
    SinCos,
    One(One),
    Two(Two),
    /// d = if a < b { c } else { e }
    Pick,
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) d: u16,
    pub(super) a: u16,
    pub(super) b: u16,
    pub(super) c: u16,
    pub(super) e: u16,
}

/// Expressions ready to run: see [`Program::run`].
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) constants: Vec<f64>,
    slots: usize,
    outputs: Vec<u16>,
}

impl Program {
    /// Numbers that a run needs room for.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The slot that holds an output after a run.
    #[inline(always)]
    pub fn output(&self, k: usize) -> usize {
        self.outputs[k] as usize
    }

    /// Steps that compute `roots` of a lowered graph; none when they need more than 65536 slots or constants.
    pub(super) fn of(graph: &Graph, roots: &[Id], inputs: usize) -> Option<Program> {
        let mut writer = Writer::new(graph, roots, inputs);
        for id in order(graph, &writer.uses) {
            writer.write(id);
        }
        let outputs: Vec<u16> = roots.iter().map(|r| writer.slot(*r)).collect();
        let fits = !writer.overflow && inputs <= usize::from(u16::MAX);
        fits.then_some(Program { steps: writer.steps, constants: writer.constants, slots: writer.slots, outputs })
    }
}

/// The nodes in use, operands first, and those that wait for each other apart: a step takes its operands from memory, where a result
/// arrives some ten cycles late, so independent steps should lie between. Within a window of so many nodes, that the live ones stay in
/// the first cache, they are ordered by their depth.
fn order(graph: &Graph, uses: &[u32]) -> Vec<Id> {
    const WINDOW: usize = 128;
    let mut depth = vec![0u32; graph.nodes.len()];
    let mut ids = Vec::new();
    for id in 0..graph.nodes.len() {
        for operand in operands(graph.nodes[id]).into_iter().flatten() {
            depth[id] = depth[id].max(depth[operand as usize] + 1);
        }
        if uses[id] > 0 {
            ids.push(id as Id);
        }
    }
    for window in ids.chunks_mut(WINDOW) {
        window.sort_by_key(|id| depth[*id as usize]);
    }
    ids
}

struct Writer<'g> {
    graph: &'g Graph,
    uses: Vec<u32>,
    slot_of: Vec<Option<u16>>,
    free: Vec<u16>,
    slots: usize,
    steps: Vec<Step>,
    constants: Vec<f64>,
    constant_of: HashMap<u64, u16>,
    overflow: bool,
}

impl<'g> Writer<'g> {
    fn new(graph: &'g Graph, roots: &[Id], inputs: usize) -> Self {
        Writer {
            graph,
            uses: uses(graph, roots),
            slot_of: vec![None; graph.nodes.len()],
            free: Vec::new(),
            slots: inputs,
            steps: Vec::new(),
            constants: Vec::new(),
            constant_of: HashMap::new(),
            overflow: false,
        }
    }

    fn index(&mut self, n: usize) -> u16 {
        self.overflow |= n > usize::from(u16::MAX);
        n as u16
    }

    fn fresh(&mut self) -> u16 {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        self.slots += 1;
        self.index(self.slots - 1)
    }

    fn k(&mut self, value: f64) -> u16 {
        if let Some(&k) = self.constant_of.get(&value.to_bits()) {
            return k;
        }
        let k = self.index(self.constants.len());
        self.constants.push(value);
        self.constant_of.insert(value.to_bits(), k);
        k
    }

    /// Where a node's value lies; a constant is put somewhere, for good.
    fn slot(&mut self, id: Id) -> u16 {
        if let Node::Input(i) = self.graph.nodes[id as usize] {
            return self.index(i as usize);
        }
        if let Some(slot) = self.slot_of[id as usize] {
            return slot;
        }
        // only constants are asked for before they are written
        let k = self.k(self.graph.value(id).unwrap_or(f64::NAN));
        let slot = self.fresh();
        self.steps.push(Step { op: Op::Set, d: slot, a: k, b: 0, c: 0, e: 0 });
        self.slot_of[id as usize] = Some(slot);
        slot
    }

    /// One user of a node is done: its slot is free after the last one. Inputs, constants and roots stay.
    fn release(&mut self, id: Id) {
        self.uses[id as usize] -= 1;
        let movable = !matches!(self.graph.nodes[id as usize], Node::Input(_) | Node::Constant(_));
        if let (0, true, Some(slot)) = (self.uses[id as usize], movable, self.slot_of[id as usize]) {
            self.free.push(slot);
        }
    }

    fn write(&mut self, id: Id) {
        let node = self.graph.nodes[id as usize];
        if matches!(node, Node::Constant(_) | Node::Input(_)) {
            return;
        }
        if self.slot_of[id as usize].is_some() {
            // the other half of a sine and cosine
            if let Node::One(_, a) = node {
                self.release(a);
            }
            return;
        }
        let (op, [a, b, c, e]) = self.operation(node);
        let twin = self.twin(node);
        for operand in operands(node).into_iter().flatten() {
            self.release(operand);
        }
        let d = self.fresh();
        self.slot_of[id as usize] = Some(d);
        let step = Step { op, d, a, b, c, e };
        let step = match (twin, node) {
            (Some(twin), Node::One(operation, _)) => {
                let other = self.fresh();
                self.slot_of[twin as usize] = Some(other);
                let (d, b) = if operation == One::Sin { (d, other) } else { (other, d) };
                Step { op: Op::SinCos, d, b, ..step }
            }
            _ => step,
        };
        self.steps.push(step);
    }

    /// The cosine of a sine's argument, and the other way round, where both are used.
    fn twin(&self, node: Node) -> Option<Id> {
        let twin = match node {
            Node::One(One::Sin, a) => Node::One(One::Cos, a),
            Node::One(One::Cos, a) => Node::One(One::Sin, a),
            _ => return None,
        };
        self.graph.find(twin).filter(|id| self.uses[*id as usize] > 0)
    }

    fn operation(&mut self, node: Node) -> (Op, [u16; 4]) {
        match node {
            Node::One(operation, a) => (Op::One(operation), [self.slot(a), 0, 0, 0]),
            Node::Two(operation, a, b) => self.two(operation, a, b),
            Node::Fused(kind, a, b, c) => self.fused(kind, a, b, c),
            Node::Pick(a, b, c, d) => (Op::Pick, [self.slot(a), self.slot(b), self.slot(c), self.slot(d)]),
            Node::Constant(_) | Node::Input(_) | Node::Whole(..) => unreachable!("multiplied out or without a step"),
        }
    }

    fn two(&mut self, operation: Two, a: Id, b: Id) -> (Op, [u16; 4]) {
        let (va, vb) = (self.graph.value(a), self.graph.value(b));
        match (operation, va, vb) {
            (Two::Add, Some(k), _) => (Op::AddK, [self.slot(b), self.k(k), 0, 0]),
            (Two::Add, _, Some(k)) => (Op::AddK, [self.slot(a), self.k(k), 0, 0]),
            (Two::Sub, Some(k), _) => (Op::KSub, [self.slot(b), self.k(k), 0, 0]),
            (Two::Sub, _, Some(k)) => (Op::AddK, [self.slot(a), self.k(-k), 0, 0]),
            (Two::Mul, Some(k), _) => (Op::MulK, [self.slot(b), self.k(k), 0, 0]),
            (Two::Mul, _, Some(k)) => (Op::MulK, [self.slot(a), self.k(k), 0, 0]),
            (Two::Div, Some(k), _) => (Op::KDiv, [self.slot(b), self.k(k), 0, 0]),
            _ => {
                let op = match operation {
                    Two::Add => Op::Add,
                    Two::Sub => Op::Sub,
                    Two::Mul => Op::Mul,
                    Two::Div => Op::Div,
                    other => Op::Two(other),
                };
                (op, [self.slot(a), self.slot(b), 0, 0])
            }
        }
    }

    fn fused(&mut self, kind: Fused, a: Id, b: Id, c: Id) -> (Op, [u16; 4]) {
        let (va, vb, vc) = (self.graph.value(a), self.graph.value(b), self.graph.value(c));
        let (factor, constant) = match (va, vb) {
            (Some(k), _) => (b, Some(k)),
            (_, k) => (a, k),
        };
        let (minus_k, minus_c) = (kind == Fused::From, kind == Fused::Minus);
        let signed = |x: f64, minus: bool| if minus { -x } else { x };
        match (constant, vc) {
            (Some(k), Some(c)) => (Op::FmaKK, [self.slot(factor), self.k(signed(k, minus_k)), self.k(signed(c, minus_c)), 0]),
            (Some(k), None) => {
                let op = if minus_c { Op::FmsK } else { Op::FmaK };
                (op, [self.slot(factor), self.k(signed(k, minus_k)), self.slot(c), 0])
            }
            (None, Some(c)) => {
                let op = if minus_k { Op::FnmK } else { Op::FmaAddK };
                (op, [self.slot(a), self.slot(b), self.k(signed(c, minus_c)), 0])
            }
            (None, None) => {
                let op = match kind {
                    Fused::Plus => Op::Fma,
                    Fused::Minus => Op::Fms,
                    Fused::From => Op::Fnm,
                };
                (op, [self.slot(a), self.slot(b), self.slot(c), 0])
            }
        }
    }
}
