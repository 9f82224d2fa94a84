//! Paths of potentials: ends, derivatives by lambda, lanes, and what is left of a coupling that is switched off.

mod contract;

use contract::{Noise, contract, energy, largest, one, system};
use ergodica::energy::lennard_jones::LennardJones;
use ergodica::energy::molecular::{Coupled, LambdaPath, Molecule};
use ergodica::energy::soft_lennard_jones::SoftLennardJones;
use ergodica::energy::{Batched, Energy, Interpolated, Knob, Potential};
use ergodica::io::openmm::{Bonded, Exception, ForceInfo, Method, MolecularSystem, Nonbonded};
use ergodica::real::{Octet, Real};
use std::sync::Arc;

const OBC: &str = "ala2-ff99sbildn-obc";
const VACUUM: &str = "ala2-ff99sbildn-vacuum";

#[test]
fn the_solvent_path_leads_from_vacuum_to_solvent() {
    for (solvated, vacuum) in
        [(OBC, VACUUM), ("ala2-ff96-obc1", "ala2-ff96-vacuum"), ("ace-aaa-nme-ff99sbildn-obc", "ace-aaa-nme-ff99sbildn-vacuum")]
    {
        let ((s, at_1), (v, at_0)) = (system(solvated), system(vacuum));
        let path = Coupled::new(&s, &LambdaPath::solvent()).unwrap();
        let (wet, dry) = (Batched(Molecule::new(&s).unwrap()), Batched(Molecule::new(&v).unwrap()));
        assert_eq!(at_0.x, at_1.x);
        for (i, x) in at_0.x.iter().enumerate() {
            let (u_0, f_0, _) = one(&path, x, 0.0);
            let (u_1, f_1, _) = one(&path, x, 1.0);
            assert!((u_0 - at_0.energy[i]).abs() < 1e-6 && (u_1 - at_1.energy[i]).abs() < 1e-6, "{u_0} {u_1}");
            let (v_0, g_0, _) = one(&dry, x, 1.0);
            let (v_1, g_1, _) = one(&wet, x, 1.0);
            assert_eq!(path.left_over(x), Some(0.0));
            assert!((u_0 - v_0).abs() < 1e-10 * (1.0 + v_0.abs()) && (u_1 - v_1).abs() < 1e-10 * (1.0 + v_1.abs()));
            for (f, g) in [(&f_0, &g_0), (&f_1, &g_1)] {
                let worst = f.iter().zip(g).fold(0.0, |m: f64, (f, g)| m.max((f - g).abs()));
                assert!(worst < 1e-12 * largest(g), "{worst}");
            }
        }
    }
}

/// A twin that leaves the surface term on is told from the solvent path.
#[test]
fn a_forgotten_surface_term_shows() {
    let ((s, reference), (_, vacuum)) = (system(OBC), system(VACUUM));
    let charges = Coupled::new(&s, &LambdaPath::solvent_charges(None)).unwrap();
    let mut bare = s.clone();
    bare.implicit.as_mut().unwrap().charges.iter_mut().for_each(|q| *q = 0.0);
    let (bare, plain) = (Batched(Molecule::new(&bare).unwrap()), Batched(Molecule::new(&s).unwrap()));
    let term = s.implicit.as_ref().unwrap().term;
    for (i, x) in reference.x.iter().enumerate() {
        let left = charges.left_over(x).unwrap();
        let surface = one(&bare, x, 1.0).2[term];
        assert!((left - surface).abs() < 1e-12 * surface && left > 5.0, "{left} {surface}");
        assert!((energy(&charges, x, 0.0) - vacuum.energy[i] - left).abs() < 1e-6);
        let u = energy(&plain, x, 1.0);
        assert!((energy(&charges, x, 1.0) - u).abs() < 1e-10 * (1.0 + u.abs()));
        // Quadratic in the charges: U(s) = U(0) + s^2 (U(1) - U(0)).
        let [u_0, u_half, u_1] = [0.0, 0.5, 1.0].map(|l| energy(&charges, x, l));
        assert!((u_half - u_0 - 0.25 * (u_1 - u_0)).abs() < 1e-9);
    }
}

