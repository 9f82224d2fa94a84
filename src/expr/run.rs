//! The interpreter: one step after the other, each on a whole lane.

use super::Program;
use super::elementary as e;
use super::graph::{One, Two};
use super::program::Op;
use crate::real::Real;

impl Program {
    /// Runs the program over any [`Program::slots`] numbers, the first of which are the inputs in the scope's order; they stay as they
    /// are. Output k is `slots[output(k)]` afterwards.
    ///
    /// Call it inside [`crate::real::dispatch`] for lanes.
    #[inline(always)]
    pub fn run<T: Real>(&self, slots: &mut [T]) {
        let slots = &mut slots[..self.slots()];
        let constants = &self.constants[..];
        for step in &self.steps {
            let (a, b, c) = (step.a as usize, step.b as usize, step.c as usize);
            let value = match step.op {
                Op::Set => T::of(constants[a]),
                Op::Add => slots[a] + slots[b],
                Op::AddK => slots[a] + T::of(constants[b]),
                Op::Sub => slots[a] - slots[b],
                Op::KSub => T::of(constants[b]) - slots[a],
                Op::Mul => slots[a] * slots[b],
                Op::MulK => slots[a] * T::of(constants[b]),
                Op::Div => slots[a] / slots[b],
                Op::KDiv => T::of(constants[b]) / slots[a],
                Op::Fma => slots[a].mul_add(slots[b], slots[c]),
                Op::FmaK => slots[a].mul_add(T::of(constants[b]), slots[c]),
                Op::FmaKK => slots[a].mul_add(T::of(constants[b]), T::of(constants[c])),
                Op::FmaAddK => slots[a].mul_add(slots[b], T::of(constants[c])),
                Op::Fms => slots[a].mul_add(slots[b], -slots[c]),
                Op::FmsK => slots[a].mul_add(T::of(constants[b]), -slots[c]),
                Op::Fnm => slots[a].mul_add(-slots[b], slots[c]),
                Op::FnmK => slots[a].mul_add(-slots[b], T::of(constants[c])),
                Op::SinCos => {
                    let (sin, cos) = slots[a].sin_cos();
                    slots[b] = cos;
                    sin
                }
                Op::One(operation) => one(operation, slots[a]),
                Op::Two(operation) => two(operation, slots[a], slots[b]),
                Op::Pick => e::pick(slots[a], slots[b], slots[c], slots[step.e as usize]),
            };
            slots[step.d as usize] = value;
        }
    }
}

#[inline(always)]
fn one<T: Real>(operation: One, a: T) -> T {
    match operation {
        One::Negative => -a,
        One::Sin => a.sin_cos().0,
        One::Cos => a.sin_cos().1,
        One::Tan => e::tan(a),
        One::Exp => a.exp(),
        One::Log => a.ln(),
        One::Sqrt => a.sqrt(),
        One::Sinh => e::sinh(a),
        One::Cosh => e::cosh(a),
        One::Tanh => a.tanh(),
        One::Acos => e::acos(a),
        One::Abs => a.abs(),
        One::Sgn => e::sgn(a),
        One::Step => e::step(a),
        One::Floor => a.floor(),
    }
}

#[inline(always)]
fn two<T: Real>(operation: Two, a: T, b: T) -> T {
    match operation {
        Two::Add => a + b,
        Two::Sub => a - b,
        Two::Mul => a * b,
        Two::Div => a / b,
        Two::Power => e::power(a, b),
        Two::Atan2 => a.atan2(b),
        Two::Min => e::min(a, b),
        Two::Max => e::max(a, b),
        Two::Mod => e::modulo(a, b),
    }
}
