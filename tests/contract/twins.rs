//! Broken twins: each check of the contract must fail on a potential or a file that breaks it.

use crate::case;
use crate::checks::{Case, dof, extremes, force_is_the_gradient, lanes, symmetries};
use crate::quadrature::double_well;
use crate::references::analytic_error;
use ergodica::campaign::system::{Symmetry, System};
use ergodica::energy::Potential;
use ergodica::real::Octet;
use std::sync::Arc;

/// What is wrong with a potential.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// One component of the force is too large by this part.
    Force(f64),
    /// The last lane of the energy is off by one unit in the last place.
    LastLane,
    /// Infinite energies are not numbers.
    NanForInfinity,
    /// A field along the first coordinate.
    Field,
}

struct Twin(Arc<dyn Potential>, Fault);

impl Potential for Twin {
    fn dof(&self) -> usize {
        self.0.dof()
    }
    fn terms(&self) -> Vec<String> {
        self.0.terms()
    }
    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet {
        let mut u = self.0.eval_block(x, lambda, f, terms);
        if self.1 == Fault::LastLane {
            u.0[7] = u.0[7].next_up();
        }
        u
    }
    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        let u = self.0.eval_one(x, lambda, f, terms);
        match self.1 {
            Fault::Force(part) => f[0] *= 1.0 + part,
            Fault::NanForInfinity if u.is_infinite() => return f64::NAN,
            Fault::Field => return u + 0.1 * x[0],
            _ => {}
        }
        u
    }
    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        self.0.derivative(x, lambda, dx, dlambda)
    }
}

fn twin(name: &str, fault: Fault) -> Case {
    let mut c = case(name);
    c.potential = Arc::new(Twin(c.potential, fault));
    c
}

#[test]
fn a_wrong_force_is_seen() {
    for name in ["harmonic", "dw4", "lj13-efm", "ala2-ff96-obc1"] {
        assert!(force_is_the_gradient(&twin(name, Fault::Force(1e-6))).is_err(), "{name}");
    }
}

#[test]
fn a_wrong_lane_is_seen() {
    for name in ["harmonic", "lj13-efm", "ala2-ff96-obc1"] {
        assert!(lanes(&twin(name, Fault::LastLane)).is_err(), "{name}");
    }
}

#[test]
fn a_nan_is_seen() {
    assert!(extremes(&twin("lj13-efm", Fault::NanForInfinity)).is_err());
}

#[test]
fn a_broken_symmetry_is_seen() {
    assert!(symmetries(&twin("dw4", Fault::Field)).is_err());
    let all = [Symmetry::Translation, Symmetry::Rotation, Symmetry::Parity];
    for symmetry in all {
        let mut c = case("mueller-brown");
        c.system.symmetries = vec![symmetry];
        assert!(symmetries(&c).is_err(), "{symmetry:?}");
    }
    for symmetry in [Symmetry::Parity, Symmetry::Permutation] {
        let mut c = case("ala2-ff96-vacuum");
        c.system.symmetries = vec![symmetry];
        // A mirror image of the molecule has the same ff96 energy, as improper torsions of this force field are even.
        assert_eq!(symmetries(&c).is_err(), symmetry == Symmetry::Permutation, "{symmetry:?}");
    }
}

#[test]
fn a_wrong_shape_is_seen() {
    let mut c = case("dw4");
    c.system.masses.pop();
    assert!(dof(&c).is_err());
}

#[test]
fn a_wrong_coefficient_is_seen() {
    let swapped = |name: &str| case(&if name.ends_with("efm") { name.replace("efm", "eacf") } else { name.replace("eacf", "efm") });
    assert!(analytic_error(swapped).0 > 0.1);
}

#[test]
fn a_wrong_barrier_is_seen() {
    assert!(double_well(5.001).is_err());
}

/// A folder with this reference.toml cannot be loaded.
fn refused(reference: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let system = "title = \"spring\"\nformula = \"harmonic\"\n[parameters]\nk = [1.0]\n";
    std::fs::write(folder.path().join("system.toml"), system).unwrap();
    assert!(System::load(&folder.path().display().to_string(), &[]).is_ok());
    std::fs::write(folder.path().join("reference.toml"), reference).unwrap();
    System::load(&folder.path().display().to_string(), &[]).err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn a_reference_without_error_or_source_is_refused() {
    let whole = "[[reference]]\nquantity = \"energy\"\nvalue = 0.5\nerror = 0.0\nsource = \"exact: kT/2\"\n";
    assert_eq!(refused(whole), "");
    for missing in ["error = 0.0\n", "source = \"exact: kT/2\"\n", "value = 0.5\n"] {
        let said = refused(&whole.replace(missing, ""));
        assert!(said.contains("missing field") && said.contains("reference.toml:1:1"), "{said}");
    }
    assert!(refused(&whole.replace("0.0", "-1.0")).contains("the error of `energy` is -1"));
    assert!(refused(&whole.replace("exact: kT/2", " ")).contains("no source"));
}
