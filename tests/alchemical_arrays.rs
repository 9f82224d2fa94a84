//! What `estimate` tells of arrays beside free energies: a second error, energy and entropy, perturbed states, convergence.

#[allow(dead_code, reason = "files of programs have tests of their own")]
mod alchemical_files;

use alchemical_files::{harmonics, npy, zip};
use ergodica::campaign::estimate_files::{Analysis, Answer, Bootstrap, Method, Request, Unit, estimate, write};
use ergodica::estimate::{MbarOptions, ReducedPotentials, mbar};
use std::path::PathBuf;

/// A named array: shape and numbers.
type Named<'a> = (&'a str, Vec<usize>, &'a [f64]);

/// An archive in a folder that is removed with it.
fn archive(arrays: &[Named<'_>]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let bodies: Vec<(String, Vec<u8>)> = arrays.iter().map(|(n, shape, v)| (format!("{n}.npy"), npy("<f8", shape, v))).collect();
    let members: Vec<(&str, &[u8])> = bodies.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    let path = dir.path().join("x.npz");
    std::fs::write(&path, zip(&members)).unwrap();
    (dir, path)
}

fn floats(n: &[usize]) -> Vec<f64> {
    n.iter().map(|n| *n as f64).collect()
}

/// The harmonics with u_ln of some stiffnesses; x^2/2 of every sample is u_0.
fn harmonic(perturbed: &[f64]) -> (tempfile::TempDir, PathBuf) {
    let (n_k, u) = harmonics();
    let samples: usize = n_k.iter().sum();
    let u_ln: Vec<f64> = perturbed.iter().flat_map(|k| u[..samples].iter().map(move |h| k * h)).collect();
    let n = floats(&n_k);
    let mut all = vec![("u_kn", vec![n_k.len(), samples], &u[..]), ("n_k", vec![n_k.len()], &n[..])];
    if !perturbed.is_empty() {
        all.push(("u_ln", vec![perturbed.len(), samples], &u_ln[..]));
    }
    archive(&all)
}

fn mbar_of(analysis: &Analysis) -> &Answer {
    analysis.legs[0].answers.iter().find(|a| a.key == "mbar").unwrap()
}

fn refusal(request: &Request) -> String {
    let error = estimate(request).expect_err("this must be refused");
    assert_eq!(error.exit_code(), 2, "{error}");
    error.to_string()
}

#[test]
fn perturbed_states_beside_the_sampled_ones() {
    let (n_k, u) = harmonics();
    let samples: usize = n_k.iter().sum();
    let (_dir, path) = harmonic(&[1.25, 3.0, 1e7]);
    let all = estimate(&Request::new(Method::Mbar, vec![path])).unwrap();
    let answer = mbar_of(&all);
    // The estimator's own way to perturbed states.
    let set = ReducedPotentials::from_rows(&["0", "1", "2"], &n_k, &u).unwrap();
    let fit = mbar(&set, &MbarOptions::default()).unwrap();
    let rows: Vec<Vec<f64>> = [1.25, 3.0].iter().map(|k| u[..samples].iter().map(|h| k * h).collect()).collect();
    let direct = fit.perturbed(&[&rows[0], &rows[1]]).unwrap();
    for (l, stiffness) in [1.25_f64, 3.0].into_iter().enumerate() {
        let (value, stderr) = answer.delta(0, answer.point(3 + l).unwrap());
        let other = direct.from_state(0, l);
        assert!((value - other.value).abs() < 1e-11 && (stderr - other.stderr).abs() < 1e-9, "{value} {stderr} {other:?}");
        let exact = 0.5 * ergodica::real::Real::ln(stiffness);
        assert!((value - exact).abs() < 4.0 * stderr && stderr < 0.05, "{value} {stderr} {exact}");
    }
    // The ends of the path stay what they were, and the state that nothing reaches has a reason instead of a number.
    assert_eq!(answer.points[answer.ends.1].name, "2");
    assert!(answer.point(5).is_none() && answer.left[0].name == "perturbed 2");
    let text = all.to_string();
    assert!(text.contains("initial -> perturbed 1") && text.contains("perturbed 2 ("), "{text}");
    let lost = all.estimates().into_iter().find(|e| e.quantity == "delta_f[0,5]").unwrap();
    assert!(lost.value.is_nan() && lost.warnings[0].message.contains("fewer than 50 effective samples"), "{lost:?}");
    // Their samples must be those of u_kn.
    let n = floats(&n_k);
    let given = |shape: Vec<usize>, values: &[f64]| {
        let u = ("u_kn", vec![3, samples], &u[..]);
        let (dir, path) = archive(&[u, ("n_k", vec![3], &n[..]), ("u_ln", shape, values)]);
        let said = refusal(&Request::new(Method::Mbar, vec![path]));
        drop(dir);
        said
    };
    let short = given(vec![2, samples - 1], &vec![0.0; 2 * samples - 2]);
    assert!(short.contains("u_ln has the shape [2, 1199], but u_kn has 1200 samples") && short.contains("(L, N)"), "{short}");
    assert!(given(vec![samples, 2], &vec![0.0; 2 * samples]).contains("transpose u_ln"));
    let mut damaged = vec![0.0; 2 * samples];
    damaged[samples + 7] = f64::NAN;
    assert!(given(vec![2, samples], &damaged).contains("sample 7 in perturbed state 1 is NaN"));
    assert!(given(vec![1, samples], &vec![f64::INFINITY; samples]).contains("perturbed state 0 is possible for no sample"));
    let (_dir, path) = harmonic(&[1.25]);
    assert!(refusal(&Request::new(Method::Bar, vec![path])).contains("`bar`, which has no answer for them"));
}

#[test]
fn energy_and_entropy_of_harmonics() {
    // u = K x^2 / 2: the energy is 1/2 in every state, so that s_j - s_i = -(f_j - f_i) = -ln(K_j / K_i) / 2.
    let (_dir, path) = harmonic(&[1.25]);
    let all = estimate(&Request { entropy: true, ..Request::new(Method::Mbar, vec![path]) }).unwrap();
    let answer = mbar_of(&all);
    let both = answer.decomposition.as_ref().unwrap();
    for (i, j) in [(0, 1), (1, 2), (0, 2), (0, 3)] {
        let ((u, u_error), (s, s_error), (f, _)) = (both.u.difference(i, j), both.s.difference(i, j), answer.delta(i, j));
        assert!((f - (u - s)).abs() < 1e-12, "{f} {u} {s}");
        let stiffness: [f64; 4] = [1.0, 1.5, 2.0, 1.25];
        let exact = -0.5 * ergodica::real::Real::ln(stiffness[j] / stiffness[i]);
        assert!(u.abs() < 4.0 * u_error && u_error < 0.1, "{i} {j}: {u} {u_error}");
        assert!((s - exact).abs() < 4.0 * s_error && s_error < 0.1, "{i} {j}: {s} {s_error} {exact}");
    }
    let names: Vec<String> = all.estimates().into_iter().map(|e| e.quantity).collect();
    for name in ["delta_u", "delta_s", "delta_u[0,1]", "delta_s[1,2]", "delta_s[0,3]"] {
        assert!(names.iter().any(|n| n == name), "{name}: {names:?}");
    }
    assert!(all.to_string().contains("MBAR, energy and entropy [kT]"));
}

#[test]
fn samples_drawn_again() {
    let (_dir, path) = harmonic(&[]);
    let request = |path: &PathBuf, replicates, seed| Request {
        bootstrap: Some(Bootstrap { replicates, seed }),
        ..Request::new(Method::Mbar, vec![path.clone()])
    };
    let one = estimate(&request(&path, 400, 7)).unwrap();
    let answer = mbar_of(&one);
    let (error, [low, high]) = answer.redrawn.as_ref().unwrap().error(0, 2);
    let (value, theory) = answer.total();
    // A standard deviation from 400 scatters by 4 %, and one from blocks of a few samples by little more.
    assert!((error / theory - 1.0).abs() < 0.2, "{error} {theory}");
    assert!(low < value && value < high && ((high - low) / (3.92 * error) - 1.0).abs() < 0.2, "{low} {value} {high}");
    assert_eq!(one.json(), estimate(&request(&path, 400, 7)).unwrap().json());
    assert_ne!(one.json(), estimate(&request(&path, 400, 8)).unwrap().json());
    assert!(one.json().contains("\"stage\": \"mbar bootstrap\"") && one.json().contains("\"interval_95\""));
    assert!(answer.warnings.is_empty(), "{:?}", answer.warnings);
    // The same samples nine times in turn are worth no more: theory is too small by 3, and the blocks see it.
    let (n_k, u) = harmonics();
    let nine: Vec<f64> = u.iter().flat_map(|v| [*v; 9]).collect();
    let n: Vec<f64> = n_k.iter().map(|n| 9.0 * *n as f64).collect();
    let (_nine, path) = archive(&[("u_kn", vec![3, nine.len() / 3], &nine), ("n_k", vec![3], &n)]);
    let again = estimate(&request(&path, 400, 7)).unwrap();
    let answer = mbar_of(&again);
    let ratio = answer.redrawn.as_ref().unwrap().error(0, 2).0 / answer.total().1;
    assert!((2.4..3.4).contains(&ratio), "{ratio}");
    assert!(answer.warnings.iter().any(|w| w.message.contains("times the error of theory, with blocks of ")), "{:?}", answer.warnings);
    // What cannot be done is refused.
    assert!(refusal(&request(&path, 5, 0)).contains("5 resamples of a bootstrap are too few"));
    let bar = Request { method: Method::Bar, ..request(&path, 200, 0) };
    assert!(refusal(&bar).contains("`bar` has no bootstrap"));
    let entropy = Request { entropy: true, ..Request::new(Method::Exp, vec![path]) };
    assert!(refusal(&entropy).contains("`exp` has no entropy"));
}

#[test]
fn convergence_and_what_is_written() {
    let (_dir, path) = harmonic(&[1.25]);
    let request = Request {
        convergence: true,
        entropy: true,
        bootstrap: Some(Bootstrap { replicates: 50, seed: 0 }),
        ..Request::new(Method::All, vec![path])
    };
    let all = estimate(&request).unwrap();
    let leg = &all.legs[0];
    assert_eq!(leg.convergence.iter().map(|c| c.key.as_str()).collect::<Vec<_>>(), ["bar", "mbar"]);
    for found in &leg.convergence {
        let (parts, whole) = (&found.stability.parts, leg.answers.iter().find(|a| a.key == found.key).unwrap().total());
        assert_eq!(parts.len(), 10);
        for last in [parts[9].forward, parts[9].reverse] {
            assert!((last.0 - whole.0).abs() < 1e-10 && (last.1 - whole.1).abs() < 1e-10, "{last:?} {whole:?}");
        }
        // Independent samples: a tenth of them has an error sqrt(10) times as large, and the halves agree.
        assert!((parts[0].forward.1 / whole.1 / 10_f64.sqrt() - 1.0).abs() < 0.3, "{parts:?}");
        assert!(found.stability.halves_z.abs() < 4.0);
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    write(&all, &out).unwrap();
    for (name, head) in [
        ("mbar-convergence.csv", "fraction,forward,forward_stderr,reverse,reverse_stderr\n0.1,"),
        ("bar-convergence.csv", "fraction,"),
        ("mbar-bootstrap.csv", "from,to,f,stderr,bootstrap_stderr,low_95,high_95\n0,1,"),
        ("mbar-entropy.csv", "from,to,f,f_stderr,u,u_stderr,s,s_stderr\n0,1,"),
        #[cfg(feature = "report")]
        ("figure-mbar-convergence.svg", "<svg"),
    ] {
        let text = std::fs::read_to_string(out.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(text.starts_with(head) || text.contains("<svg"), "{name}: {text}");
    }
    // Too few samples for ten parts: a warning, and everything else.
    let (n_k, u) = harmonics();
    let samples: usize = n_k.iter().sum();
    let few: Vec<f64> = (0..3).flat_map(|k| [0, 400, 700].map(|s| k * samples + s)).flat_map(|at| u[at..at + 8].to_vec()).collect();
    let (_few, path) = archive(&[("u_kn", vec![3, 24], &few), ("n_k", vec![3], &[8.0; 3])]);
    let small = estimate(&Request { convergence: true, ..Request::new(Method::Mbar, vec![path]) }).unwrap();
    assert!(small.legs[0].convergence.is_empty() && small.warnings.iter().any(|w| w.contains("no convergence of MBAR")), "{small}");
}

/// Stiffness of the trap that pulls, and the number of times; its centre moves by 0.1 a time.
const TRAP: f64 = 6.0;
const TIMES: usize = 16;

/// A particle in u = z^2 / 2 that a trap pulls: coordinate and work, `[trajectory][time]`, forth or back.
fn pull(seed: u64, trajectories: usize, back: bool) -> (Vec<f64>, Vec<f64>) {
    let mut normals = alchemical_files::normals(seed, trajectories * TIMES).into_iter();
    let mut normal = || normals.next().unwrap();
    let (a, total) = (0.7, 1.0 + TRAP);
    let centre = |t: usize| 0.1 * t as f64;
    let v = |x: f64, t: usize| 0.5 * TRAP * (x - centre(t)) * (x - centre(t));
    let (mut z, mut work) = (Vec::new(), Vec::new());
    for _ in 0..trajectories {
        let start = if back { TIMES - 1 } else { 0 };
        let (mut x, mut w) = (TRAP * centre(start) / total + normal() / total.sqrt(), 0.0);
        z.push(x);
        work.push(w);
        for i in 1..TIMES {
            let relax = |x: f64, t: usize, noise: f64| {
                let mean = TRAP * centre(t) / total;
                mean + a * (x - mean) + ((1.0 - a * a) / total).sqrt() * noise
            };
            // backwards the relaxation comes first: the exact reverse of the forward step
            if back {
                x = relax(x, TIMES - i, normal());
                w += v(x, TIMES - 1 - i) - v(x, TIMES - i);
            } else {
                w += v(x, i) - v(x, i - 1);
                x = relax(x, i, normal());
            }
            z.push(x);
            work.push(w);
        }
    }
    (z, work)
}

/// Both directions; `told`: where the trap is said to have been, instead of where it was.
fn pulled(told: impl Fn(usize) -> f64) -> (tempfile::TempDir, PathBuf) {
    let ((z_f, w_f), (z_r, w_r)) = (pull(5, 1500, false), pull(6, 1500, true));
    let centres: Vec<f64> = (0..TIMES).map(told).collect();
    let shape = vec![1500, TIMES];
    archive(&[
        ("z_f", shape.clone(), &z_f),
        ("w_f", shape.clone(), &w_f),
        ("z_r", shape.clone(), &z_r),
        ("w_r", shape, &w_r),
        ("centres", vec![TIMES], &centres),
        ("stiffness", vec![], &[TRAP]),
    ])
}

#[test]
fn a_profile_by_pulling() {
    let (_dir, path) = pulled(|t| 0.1 * t as f64);
    let request = |path: PathBuf| Request { bins: Some(36), range: Some((-0.4, 1.4)), ..Request::new(Method::Pmf, vec![path]) };
    let all = estimate(&request(path.clone())).unwrap();
    let leg = &all.legs[0];
    // exp(-z^2 / 2) over a bin, relative to that of the bin that was chosen: bins of 0.05 are even to 1e-4
    let worst = |analysis: &Analysis| {
        let profile = analysis.legs[0].profile.as_ref().unwrap();
        let z = |b: usize| {
            let ((value, stderr), (here, there)) = (profile.f[b], (profile.z[b], profile.z[profile.zero]));
            (value - 0.5 * (here * here - there * there)) / stderr
        };
        (0..36).filter(|b| *b != profile.zero).map(|b| z(b).abs()).fold(0.0, f64::max)
    };
    assert!(worst(&all) < 4.0, "{}\n{all}", worst(&all));
    // The twin: a bias that is not where the trap was.
    let (_twin, other) = pulled(|t| 0.1 * t as f64 + 0.2);
    let off = worst(&estimate(&request(other)).unwrap());
    assert!(off > 8.0, "{off}");
    // F(trap at l) = K / (1 + K) l^2 / 2: both directions together, each alone, and where the Gaussians cross.
    let exact = 0.5 * TRAP / (1.0 + TRAP) * 1.5 * 1.5;
    for answer in &leg.answers {
        let (value, stderr) = answer.total();
        assert!((value - exact).abs() < 4.0 * stderr && stderr < 0.2, "{}: {value} {stderr}, exact {exact}", answer.key);
    }
    assert_eq!(leg.answers[0].points[1].name, "bias at 1.5");
    let bins: Vec<_> = all.estimates().into_iter().filter(|e| e.quantity.starts_with("pmf[")).collect();
    assert!(bins.len() == 36 && (bins[8].coords[0].1 - 0.025).abs() < 1e-12, "{:?}", bins[8]);
    // In another unit everything is scaled.
    let kcal = estimate(&Request { unit: Unit::KilocaloriePerMole, temperature: Some(300.0), ..request(path.clone()) }).unwrap();
    let (a, b) = (leg.profile.as_ref().unwrap(), kcal.legs[0].profile.as_ref().unwrap());
    let factor = 8.314_462_618_153_24e-3 * 300.0 / 4.184;
    assert!((b.f[30].0 - factor * a.f[30].0).abs() < 1e-12 && (b.f[30].1 - factor * a.f[30].1).abs() < 1e-12);
    let dir = tempfile::tempdir().unwrap();
    write(&all, &dir.path().join("out")).unwrap();
    let text = std::fs::read_to_string(dir.path().join("out/pmf.csv")).unwrap();
    assert!(text.starts_with("z,free_energy,stderr\n-0.375,") && text.lines().count() == 37, "{text}");
    // Wide bins are warned of, other methods refused, and bins of other methods too.
    let wide = estimate(&Request { bins: Some(4), range: None, ..request(path.clone()) }).unwrap();
    assert!(wide.warnings.iter().any(|w| w.contains("wide against the bias") && w.contains("--bins")), "{:?}", wide.warnings);
    assert!(refusal(&Request::new(Method::Mbar, vec![path.clone()])).contains("pulled trajectories, which allow pmf"));
    assert!(refusal(&Request { method: Method::Work, ..request(path) }).contains("`work` has no bins"));
}

#[test]
fn pulls_that_do_not_fit() {
    let (z, w, c) = ([0.0, 0.1, 0.2, 0.3, 0.1, 0.2], [0.0, 1.0, 2.0, 0.0, 1.0, 2.0], [0.0, 0.1, 0.2]);
    let says = |arrays: &[Named<'_>]| {
        let (dir, path) = archive(arrays);
        let said = refusal(&Request::new(Method::Pmf, vec![path]));
        drop(dir);
        said
    };
    let (z_f, w_f) = (("z_f", vec![2, 3], &z[..]), ("w_f", vec![2, 3], &w[..]));
    let (centres, stiffness) = (("centres", vec![3], &c[..]), ("stiffness", vec![], &[2.0][..]));
    let with = |w: Named<'_>| says(&[z_f.clone(), w, centres.clone(), stiffness.clone()]);
    assert!(with(("w_f", vec![2, 2], &w[..4])).contains("w_f has the shape [2, 2], and z_f has [2, 3]"));
    assert!(with(("w_f", vec![3, 2], &w)).contains("transpose one of them"));
    assert!(with(("w_f", vec![2, 3], &[0.0, 1.0, f64::NAN, 0.0, 1.0, 2.0])).contains("w_f of trajectory 0 at time 2 is NaN"));
    assert!(with(("w_f", vec![2, 3], &[0.0, 1.0, 2.0, 0.5, 1.0, 2.0])).contains("w_f of trajectory 1 is 0.5 at the first time"));
    assert!(says(&[z_f.clone(), centres.clone(), stiffness.clone()]).contains("without w_f"));
    assert!(says(&[z_f.clone(), w_f.clone(), stiffness.clone()]).contains("without centres"));
    assert!(says(&[z_f.clone(), w_f.clone(), centres.clone()]).contains("without stiffness"));
    assert!(says(&[z_f.clone(), w_f.clone(), ("centres", vec![2], &c[..2]), stiffness.clone()]).contains("z_f has 3 times"));
    assert!(says(&[z_f.clone(), w_f.clone(), centres.clone(), ("stiffness", vec![], &[-1.0])]).contains("stiffness holds [-1.0]"));
    let z_r = ("z_r", vec![3, 2], &z[..]);
    assert!(says(&[z_f.clone(), w_f.clone(), z_r.clone(), centres.clone(), stiffness.clone()]).contains("z_r without w_r"));
    let w_r = ("w_r", vec![3, 2], &w[..]);
    assert!(says(&[z_f.clone(), w_f.clone(), z_r, w_r, centres, stiffness]).contains("z_r has the shape [3, 2], and z_f has 3 times"));
    assert!(says(&[("z_f", vec![6], &z[..]), w_f]).contains("without centres"));
}
