//! Reduced energies, works and pulled trajectories as arrays.

use ergodica::campaign::estimate_files::{Method, Request, estimate};
use ergodica::io::alchemical::arrays::{Arrays, read_arrays};
use ergodica::io::alchemical::read;

use super::alchemical::{LAMBDAS, Place, finite, fuzz, gromacs_at, gzip, refused, unanswered};
use super::alchemical_files::{harmonics, npy, zip};
use super::fuzz::shipped;

/// What a reader promises of arrays.
fn promised(arrays: &Arrays) {
    match arrays {
        Arrays::Potentials { states, n_k, u_kn, perturbed } => {
            let samples: usize = n_k.iter().sum();
            assert!(states.len() == n_k.len() && u_kn.len() == states.len() * samples);
            assert!(perturbed.is_empty() || perturbed.len() % samples == 0);
            assert!(perturbed.iter().all(|u| !u.is_nan() && *u != f64::NEG_INFINITY));
        }
        Arrays::Work { forward, reverse } => assert!(!forward.is_empty() && forward.iter().chain(reverse).all(|w| !w.is_nan())),
        Arrays::Pulling(p) => {
            assert!(p.stiffness > 0.0 && p.centres.len() > 1 && p.centres.iter().all(|c| c.is_finite()));
            for pulled in [Some(&p.forward), p.reverse.as_ref()].into_iter().flatten() {
                assert!(pulled.z.len() == pulled.work.len() && pulled.z.len() % p.centres.len() == 0);
                assert!(pulled.z.iter().chain(&pulled.work).all(|v| v.is_finite()));
            }
        }
        Arrays::Series(all) => assert!(all.iter().all(|(_, s)| !s.is_empty() && s.iter().all(|v| !v.is_nan()))),
    }
}

/// Reads arrays from a file; what is read goes through an estimator.
fn arrays(name: &str, count: u64, file: &str, seeds: &[Vec<u8>]) {
    let place = Place::new(file);
    fuzz(name, count, seeds, |bytes| {
        let path = place.put(bytes).to_owned();
        let arrays = match read_arrays(std::slice::from_ref(&path)) {
            Ok(arrays) => arrays,
            Err(e) => return refused(&e),
        };
        promised(&arrays);
        let method = match arrays {
            Arrays::Potentials { .. } => Method::Mbar,
            Arrays::Work { .. } => Method::Work,
            Arrays::Pulling(_) => Method::Pmf,
            Arrays::Series(_) => Method::Timeseries,
        };
        match estimate(&Request::new(method, vec![path])) {
            Ok(analysis) => {
                finite(&analysis);
                true
            }
            Err(e) => unanswered(&e),
        }
    });
}

/// The samples of [`harmonics`], a few of each state.
fn few() -> (Vec<usize>, Vec<f64>) {
    let (n_k, u) = harmonics();
    let total: usize = n_k.iter().sum();
    let starts = [0, n_k[0], n_k[0] + n_k[1]];
    let kept = |k: usize| starts.iter().flat_map(|s| *s..*s + 6).map(move |n| k * total + n).collect::<Vec<_>>();
    (vec![6; 3], (0..3).flat_map(kept).map(|at| u[at]).collect())
}

pub(super) fn binary_arrays(count: u64) {
    let (n_k, u) = few();
    let n: Vec<f64> = n_k.iter().map(|n| *n as f64).collect();
    let (u_kn, n_k) = (npy("<f8", &[3, 18], &u), npy("<f8", &[3], &n));
    let works = npy("<f8", &[12], &u[..12]);
    let ramp: Vec<f64> = (0..12).map(|k| f64::from(k % 4) * 0.1).collect();
    let (z, centres, k) = (npy("<f8", &[3, 4], &ramp), npy("<f8", &[4], &ramp[..4]), npy("<f8", &[], &[50.0]));
    let pull: Vec<(&str, &[u8])> = vec![("z_f.npy", &z), ("w_f.npy", &z), ("centres.npy", &centres), ("stiffness.npy", &k)];
    let seeds = [
        zip(&[("u_kn.npy", &u_kn), ("n_k.npy", &n_k)]),
        zip(&[("u_kn.npy", &u_kn), ("n_k.npy", &n_k), ("u_ln.npy", &npy("<f8", &[1, 18], &u[18..36]))]),
        zip(&[("w_f.npy", &works), ("w_r.npy", &works)]),
        zip(&pull),
        works,
    ];
    arrays("binary_arrays", count, "w_f.npz", &seeds);
}

pub(super) fn tables(count: u64) {
    let (_, u) = few();
    let sample = |n: usize| format!("{},{},{},{}\n", n / 6, u[n], u[18 + n], u[36 + n]);
    let states = format!("state,0,1,2\n{}", (0..18).map(sample).collect::<String>());
    let works: String = (0..12).map(|k| format!("{},{}\n", u[k], u[17 - k])).collect();
    let series: String = u.iter().map(|x| format!("{x}\n")).collect();
    let seeds = [states.into_bytes(), format!("w_f,w_r\n{works}").into_bytes(), works.replace(',', " ").into_bytes(), series.into_bytes()];
    arrays("tables", count, "w_f.csv", &seeds);
}

/// Packed files and arrays that were cut are refused.
#[test]
fn cut_archives_and_arrays_are_refused() {
    let (n_k, u) = few();
    let n: Vec<f64> = n_k.iter().map(|n| *n as f64).collect();
    let whole = zip(&[("u_kn.npy", &npy("<f8", &[3, 18], &u)), ("n_k.npy", &npy("<f8", &[3], &n))]);
    let window = gromacs_at(0.5, &LAMBDAS).into_bytes();
    for file in [shipped("tests/fuzz_readers/dhdl.xvg.bz2"), gzip(&window)] {
        let place = Place::new("x");
        assert!(read(&[place.put(&file).to_owned()]).is_ok());
        for cut in 0..file.len() {
            refused(&read(&[place.put(&file[..cut]).to_owned()]).expect_err("a cut file"));
        }
    }
    for (name, file) in [("u.npz", whole), ("w_f.npy", npy("<f8", &[18], &u[..18])), ("w_f.csv", b"1\n2\n3".to_vec())] {
        let place = Place::new(name);
        for cut in 0..file.len() {
            if file[..cut].ends_with(b"\n") && name.ends_with("csv") {
                continue; // whole rows: nothing tells that more was to come
            }
            refused(&read_arrays(&[place.put(&file[..cut]).to_owned()]).expect_err("a cut file"));
        }
    }
}

/// Sizes that a header claims and the file does not have are not believed.
#[test]
fn claimed_sizes_cost_nothing() {
    let place = Place::new("w_f.npz");
    let claimed = zip(&[("w_f.npy", &npy("<f8", &[1 << 40], &[0.0]))]);
    refused(&read_arrays(&[place.put(&claimed).to_owned()]).expect_err("a shape beyond the file"));
    let mut claimed = zip(&[("w_f.npy", &npy("<f8", &[1], &[0.0]))]);
    let directory = claimed.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    claimed[directory + 10] = 8;
    claimed[directory + 24..directory + 28].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    refused(&read_arrays(&[place.put(&claimed).to_owned()]).expect_err("a size that is not true"));
}
