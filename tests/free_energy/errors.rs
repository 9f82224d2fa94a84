//! Bad input and hopeless data: typed errors that name the states.

use crate::{Normals, Oscillators, names, solve};
use ergodica::Error;
use ergodica::estimate::{
    Bootstrap, FreeEnergyError, Initial, MbarOptions, ReducedPotentials, ReducedPotentialsBuilder, bar, exp_forward, exp_reverse, mbar,
};

#[test]
fn no_overlap_names_the_groups() {
    let system = Oscillators::new(&[(1.0, 0.0), (1.0, 20.0), (1.0, 1.0), (1.0, 21.0)]);
    let u = system.potentials(&[500; 4], &mut Normals::new("groups", 0));
    for initial in [Initial::BarLadder, Initial::Zeros, Initial::Given(vec![0.0; 4])] {
        let error = mbar(&u, &MbarOptions { initial, ..MbarOptions::default() }).unwrap_err();
        let FreeEnergyError::Disconnected { groups, .. } = &error else { panic!("{error}") };
        assert_eq!(groups, &[vec!["s0".to_owned(), "s2".to_owned()], vec!["s1".to_owned(), "s3".to_owned()]]);
        let error = Error::from(error);
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("{s0, s2} and {s1, s3}") && error.to_string().contains("help: add states between"));
    }
    // The same by work: no overlap, far apart, and one side all impossible.
    for (w_f, w_r) in [(200.0, 200.0), (1e6, 1e6), (1e300, 1e300)] {
        let error = bar(&[w_f, w_f + 1.0], &[w_r, w_r + 2.0]).unwrap_err();
        assert!(matches!(error, FreeEnergyError::Disconnected { .. }), "{error}");
    }
    let error = bar(&[f64::INFINITY; 3], &[0.0, 1.0]).unwrap_err();
    assert!(matches!(error, FreeEnergyError::Disconnected { .. }), "{error}");
    assert!(matches!(exp_forward(&[f64::INFINITY]).unwrap_err(), FreeEnergyError::Disconnected { .. }));
}

