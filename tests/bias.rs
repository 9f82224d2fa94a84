//! Bias potentials: exact forces, lanes equal to plain numbers, periodic ranges, windows.
#![allow(clippy::needless_range_loop)] // replicas and degrees of freedom index several arrays at once

use ergodica::batch::{Coords, Phase, Thermo};
use ergodica::energy::biased::Biased;
use ergodica::energy::collective::{Collective, Coordinate, Dihedral, Distance, Variable, shortest};
use ergodica::energy::double_well::DoubleWell;
use ergodica::energy::harmonic::Harmonic;
use ergodica::energy::table::{Axis, Table};
use ergodica::energy::umbrella::Umbrella;
use ergodica::energy::{Batched, Evaluation, Potential};
use ergodica::path::{self, Boltzmann, Target};
use ergodica::real::{Octet, Real};
use ergodica::stream::{Purpose, Root};
use std::f64::consts::{PI, TAU};
use std::sync::Arc;

fn springs(dof: usize) -> Arc<dyn Potential> {
    Arc::new(Batched(Harmonic { k: vec![1.5; dof], centre: vec![0.1; dof] }))
}

fn points(n: usize, dof: usize, width: f64) -> Coords {
    let stream = Root::new(9, "points", "").stream(0, Purpose::Start);
    let mut rows = vec![0.0; n * dof];
    for (r, row) in rows.chunks_exact_mut(dof).enumerate() {
        stream.normals::<f64>(0, r as u32, row);
        for x in row {
            *x *= width;
        }
    }
    Coords::from_rows(&rows, dof).unwrap()
}

/// Lanes equal plain numbers bit for bit; forces are the exact derivative; the derivative along lambda is that of differences.
fn contract(p: &dyn Potential, width: f64) {
    let (n, dof) = (40, p.dof());
    let x = points(n, dof, width);
    let thermo: Vec<Thermo> = (0..n).map(|r| Thermo { lambda: r as f64 / n as f64, ..Thermo::at(1.0) }).collect();
    let mut out = Evaluation::with_terms();
    p.eval(&x, &thermo, &mut out).unwrap();
    let (mut row, mut f, mut terms) = (vec![0.0; dof], vec![0.0; dof], vec![0.0; p.terms().len()]);
    for r in 0..n {
        x.row(r, &mut row);
        let lambda = thermo[r].lambda;
        let u = p.eval_one(&row, lambda, &mut f, &mut terms);
        assert_eq!(u.to_bits(), out.u.get(r, 0).to_bits());
        assert!((terms.iter().sum::<f64>() - u).abs() < 1e-12 * (1.0 + u.abs()));
        for (t, term) in terms.iter().enumerate() {
            assert_eq!(term.to_bits(), out.terms.as_ref().unwrap().get(r, t).to_bits());
        }
        for d in 0..dof {
            assert_eq!(f[d].to_bits(), out.f.get(r, d).to_bits());
            let mut e = vec![0.0; dof];
            e[d] = 1.0;
            let (same, along) = p.derivative(&row, lambda, &e, 0.0);
            assert!((same - u).abs() < 1e-12 * (1.0 + u.abs()) && (along + f[d]).abs() < 1e-10 * (1.0 + f[d].abs()), "{along} {}", f[d]);
        }
        // Central differences know nothing of the code's derivatives.
        let h = 1e-6;
        for d in 0..dof {
            let mut at = |s: f64| {
                let old = row[d];
                row[d] += s;
                let u = p.eval_one(&row, lambda, &mut vec![0.0; dof], &mut terms);
                row[d] = old;
                u
            };
            let slope = (at(h) - at(-h)) / (2.0 * h);
            assert!((slope + f[d]).abs() < 1e-5 * (1.0 + f[d].abs()), "{slope} {}", f[d]);
        }
        let mut at = |lambda: f64| p.eval_one(&row, lambda, &mut vec![0.0; dof], &mut terms);
        let slope = (at(lambda + h) - at(lambda - h)) / (2.0 * h);
        let (_, along) = p.derivative(&row, lambda, &vec![0.0; dof], 1.0);
        assert!((slope - along).abs() < 1e-5 * (1.0 + along.abs()), "{slope} {along}");
    }
    // Slopes in lambda, a block at a time.
    let lambda = Octet([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0]);
    let slopes = p.slope_block(x.block(2), lambda);
    for lane in 0..8 {
        x.row(16 + lane, &mut row);
        let (_, along) = p.derivative(&row, lambda.0[lane], &vec![0.0; dof], 1.0);
        assert!((slopes.0[lane] - along).abs() < 1e-12 * (1.0 + along.abs()));
    }
    // Energies at many couplings are those of each.
    let lambdas = [0.0, 0.37, 1.0];
    let mut u = [Octet::of(0.0); 3];
    p.energies_block(x.block(1), &lambdas, &mut u);
    for (k, lambda) in lambdas.iter().enumerate() {
        let one = p.eval_block(x.block(1), Octet::of(*lambda), &mut vec![Octet::of(0.0); dof], None);
        assert_eq!(one, u[k]);
    }
}

