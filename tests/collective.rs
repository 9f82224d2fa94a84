//! Collective variables: gradient = exact derivative, lanes = plain numbers to the bit, values as the field defines them.

use ergodica::batch::{Coords, Thermo};
use ergodica::energy::collective::{Collective, Coordinate, Dihedral, Distance, RadiusOfGyration, Symbol, TextCollective, shortest};
use ergodica::energy::harmonic::Harmonic;
use ergodica::energy::restraint::Restrained;
use ergodica::energy::{Batched, Evaluation, Potential};
use ergodica::real::Octet;
use std::f64::consts::{FRAC_PI_2, PI, TAU};
use std::sync::Arc;

/// Numbers in (-1, 1), the same every time.
struct Draw(u64);

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
    fn row(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.uniform()).collect()
    }
}

/// Names for 5 particles in space: two collective variables, one of them a formula, two coordinates, a number.
fn names() -> Vec<(String, Symbol)> {
    let phi: Arc<dyn Collective> = Arc::new(Dihedral::new([3, 0, 4, 2], 15).unwrap());
    let near = [("r".to_owned(), Symbol::Collective(Arc::new(Distance::new(4, 1, 3, 15).unwrap())))];
    let contact: Arc<dyn Collective> = Arc::new(TextCollective::new("1/(1 + r^6)", &near, 15).unwrap());
    vec![
        ("phi".to_owned(), Symbol::Collective(phi)),
        ("contact".to_owned(), Symbol::Collective(contact)),
        ("x".to_owned(), Symbol::Coordinate(1)),
        ("z".to_owned(), Symbol::Coordinate(14)),
        ("k".to_owned(), Symbol::Number(2.5)),
    ]
}

/// One of each kind, on 5 particles in space.
fn kinds() -> Vec<(&'static str, Box<dyn Collective>)> {
    let mass: Vec<f64> = [12.0, 1.0, 16.0, 14.0, 1.0].iter().flat_map(|m| [*m; 3]).collect();
    vec![
        ("coordinate", Box::new(Coordinate::new(7, 15).unwrap())),
        ("distance", Box::new(Distance::new(4, 1, 3, 15).unwrap())),
        ("distance in the plane", Box::new(Distance::new(1, 6, 2, 14).unwrap())),
        ("dihedral", Box::new(Dihedral::new([3, 0, 4, 2], 15).unwrap())),
        ("a formula", Box::new(TextCollective::new("k*contact*cos(phi - 0.3) + x*phi", &names(), 15).unwrap())),
        ("radius of gyration", Box::new(RadiusOfGyration::new(&mass, 3).unwrap())),
    ]
}

fn gradient_misfit(xi: &dyn Collective, x: &[f64], broken: f64) -> f64 {
    let mut gradient = vec![0.0; xi.support().len()];
    xi.value_gradient(x, &mut gradient);
    gradient[0] *= broken;
    let mut worst = 0.0_f64;
    for d in 0..xi.dof() {
        let mut dx = vec![0.0; xi.dof()];
        dx[d] = 1.0;
        let (_, exact) = xi.derivative(x, &dx);
        let mine = xi.support().iter().position(|s| *s == d).map_or(0.0, |k| gradient[k]);
        worst = worst.max((mine - exact).abs() / exact.abs().max(1.0));
    }
    worst
}

#[test]
fn gradients_are_derivatives() {
    let mut draw = Draw(1);
    for (name, xi) in kinds() {
        for _ in 0..50 {
            let x = draw.row(xi.dof());
            let worst = gradient_misfit(&*xi, &x, 1.0);
            assert!(worst < 1e-10, "{name}: {worst:e}");
        }
        let x = draw.row(xi.dof());
        assert!(gradient_misfit(&*xi, &x, 1.001) > 1e-10, "{name}: a wrong gradient passes");
    }
}

