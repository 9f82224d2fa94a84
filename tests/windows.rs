//! Umbrella windows over a spring, coupled and not, against a closed form: as a campaign reports them.

#[allow(dead_code)]
mod program;

use ergodica::campaign::compare::summary;
use program::{campaign, ergodica, str};

const BETA: f64 = 1.5;
const WINDOWS: usize = 8;
/// Of the window and of the system along x.
const STIFFNESS: f64 = 6.0;
const SPRING: f64 = 1.0;

/// f_k - f_0 of the first windows, from 32 copies: (value, error).
fn windows(mixing: &str) -> Vec<(f64, f64)> {
    let text = format!(
        "[campaign]\nname = \"windows\"\nseed = 6\n[system]\nformula = \"{SPRING}/2*x^2 + y^2\"\nvariables = [\"x\", \"y\"]\nstart = [0, 0]\n\
         [path]\nkind = \"umbrella\"\nof = \"coordinate:x\"\ncentres = {{ from = -2, to = 1 }}\nstiffness = {STIFFNESS}\n\
         [[stage]]\nname = \"windows\"\nexchange = {{ propagator = \"hmc\", timestep = 0.3, leapfrog_steps = 4, temperature = {}, replicas = 32, \
         steps = 1100, lambdas = {{ from = 0, to = 1, count = {WINDOWS} }}, swap_every = 5, mixing = \"{mixing}\", discard = 100 }}\n\
         observe = {{ every = 10, columns = [] }}\n\
         [[stage]]\nname = \"mbar\"\nestimate = {{ method = \"mbar\", from = \"windows\" }}\n",
        1.0 / BETA
    );
    let (dir, file) = campaign(&text);
    let out = dir.path().join("run");
    ergodica(&["run", str(&file), "--out", str(&out), "--no-report", "-q"]).finished();
    let found = summary(&out).unwrap();
    let of = |k: usize| found.estimates.iter().find(|e| e.quantity == format!("f[{k}]")).expect("a free energy of every window");
    (1..WINDOWS).map(of).map(|e| (e.value, e.stderr)).collect()
}

/// z of every f_k - f_0 against beta K k (c_k^2 - c_0^2) / (2 (K + k)) for windows of stiffness k over a spring K.
fn z_of(found: &[(f64, f64)], softened: f64) -> Vec<f64> {
    let centre = |k: usize| -2.0 + 3.0 * k as f64 / (WINDOWS - 1) as f64;
    let f = |k: usize| 0.5 * BETA * softened * centre(k) * centre(k);
    found.iter().enumerate().map(|(i, (value, stderr))| (value - f(i + 1) + f(0)) / stderr).collect()
}

/// Smallest visible bias: 4 errors, which are 0.02 kT next door and below 0.1 kT at the far end. The twin's closed form forgets beta.
#[test]
fn windows_have_their_free_energies() {
    for mixing in ["none", "neighbour", "gibbs"] {
        let found = windows(mixing);
        let (right, twin) =
            (z_of(&found, SPRING * STIFFNESS / (SPRING + STIFFNESS)), z_of(&found, SPRING * STIFFNESS / (SPRING + STIFFNESS) / BETA));
        println!("{mixing}: {right:.2?}, twin {twin:.2?}");
        assert!(found.iter().all(|f| f.1 < 0.1) && right.iter().all(|z| z.abs() < 4.0) && twin.iter().any(|z| z.abs() > 8.0));
    }
}
