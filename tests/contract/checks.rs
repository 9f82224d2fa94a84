//! What every potential must do. Each check says what is wrong; `twins.rs` shows that each can.

use crate::draw::Draw;
use ergodica::campaign::system::{Symmetry, System};
use ergodica::energy::Potential;
use ergodica::real::{Octet, Real};
use std::sync::Arc;

/// A system, the potential under test (its own, or a broken twin), 8 configurations `[dof]`.
pub(crate) struct Case {
    pub(crate) system: System,
    pub(crate) potential: Arc<dyn Potential>,
    pub(crate) configurations: Vec<Vec<f64>>,
}

impl Case {
    /// Energy, force and terms in plain `f64`.
    pub(crate) fn one(&self, x: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
        let (mut f, mut terms) = (vec![0.0; x.len()], vec![0.0; self.potential.terms().len()]);
        let u = self.potential.eval_one(x, 1.0, &mut f, &mut terms);
        (u, f, terms)
    }
}

pub(crate) fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |a: f64, b| a.max(b.abs()))
}

pub(crate) fn dof(case: &Case) -> Result<(), String> {
    let (s, n) = (&case.system, case.potential.dof());
    if s.particles * s.dimension != n || s.masses.len() != n || s.start.is_empty() || s.start.iter().any(|x| x.len() != n) {
        return Err(format!("{} particles in {} dimensions, {} masses, dof {n}", s.particles, s.dimension, s.masses.len()));
    }
    if s.masses.iter().any(|m| !(m.is_finite() && *m > 0.0)) || s.omega_max.as_ref().is_none_or(|w| w.0 <= 0.0) {
        return Err(format!("a mass or omega_max is not above 0: {:?}", s.omega_max));
    }
    Ok(())
}

/// 1e-10 of the largest component, along every coordinate of small systems and along 24 random directions.
pub(crate) fn force_is_the_gradient(case: &Case) -> Result<(), String> {
    let n = case.potential.dof();
    let mut draw = Draw::of("directions");
    for x in case.configurations.iter().take(if n > 60 { 2 } else { 8 }) {
        let (u, f, _) = case.one(x);
        let scale = largest(&f).max(1e-6);
        let mut directions: Vec<Vec<f64>> = (0..24).map(|_| (0..n).map(|_| draw.normal()).collect()).collect();
        if n <= 60 {
            directions.extend((0..n).map(|i| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect()));
        }
        for v in &directions {
            let (u2, slope) = case.potential.derivative(x, 1.0, v, 0.0);
            let along: f64 = f.iter().zip(v).map(|(f, v)| f * v).sum();
            let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
            if u2.to_bits() != u.to_bits() {
                return Err(format!("energy {u} in plain numbers, {u2} in dual ones"));
            }
            if !((slope + along).abs() <= 1e-10 * scale * length) {
                return Err(format!("dU = {slope}, but -F.v = {}, max|F| = {scale}", -along));
            }
        }
    }
    Ok(())
}

/// A turn about the origin of `dimension`-dimensional space, a product of turns in all planes.
fn turned(x: &[f64], dimension: usize) -> Vec<f64> {
    let mut y = x.to_vec();
    for a in 0..dimension {
        for b in a + 1..dimension {
            let (s, c) = Real::sin_cos(0.7 + a as f64 + 0.3 * b as f64);
            for p in y.chunks_mut(dimension) {
                (p[a], p[b]) = (c * p[a] - s * p[b], s * p[a] + c * p[b]);
            }
        }
    }
    y
}

/// The positions or forces after a symmetry operation; forces do not move.
fn image(symmetry: Symmetry, v: &[f64], dimension: usize, is_force: bool) -> Vec<f64> {
    match symmetry {
        Symmetry::Translation if is_force => v.to_vec(),
        Symmetry::Translation => v.iter().enumerate().map(|(i, x)| x + [0.7, -1.3, 0.4][i % dimension % 3]).collect(),
        Symmetry::Rotation => turned(v, dimension),
        Symmetry::Parity => v.iter().map(|x| -x).collect(),
        Symmetry::Permutation => {
            let mut p: Vec<&[f64]> = v.chunks(dimension).collect();
            p.reverse();
            let last = p.len() - 1;
            p.swap(0, last / 2);
            p.concat()
        }
    }
}

pub(crate) fn symmetries(case: &Case) -> Result<(), String> {
    let d = case.system.dimension;
    for &symmetry in &case.system.symmetries {
        for x in &case.configurations {
            let (u, f, _) = case.one(x);
            let (v, g, _) = case.one(&image(symmetry, x, d, false));
            let moved = image(symmetry, &f, d, true);
            let off = moved.iter().zip(&g).fold(0.0, |a: f64, (p, q)| a.max((p - q).abs()));
            let scale = largest(&f);
            if !((u - v).abs() <= 1e-9 * (1.0 + u.abs() + scale) && off <= 1e-9 * (1.0 + scale)) {
                return Err(format!("{symmetry:?}: energy {u} becomes {v}; forces differ by {off} of {scale}"));
            }
        }
    }
    Ok(())
}

/// All particles in one place, and far away.
pub(crate) fn extremes(case: &Case) -> Result<(), String> {
    let n = case.potential.dof();
    let mut extreme = vec![("all coordinates 0", vec![0.0; n])];
    for (what, scale) in [("1e3 times as large", 1e3), ("1e30 times as large", 1e30), ("1e-30 times as large", 1e-30)] {
        extreme.push((what, case.configurations[0].iter().map(|x| x * scale).collect()));
    }
    for (what, x) in extreme {
        let (u, _, _) = case.one(&x);
        if u.is_nan() || u == f64::NEG_INFINITY {
            return Err(format!("energy {u} with {what}"));
        }
    }
    Ok(())
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Bit for bit, one lane having blown up; with and without terms.
pub(crate) fn lanes(case: &Case) -> Result<(), String> {
    let n = case.potential.dof();
    let mut rows = case.configurations.clone();
    rows[3] = vec![1e300; n];
    let x: Vec<Octet> = (0..n).map(|i| Octet(std::array::from_fn(|r| rows[r][i]))).collect();
    let (mut f, mut g) = (vec![Octet::of(0.0); n], vec![Octet::of(0.0); n]);
    let mut terms = vec![Octet::of(0.0); case.potential.terms().len()];
    let u = case.potential.eval_block(&x, Octet::of(1.0), &mut f, None);
    let v = case.potential.eval_block(&x, Octet::of(1.0), &mut g, Some(&mut terms));
    for (r, row) in rows.iter().enumerate() {
        let (u1, f1, t1) = case.one(row);
        if !(same(u.0[r], u1) && same(v.0[r], u1)) {
            return Err(format!("lane {r}: energy {:e}, with terms {:e}, scalar {u1:e}", u.0[r], v.0[r]));
        }
        for i in 0..n {
            if !(same(f[i].0[r], f1[i]) && same(g[i].0[r], f1[i])) {
                return Err(format!("lane {r}: force {i} is {:e}, scalar {:e}", f[i].0[r], f1[i]));
            }
        }
        for (t, (lane, scalar)) in terms.iter().zip(&t1).enumerate() {
            if !same(lane.0[r], *scalar) {
                return Err(format!("lane {r}: term {t} is {:e}, scalar {scalar:e}", lane.0[r]));
            }
        }
    }
    Ok(())
}