#[test]
fn bad_input_is_refused_by_name() {
    let build = |n_k: &[usize], u: &[f64]| ReducedPotentials::from_rows(&["a", "b"], n_k, u).unwrap_err().to_string();
    let nan = f64::NAN;
    for (message, expected) in [
        (build(&[1, 1], &[0.0, 1.0, nan, 1.0]), "sample 0 (drawn from state a): its reduced energy in state b is NaN"),
        (build(&[1, 1], &[0.0, nan, 0.0, 1.0]), "sample 1 (drawn from state b): its reduced energy in state a is NaN"),
        (build(&[1, 1], &[0.0, 1.0, 0.0, f64::INFINITY]), "sample 1 (drawn from state b): its reduced energy in state b is inf"),
        (build(&[1, 1], &[0.0, f64::NEG_INFINITY, 0.0, 1.0]), "sample 1 (drawn from state b): its reduced energy in state a is -inf"),
        (build(&[1, 1], &[0.0; 5]), "reduced energies (states x samples): expected 4, found 5"),
        (build(&[1, 1, 1], &[0.0; 6]), "numbers of samples (one for each state): expected 2, found 3"),
        (build(&[0, 0], &[]), "the whole set of states has no samples"),
    ] {
        assert_eq!(message, expected);
    }
    let samples = |origin: &[usize], u: &[f64]| ReducedPotentials::from_samples(&["a", "b"], origin, u).unwrap_err().to_string();
    assert_eq!(samples(&[0, 2], &[0.0; 4]), "sample 1 comes from state 2 of 2");
    assert_eq!(samples(&[1, 0], &[0.0, 1.0, 0.0, nan]), "sample 1 (drawn from state a): its reduced energy in state b is NaN");
    let twice = ReducedPotentialsBuilder::new(&["a", "a"], &[1, 1]).unwrap_err();
    assert_eq!(twice.to_string(), "two states are called a");
    let mut half = ReducedPotentialsBuilder::new(&["a", "b"], &[2, 1]).unwrap();
    half.sample(&[0.0, 1.0]).unwrap();
    assert_eq!(half.clone().finish().unwrap_err().to_string(), "samples: expected 3, found 1");
    assert!(half.sample(&[0.0]).is_err());

    let u = Oscillators::new(&[(1.0, 0.0), (1.0, 1.0)]).potentials(&[50, 50], &mut Normals::new("bad", 0));
    for options in [
        MbarOptions { tolerance: 0.0, ..MbarOptions::default() },
        MbarOptions { max_iterations: 0, ..MbarOptions::default() },
        MbarOptions { initial: Initial::Given(vec![0.0]), ..MbarOptions::default() },
        MbarOptions { initial: Initial::Given(vec![0.0, nan]), ..MbarOptions::default() },
    ] {
        assert_eq!(Error::from(mbar(&u, &options).unwrap_err()).exit_code(), 2);
    }
    let three = Oscillators::new(&[(1.0, 0.0), (1.0, 1.0), (2.0, 1.5)]).potentials(&[50; 3], &mut Normals::new("bad", 1));
    let error = mbar(&three, &MbarOptions { max_iterations: 1, ..MbarOptions::default() }).unwrap_err();
    assert!(matches!(error, FreeEnergyError::NotConverged { .. }) && Error::from(error).exit_code() == 3);
    let fit = solve(&u).unwrap();
    assert!(fit.expectations(&[(0, 0)], &[&[1.0]]).is_err());
    assert!(fit.expectations(&[(2, 0)], &[&[1.0; 100]]).is_err());
    assert!(fit.expectations(&[(0, 1)], &[&[1.0; 100]]).is_err());
    assert!(fit.expectations(&[(0, 0)], &[&[nan; 100]]).is_err());
    assert!(fit.perturbed(&[&[f64::INFINITY; 100]]).is_err());
    assert!(fit.bootstrap(&Bootstrap { replicates: 1, block: 1, seed: 1 }).is_err());
    assert!(fit.bootstrap(&Bootstrap { replicates: 9, block: 0, seed: 1 }).is_err());
    for w in [&[][..], &[nan], &[f64::NEG_INFINITY, 0.0]] {
        assert!(bar(w, &[0.0]).is_err() && bar(&[0.0], w).is_err() && exp_forward(w).is_err() && exp_reverse(w).is_err());
    }
}

#[test]
fn three_ways_to_give_the_same_energies() {
    let system = Oscillators::new(&[(1.0, 0.0), (2.0, 1.0), (3.0, 0.5)]);
    let n_k = [70, 0, 60];
    let x = system.draw(&n_k, &mut Normals::new("ways", 0));
    let rows = system.rows(&x);
    let states = names(3);
    let at_once = ReducedPotentials::from_rows(&states, &n_k, &rows).unwrap();
    let mut by_sample = ReducedPotentialsBuilder::new(&states, &n_k).unwrap();
    let mut by_row = by_sample.clone();
    for i in 0..x.len() {
        by_sample.sample(&[rows[i], rows[x.len() + i], rows[2 * x.len() + i]]).unwrap();
    }
    assert!(by_sample.sample(&[0.0; 3]).is_err() && by_sample.row(0, &x).is_err());
    for (k, row) in rows.chunks(x.len()).enumerate() {
        assert!(by_row.clone().finish().is_err());
        by_row.row(k, row).unwrap();
    }
    assert!(by_row.sample(&[0.0; 3]).is_err() && by_row.row(3, &x).is_err());
    let weights = |u: &ReducedPotentials| solve(u).unwrap().log_weights(1);
    let first = weights(&at_once);
    assert!(first == weights(&by_sample.finish().unwrap()) && first == weights(&by_row.finish().unwrap()));
}