#[test]
fn lanes_equal_plain_numbers() {
    let mut draw = Draw(2);
    for (name, xi) in kinds() {
        let rows: Vec<Vec<f64>> = (0..8).map(|_| draw.row(xi.dof())).collect();
        let mut x = vec![Octet::of(0.0); xi.dof()];
        for (r, row) in rows.iter().enumerate() {
            for (o, v) in x.iter_mut().zip(row) {
                o.0[r] = *v;
            }
        }
        let n = xi.support().len();
        let mut lanes = vec![Octet::of(f64::NAN); n];
        let values = xi.value_gradient_block(&x, &mut lanes);
        for (r, row) in rows.iter().enumerate() {
            let mut plain = vec![f64::NAN; n];
            let value = xi.value_gradient(row, &mut plain);
            assert_eq!(value.to_bits(), values.0[r].to_bits(), "{name}");
            for k in 0..n {
                assert_eq!(plain[k].to_bits(), lanes[k].0[r].to_bits(), "{name}, element {k}");
            }
        }
    }
}

#[test]
fn supports_are_ascending_and_in_range() {
    for (name, xi) in kinds() {
        assert!(xi.support().windows(2).all(|w| w[0] < w[1]), "{name}");
        assert!(xi.support().iter().all(|d| *d < xi.dof()), "{name}");
    }
}

#[test]
fn values_are_those_of_the_definitions() {
    let phi = Dihedral::new([0, 1, 2, 3], 12).unwrap();
    let at = |x: f64, y: f64| [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, x, y, 1.0];
    let mut g = [0.0; 12];
    for (x, y, expected) in [(1.0, 0.0, 0.0), (0.0, 1.0, FRAC_PI_2), (0.0, -1.0, -FRAC_PI_2)] {
        assert!((Collective::value_gradient(&phi, &at(x, y), &mut g) - expected).abs() < 1e-15);
    }
    let r = Distance::new(0, 1, 2, 4).unwrap();
    assert_eq!(Collective::value_gradient(&r, &[0.0, 0.0, 3.0, 4.0], &mut g[..4]), 5.0);
    for (g, expected) in g.iter().zip([-0.6, -0.8, 0.6, 0.8]) {
        assert!((g - expected).abs() < 1e-15);
    }
    // masses 1 and 3 at distance 4: (1 * 9 + 3 * 1) / 4 = 3
    let size = RadiusOfGyration::new(&[1.0, 1.0, 1.0, 3.0, 3.0, 3.0], 3).unwrap();
    assert!((Collective::value_gradient(&size, &[0.0, 0.0, 0.0, 4.0, 0.0, 0.0], &mut g[..6]) - 3.0_f64.sqrt()).abs() < 1e-15);
}

#[test]
fn where_a_gradient_does_not_exist_it_is_zero() {
    let mut g = [1.0; 12];
    let line = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 3.0, 1.0, 0.0];
    let phi = Collective::value_gradient(&Dihedral::new([0, 1, 2, 3], 12).unwrap(), &line, &mut g);
    assert_eq!((phi, g), (0.0, [0.0; 12]));
    let r = Collective::value_gradient(&Distance::new(0, 1, 3, 6).unwrap(), &[0.5; 6], &mut g[..6]);
    assert_eq!((r, &g[..6]), (0.0, &[0.0; 6][..]));
}

#[test]
fn the_shortest_way_around() {
    let phi = Dihedral::new([0, 1, 2, 3], 12).unwrap();
    assert!((phi.difference(3.0, -3.0) - (6.0 - TAU)).abs() < 1e-15);
    assert_eq!(phi.difference(1.0, 0.5), 0.5);
    assert_eq!(Coordinate::new(0, 1).unwrap().difference(30.0, -3.0), 33.0);
    assert!(shortest(PI * 7.0, Some(TAU)).abs() <= PI + 1e-12);
}

#[test]
fn what_does_not_exist_is_named() {
    let said = |e: ergodica::Error| e.to_string();
    assert!(said(Coordinate::new(3, 3).unwrap_err()).contains("no coordinate 3 of 3"));
    assert!(said(Dihedral::new([0, 1, 2, 4], 12).unwrap_err()).contains("atom 4 of 4"));
    assert!(said(Distance::new(1, 1, 3, 12).unwrap_err()).contains("atom 1 twice"));
    assert!(RadiusOfGyration::new(&[0.0; 3], 3).is_err());
    assert!(RadiusOfGyration::new(&[1.0; 4], 3).is_err());
}