#[test]
fn the_charges_path_scales_all_charges() {
    let (s, reference) = system(OBC);
    for atoms in [None, Some(vec![0, 1, 5, 8, 15])] {
        let path = Coupled::new(&s, &LambdaPath::charges(atoms.clone())).unwrap();
        for lambda in [0.0, 0.3, 1.0] {
            // The same by hand, in the system itself.
            let mut scaled = s.clone();
            let factor = |a: usize| if atoms.as_ref().is_none_or(|list| list.contains(&a)) { lambda } else { 1.0 };
            let n = scaled.nonbonded.as_mut().unwrap();
            for a in 0..22 {
                n.charges[a] *= factor(a);
                scaled.implicit.as_mut().unwrap().charges[a] *= factor(a);
            }
            for e in &mut n.exceptions {
                e.charge_product *= factor(e.atoms[0]) * factor(e.atoms[1]);
            }
            let by_hand = Batched(Molecule::new(&scaled).unwrap());
            for x in &reference.x {
                let ((u, f, terms), (v, g, _)) = (one(&path, x, lambda), one(&by_hand, x, 1.0));
                assert!((u - v).abs() < 1e-10 * (1.0 + largest(&terms)), "{lambda}: {u} {v}");
                let size = largest(&g);
                assert!(f.iter().zip(&g).all(|(f, g)| (f - g).abs() < 1e-10 * size), "{lambda}");
            }
        }
    }
}

/// Two molecules without a bond between them: atoms 0 to 2 and 3 to 5.
fn pair(method: Method) -> MolecularSystem {
    let charges = vec![0.4, -0.8, 0.4, -0.6, 0.5, 0.1];
    let exceptions = [[0, 1], [3, 4], [4, 5]].map(|atoms| Exception { atoms, charge_product: 0.05, sigma: 0.25, epsilon: 0.1 }).to_vec();
    let nonbonded = Nonbonded {
        term: 0,
        method,
        cutoff: 0.9,
        rf_dielectric: 78.3,
        charges,
        sigma: vec![0.3, 0.32, 0.1, 0.31, 0.34, 0.25],
        epsilon: vec![0.5, 0.6, 0.0, 0.4, 0.7, 0.3],
        exceptions,
    };
    MolecularSystem {
        masses: vec![12.0; 6],
        box_vectors: [[0.0; 3]; 3],
        forces: vec![ForceInfo { class: "NonbondedForce".to_owned(), name: String::new(), group: 0 }],
        bonds: Vec::new(),
        angles: Vec::new(),
        torsions: Vec::<Bonded<_>>::new(),
        nonbonded: Some(nonbonded),
        implicit: None,
        cm_motion_remover: None,
        warnings: Vec::new(),
    }
}

/// Charges go first, then the cores.
fn decoupling(atoms: &[usize]) -> LambdaPath {
    let knobs = [("charges", vec![[0.4, 0.0], [1.0, 1.0]]), ("lj", vec![[0.0, 0.0], [0.4, 1.0]])];
    LambdaPath::of_knobs(Some(atoms.to_vec()), knobs).unwrap()
}

fn apart() -> Vec<f64> {
    vec![0.0, 0.0, 0.0, 0.15, 0.02, 0.0, -0.04, 0.14, 0.01, 0.42, 0.0, 0.05, 0.5, 0.13, 0.0, 0.52, 0.11, 0.16]
}