#[test]
fn umbrellas_hold_the_contract() {
    let dihedral: Arc<dyn Collective> = Arc::new(Dihedral::new([0, 1, 2, 3], 12).unwrap());
    contract(&Umbrella::new(springs(12), dihedral, 2.0, 5.0, 7.0).unwrap(), 1.0);
    let distance: Arc<dyn Collective> = Arc::new(Distance::new(0, 3, 3, 12).unwrap());
    contract(&Umbrella::new(springs(12), distance, 0.5, 2.0, 3.0).unwrap(), 1.0);
}

#[test]
fn biases_hold_the_contract() {
    let coordinate = |i| -> Arc<dyn Collective> { Arc::new(Coordinate::new(i, 12).unwrap()) };
    let dihedral: Arc<dyn Collective> = Arc::new(Dihedral::new([0, 1, 2, 3], 12).unwrap());
    let circle = Axis::new(-PI, PI, 0.4, true).unwrap();
    let line = Axis::new(-1.5, 2.0, 0.3, false).unwrap();
    for (of, axes) in [
        (vec![coordinate(3)], vec![line.clone()]),
        (vec![dihedral.clone()], vec![circle.clone()]),
        (vec![dihedral.clone(), coordinate(0)], vec![circle.clone(), line.clone()]),
        (vec![coordinate(0), dihedral], vec![line, circle]),
    ] {
        let variables = of.len();
        let biased = Biased::new(springs(12), of, axes).unwrap();
        let version = biased.version();
        for g in 0..30 {
            let a = f64::from(g);
            biased.add_gaussian(
                &[Real::sin_cos(a).0 * 1.4, Real::sin_cos(2.0 * a).1][..variables],
                &[0.4, 0.3][..variables],
                0.5 + 0.01 * a,
            );
        }
        assert!(biased.version() != version);
        contract(&biased, 1.0);
    }
}

/// The interpolated sum against the sum itself, across the seam of the circle too; values and slopes continuous at nodes.
#[test]
fn tables_are_sums_of_gaussians() {
    let axes = vec![Axis::new(-PI, PI, 0.5, true).unwrap(), Axis::new(-1.0, 3.0, 0.4, false).unwrap()];
    let table = Table::new(axes.clone()).unwrap();
    let hills: Vec<[f64; 3]> =
        (0..20).map(f64::from).map(|a| [3.1 * Real::sin_cos(a).0, 1.0 + 2.2 * Real::sin_cos(3.0 * a).1, 1.0 + 0.1 * a]).collect();
    for [x, y, h] in &hills {
        table.add_gaussian(&[*x, *y], &[0.5, 0.4], *h);
    }
    let sum = |x: f64, y: f64| {
        let mut v = 0.0;
        for [a, b, h] in &hills {
            let (dx, dy) = (shortest(x - a, Some(TAU)) / 0.5, (y - b) / 0.4);
            v += h * Real::exp(-0.5 * (dx * dx + dy * dy));
        }
        v
    };
    let mut slope = [0.0; 2];
    for i in 0..200 {
        let (x, y) = (-PI + TAU * f64::from(i) / 199.0, -1.0 + 4.0 * f64::from(i * 7 % 200) / 199.0);
        let (v, exact) = (table.value(&[x, y], &mut slope), sum(x, y));
        assert!((v - exact).abs() < 2e-4, "{x} {y}: {v} {exact}");
        let h = 1e-5;
        let slopes = [(sum(x + h, y) - sum(x - h, y)) / (2.0 * h), (sum(x, y + h) - sum(x, y - h)) / (2.0 * h)];
        assert!((slope[0] - slopes[0]).abs() < 2e-2 && (slope[1] - slopes[1]).abs() < 2e-2, "{slope:?} {slopes:?}");
    }
    // Turns do not count; the edge of a line holds beyond it.
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
    close(table.value(&[1.0, 0.5], &mut slope), table.value(&[1.0 + TAU, 0.5], &mut slope));
    close(table.value(&[1.0, 3.0], &mut slope), table.value(&[1.0, 9.0], &mut slope));
    assert_eq!(slope[1], 0.0);
    assert!(table.value(&[f64::NAN, 0.5], &mut slope).is_nan());
    // One Gaussian: the stated error of interpolation.
    let table = Table::new(vec![Axis::new(-2.0, 2.0, 0.5, false).unwrap()]).unwrap();
    table.add_gaussian(&[0.123], &[0.5], 1.0);
    for i in 0..1000 {
        let x = -2.0 + f64::from(i) * 0.004;
        let exact = Real::exp(-0.5 * (x - 0.123) * (x - 0.123) / 0.25);
        assert!((table.value(&[x], &mut slope) - exact).abs() < 2e-5);
    }
}