fn restrained(energy: &str) -> Restrained {
    let k: Vec<f64> = (0..15).map(|i| 1.0 + 0.1 * f64::from(i)).collect();
    Restrained::new(Arc::new(Batched(Harmonic { centre: vec![0.1; 15], k })), energy, &names()).unwrap()
}

#[test]
fn restraints_are_potentials() {
    let p = restrained("k*max(0, contact - 0.2)^2/2 + lambda*(1 - cos(phi - 2)) + step(z)*z^4");
    assert_eq!(p.terms(), ["energy", "restraint"]);
    let mut draw = Draw(5);
    let rows: Vec<f64> = draw.row(16 * 15);
    let x = Coords::from_rows(&rows, 15).unwrap();
    let thermo: Vec<Thermo> = (0..16).map(|r| Thermo { beta: 1.0, lambda: 0.05 * f64::from(r), state: 0 }).collect();
    let mut out = Evaluation::with_terms();
    p.eval(&x, &thermo, &mut out).unwrap();
    for r in 0..16 {
        let (row, lambda) = (&rows[15 * r..15 * (r + 1)], thermo[r].lambda);
        let (mut f, mut terms) = (vec![0.0; 15], vec![0.0; 2]);
        let u = p.eval_one(row, lambda, &mut f, &mut terms);
        assert_eq!(u.to_bits(), out.u.get(r, 0).to_bits());
        assert_eq!(u, terms[0] + terms[1]);
        for d in 0..15 {
            assert_eq!(f[d].to_bits(), out.f.get(r, d).to_bits());
            let mut dx = vec![0.0; 15];
            dx[d] = 1.0;
            let (same, du) = p.derivative(row, lambda, &dx, 0.0);
            assert!((same - u).abs() < 1e-13 && (du + f[d]).abs() < 1e-10, "{d}: {du} {}", f[d]);
        }
        assert_eq!(terms[1].to_bits(), out.terms.as_ref().unwrap().get(r, 1).to_bits());
        let (mut block, mut alone) = (vec![Octet::of(0.0); 15], [Octet::of(0.0); 2]);
        for (o, v) in block.iter_mut().zip(row) {
            *o = Octet::of(*v);
        }
        p.energies_block(&block, &[0.2, lambda], &mut alone);
        assert_eq!(alone[1].0[3].to_bits(), u.to_bits());
        let slope = p.slope_block(&block, Octet::of(lambda)).0[5];
        assert!((slope - p.derivative(row, lambda, &[0.0; 15], 1.0).1).abs() < 1e-12);
        // lambda stands in one factor only
        let (_, by_lambda) = p.derivative(row, lambda, &[0.0; 15], 1.0);
        let at = |lambda: f64| p.eval_one(row, lambda, &mut [0.0; 15], &mut [0.0; 2]);
        assert!((at(1.0) - at(0.0) - by_lambda).abs() < 1e-12);
    }
}

#[test]
fn a_flat_bottom_is_flat() {
    let p = restrained("k*max(0, abs(x) - 0.5)^2/2");
    let energy = |x1: f64| {
        let mut x = [0.3; 15];
        x[1] = x1;
        let (mut f, mut terms) = (vec![0.0; 15], vec![0.0; 2]);
        p.eval_one(&x, 1.0, &mut f, &mut terms);
        (terms[1], f[1] + (1.0 + 0.1) * (x1 - 0.1))
    };
    assert_eq!(energy(0.4), (0.0, 0.0));
    let (e, f) = energy(-1.5);
    assert!((e - 1.25).abs() < 1e-15 && (f - 2.5).abs() < 1e-14, "{e} {f}");
}

#[test]
fn names_of_formulas_are_offered() {
    let said = TextCollective::new("cos(phy) + x", &names(), 15).err().unwrap().to_string();
    assert_eq!(said, "formula:1:5: unknown name `phy`\n  help: did you mean `phi`? known names: x, phi, contact, z, k, pi");
    assert!(TextCollective::new("lambda*x", &names(), 15).is_err());
    let beyond = [("x".to_owned(), Symbol::Coordinate(15))];
    assert!(TextCollective::new("x", &beyond, 15).is_err());
}