#[test]
fn decoupled_atoms_do_not_feel_the_others() {
    for method in [Method::NoCutoff, Method::CutoffNonPeriodic] {
        let s = pair(method);
        let path = Coupled::new(&s, &decoupling(&[0, 1, 2])).unwrap();
        let near = apart();
        // Onto and through each other.
        for shift in [[-0.42, 0.0, -0.05], [-0.3, 0.01, 0.0], [5.0, 0.0, 0.0]] {
            let mut x = near.clone();
            for atom in 3..6 {
                for k in 0..3 {
                    x[3 * atom + k] += shift[k];
                }
            }
            let ((u, f, _), (v, g, _)) = (one(&path, &x, 0.0), one(&path, &near, 0.0));
            assert!((u - v).abs() < 1e-10 * (1.0 + v.abs()), "{u} {v}");
            assert!(f.iter().zip(&g).all(|(f, g)| (f - g).abs() < 1e-9 * largest(&[*g, 1.0])), "{f:?} {g:?}");
            // The twin, not quite decoupled, shows.
            assert!((energy(&path, &x, 0.1) - energy(&path, &near, 0.1)).abs() > 1e-3);
        }
        let plain = Batched(Molecule::new(&s).unwrap());
        let ((u, f, _), (v, g, _)) = (one(&path, &near, 1.0), one(&plain, &near, 1.0));
        let size = largest(&g);
        assert!((u - v).abs() < 1e-13 * (1.0 + v.abs()), "{u} {v}");
        assert!(f.iter().zip(&g).all(|(f, g)| (f - g).abs() < 1e-13 * size));
        // Within the chosen molecule nothing of Lennard-Jones is lost: what goes with lambda from 0 to 0.4 is between the two.
        let far: Vec<f64> = near.iter().enumerate().map(|(k, v)| if k >= 9 { v + 50.0 } else { *v }).collect();
        assert!((energy(&path, &far, 0.4) - energy(&path, &far, 0.0)).abs() < 1e-9);
    }
}

#[test]
fn soft_cores_are_finite_at_no_distance() {
    let s = pair(Method::NoCutoff);
    let path = Coupled::new(&s, &decoupling(&[0])).unwrap();
    for lambda in [0.0, 0.1, 0.2, 0.39] {
        let mut last = f64::NAN;
        for r in [1e-1, 1e-2, 1e-3, 1e-6, 1e-12, 1e-30, 0.0] {
            let mut x = apart();
            for k in 0..3 {
                x[9 + k] = x[k] + if k == 0 { r } else { 0.0 };
            }
            let (u, f, _) = one(&path, &x, lambda);
            assert!(u.is_finite() && f.iter().all(|f| f.is_finite()), "{lambda} {r}: {u} {f:?}");
            last = u;
        }
        // s eps 4 [1/(alpha (1 - s))^2 - 1/(alpha (1 - s))] of atoms 0 and 3, and the others as they are.
        let s_lj = lambda / 0.4;
        let d = 0.5 * (1.0 - s_lj);
        let at_0 = 4.0 * (0.5_f64 * 0.4).sqrt() * s_lj * (1.0 / (d * d) - 1.0 / d);
        let mut x = apart();
        x[9..12].copy_from_slice(&[0.0, 0.0, 0.0]);
        let mut without = s.clone();
        without.nonbonded.as_mut().unwrap().exceptions.push(Exception { atoms: [0, 3], charge_product: 0.0, sigma: 0.3, epsilon: 0.0 });
        let rest = energy(&Coupled::new(&without, &decoupling(&[0])).unwrap(), &x, lambda);
        assert!((last - rest - at_0).abs() < 1e-9 * (1.0 + at_0.abs() + rest.abs()), "{last} {rest} {at_0}");
    }
}