/// A variable of its own period.
struct Angle;
impl Variable for Angle {
    fn dof(&self) -> usize {
        1
    }
    fn support(&self) -> &[usize] {
        &[0]
    }
    fn period(&self) -> Option<f64> {
        Some(360.0)
    }
    #[inline(always)]
    fn value_gradient<T: Real>(&self, x: &[T], gradient: &mut [T]) -> T {
        gradient[0] = T::of(1.0);
        shortest(x[0], Some(360.0))
    }
}

/// From 170 to 190 degrees the window passes 180, by the shortest way around; u_kn of all windows from one evaluation of the base.
#[test]
fn windows_go_the_short_way_around() {
    let flat: Arc<dyn Potential> = Arc::new(Batched(DoubleWell { wells: 0, harmonic: 1, barrier: 1.0, minimum: 1.0, tilt: 0.0, k: 0.0 }));
    let windows = Umbrella::new(flat, Arc::new(Angle), 170.0, 190.0, 0.5).unwrap();
    assert_eq!(windows.centre(0.5), 180.0);
    let u = |x: f64, lambda: f64| windows.eval_one(&[x], lambda, &mut [0.0], &mut [0.0; 2]);
    assert!((u(-179.0, 0.5) - 0.25).abs() < 1e-12 && (u(179.0, 0.5) - 0.25).abs() < 1e-12);
    assert!((u(-170.0, 1.0)).abs() < 1e-12 && (u(541.0, 0.5) - 0.25).abs() < 1e-12);
    let ladder = path::couplings(2.0, &[0.0, 0.5, 1.0]);
    let x = Coords::from_rows(&[-175.0, 170.0], 1).unwrap();
    let phase = Phase::at_rest(x, vec![1.0]).unwrap();
    let mut u = vec![0.0; 6];
    Boltzmann(Arc::new(windows)).u_kn(&phase, &ladder, &mut u).unwrap();
    assert_eq!(u, [112.5, 12.5, 12.5, 0.0, 50.0, 200.0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let coordinate: Arc<dyn Collective> = Arc::new(Coordinate::new(0, 12).unwrap());
    let dihedral: Arc<dyn Collective> = Arc::new(Dihedral::new([0, 1, 2, 3], 12).unwrap());
    let line = Axis::new(-1.0, 1.0, 0.1, false).unwrap();
    let said = |e: Option<ergodica::Error>| e.map_or_else(String::new, |e| e.to_string());
    assert!(said(Umbrella::new(springs(3), coordinate.clone(), 0.0, 1.0, 1.0).err()).contains("expected 3, found 12"));
    assert!(said(Umbrella::new(springs(12), coordinate.clone(), 0.0, 1.0, -1.0).err()).contains("stiffness of the umbrella is -1"));
    assert!(said(Umbrella::new(springs(12), coordinate.clone(), 0.0, f64::NAN, 1.0).err()).contains("moves from 0 to NaN"));
    assert!(said(Biased::new(springs(12), vec![dihedral], vec![line.clone()]).err()).contains("circle"));
    assert!(said(Biased::new(springs(12), vec![coordinate], vec![]).err()).contains("axes of the bias"));
    assert!(said(Table::new(vec![line.clone(), line.clone(), line]).err()).contains("over 3 variables"));
    assert!(said(Axis::new(0.0, 1.0, 0.0, false).err()).contains("width 0"));
    assert!(said(Axis::new(1.0, 0.0, 0.1, false).err()).contains("between 1 and 0"));
}