#[test]
fn every_path_keeps_the_contract() {
    let (s, reference) = system(OBC);
    let (v, _) = system(VACUUM);
    let of = |s: &MolecularSystem, path: LambdaPath| Coupled::new(s, &path).unwrap();
    let knob = |points: &[[f64; 2]]| points.to_vec();
    contract("solvent", &of(&s, LambdaPath::solvent()), &reference.x, 2e-3);
    let kinked = LambdaPath::of_knobs(None, [("solvent", knob(&[[0.2, 0.0], [0.625, 0.3], [1.0, 1.0]]))]).unwrap();
    contract("solvent by points", &of(&s, kinked), &reference.x, 2e-3);
    contract("charges", &of(&s, LambdaPath::charges(None)), &reference.x, 2e-3);
    contract("charges of some", &of(&s, LambdaPath::charges(Some(vec![5, 15, 16]))), &reference.x, 2e-3);
    contract("solvent charges", &of(&s, LambdaPath::solvent_charges(None)), &reference.x, 2e-3);
    let several = [
        ("charges", knob(&[[0.375, 0.0], [1.0, 1.0]])),
        ("lj", knob(&[[0.0, 0.0], [0.375, 1.0]])),
        ("solvent", knob(&[[0.625, 0.0], [1.0, 1.0]])),
    ];
    let several = LambdaPath::of_knobs(Some(vec![0, 1, 2, 3]), several).unwrap();
    contract("several", &of(&s, several), &reference.x, 2e-3);
    contract("soft core", &of(&v, decoupling(&[16, 17, 18, 19, 20, 21])), &reference.x, 2e-3);
    contract("soft core of two molecules", &of(&pair(Method::NoCutoff), decoupling(&[0, 1, 2])), &[apart()], 3e-2);
    contract("soft core with a cutoff", &of(&pair(Method::CutoffNonPeriodic), decoupling(&[0, 1, 2])), &[apart()], 3e-2);
    let cut = system("ala2-ff14sb-obc1");
    contract("solvent with a cutoff", &of(&cut.0, LambdaPath::solvent()), &cut.1.x, 2e-3);
    contract("charges with a cutoff", &of(&cut.0, LambdaPath::charges(Some(vec![5, 15, 16]))), &cut.1.x, 2e-3);
}

/// Springs about a centre, with an energy that is infinite on one side.
struct Wall(f64, f64);

impl Energy for Wall {
    fn dof(&self) -> usize {
        3
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for i in 0..3 {
            let d = x[i] - T::of(self.0);
            f[i] = -d;
            u = (T::of(0.5) * d).mul_add(d, u);
        }
        T::select(T::of(self.1).lt(x[0]), T::of(f64::INFINITY), u)
    }
}

#[test]
fn interpolation() {
    let (from, to) = (Arc::new(Batched(Wall(0.0, 9.0))), Arc::new(Batched(Wall(1.0, 2.0))));
    let starts = [vec![0.3, -0.2, 0.7], vec![1.5, 1.0, 0.9], vec![0.0, 0.0, 0.0]];
    let path = Interpolated::new(from.clone(), to.clone()).unwrap();
    contract("linear", &path, &starts, 0.3);
    contract(
        "by a knob",
        &Interpolated::with_knob(from.clone(), to, Knob::new(vec![[0.25, 0.1], [0.75, 1.0]]).unwrap()).unwrap(),
        &starts,
        0.3,
    );
    assert_eq!(path.terms(), ["base", "energy"]);
    // At 0 an infinite energy does not count, in a block of any lambdas; on the way it does.
    let x = vec![Octet::of(3.0), Octet::of(0.5), Octet::of(0.0)];
    let lambda = Octet([0.0, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let mut f = x.clone();
    let u = path.eval_block(&x, lambda, &mut f, None);
    assert_eq!((u.0[0], u.0[1], u.0[2], f[0].0[0]), (4.625, f64::INFINITY, f64::INFINITY, -3.0));
    assert_eq!(path.derivative(&[3.0, 0.5, 0.0], 0.0, &[0.0; 3], 1.0).1, f64::INFINITY);
    // The same path as that of the solvent.
    let ((s, reference), (v, _)) = (system(OBC), system(VACUUM));
    let ends = [&v, &s].map(|s| Arc::new(Batched(Molecule::new(s).unwrap())) as Arc<dyn Potential>);
    let [dry, wet] = ends;
    let between = Interpolated::new(dry, wet).unwrap();
    let solvent = Coupled::new(&s, &LambdaPath::solvent()).unwrap();
    for x in &reference.x {
        for lambda in [0.0, 0.3, 1.0] {
            let (u, v) = (energy(&between, x, lambda), energy(&solvent, x, lambda));
            assert!((u - v).abs() < 1e-10 * (1.0 + u.abs()), "{lambda}: {u} {v}");
        }
    }
    let of_another_size = Interpolated::new(from, Arc::new(Batched(Molecule::new(&v).unwrap())));
    assert!(of_another_size.is_err_and(|e| e.to_string().contains("degrees of freedom of the path's base")));
}

#[test]
fn a_cluster_condenses_softly() {
    let lj = LennardJones { particles: 7, pair_coefficient: 2.0, oscillator: 0.5 };
    let (soft, hard) = (Batched(SoftLennardJones(lj.clone())), Batched(lj));
    let mut noise = Noise(3);
    let mut start = |width: f64| -> Vec<f64> {
        (0..21).map(|k| 0.9 * f64::from(u8::from(k % 7 == k / 7)) * (1 + k / 7) as f64 + width * noise.next()).collect()
    };
    let starts: Vec<Vec<f64>> = (0..4).map(|_| start(0.8)).collect();
    contract("soft cluster", &soft, &starts, 0.01);
    for x in &starts {
        let ((u, f, _), (v, g, _)) = (one(&soft, x, 1.0), one(&hard, x, 1.0));
        assert!((u - v).abs() < 1e-12 * (1.0 + v.abs()) && f.iter().zip(&g).all(|(f, g)| (f - g).abs() < 1e-12 * (1.0 + largest(&[*g]))));
        let (u, f, terms) = one(&soft, x, 0.0);
        assert!(terms[0] == 0.0 && u == terms[1] && largest(&f) < 5.0);
    }
    // All in one place: lambda c n (n - 1)/2 (1/s^2 - 2/s), s = (1 - lambda)/4.
    let (u, f, _) = one(&soft, &[0.3; 21], 0.5);
    assert!((u - 0.5 * 2.0 * 21.0 * (64.0 - 16.0)).abs() < 1e-9 && largest(&f) < 1e-9, "{u} {f:?}");
}

#[test]
fn unfit_paths_are_refused() {
    let ((s, _), (v, _)) = (system(OBC), system(VACUUM));
    let say = |s: &MolecularSystem, path: &LambdaPath| Coupled::new(s, path).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(say(&v, &LambdaPath::solvent()).contains("the system has none"));
    assert!(say(&s, &LambdaPath::default()).contains("drives nothing"));
    assert!(say(&s, &LambdaPath::charges(Some(vec![3, 22]))).contains("names atom 22 of a system of 22"));
    assert!(say(&s, &LambdaPath::charges(Some(vec![]))).contains("for no atom"));
    assert!(say(&v, &LambdaPath::soft_core((0..22).collect())).contains("there are none between"));
    // Cores cannot go while charges attract.
    let e = say(&v, &LambdaPath::soft_core(vec![0, 1, 2]));
    assert!(e.contains("near lambda = 0 the chosen atoms attract") && e.contains("switch the charges off first"), "{e}");
    let late = [("charges", vec![[0.3, 0.0], [1.0, 1.0]]), ("lj", vec![[0.0, 0.0], [0.4, 1.0]])];
    assert!(say(&v, &LambdaPath::of_knobs(Some(vec![0, 1]), late).unwrap()).contains("near lambda = 0.4"));
    assert!(say(&s, &decoupling(&[0, 1])).contains("the implicit solvent still couples"));
    let mut neutral = pair(Method::NoCutoff);
    neutral.nonbonded.as_mut().unwrap().charges.iter_mut().for_each(|q| *q = 0.0);
    assert_eq!(say(&neutral, &LambdaPath::soft_core(vec![0, 1])), "");
    assert!(say(&neutral, &LambdaPath::charges(Some(vec![0, 1]))).contains("the chosen atoms have none"));
    let knob = |name| LambdaPath::of_knobs(None, [(name, vec![[0.0, 0.0]])]).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(knob("coulomb").contains("`coulomb` is not a knob of a molecule"));
}
