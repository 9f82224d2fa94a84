//! Rates of Ergodica's inner loops, per CPU-second: what benches/run sets beside the peers.
//!
//!     cargo bench --bench kernels -- lj13 --seconds 1 --json
//!     cargo bench --bench kernels                            # every case, one line each

use ergodica::batch::{Coords, Thermo};
use ergodica::energy::{Batched, Energy, Evaluation, Potential};
use ergodica::real::{Lanewise, Octet, Real, Wide, dispatch, isa};
use ergodica::stream::{Purpose, Root};
use std::time::Duration;

/// The work of a case, repeated `k` times.
type Work = Box<dyn FnMut(u64) + Send>;

/// A case: its name, what its rate counts, how many of those one repetition makes, and the work.
struct Case {
    name: &'static str,
    unit: &'static str,
    build: fn() -> (u64, Work),
}

const CASES: &[Case] = &[
    Case { name: "lj13", unit: "evaluations/cpu_s", build: lj::<13> },
    Case { name: "lj55", unit: "evaluations/cpu_s", build: lj::<55> },
    Case { name: "normals", unit: "normals/cpu_s", build: normals },
];

struct Lj(usize);
impl Energy for Lj {
    fn dof(&self) -> usize {
        3 * self.0
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _l: T, f: &mut [T]) -> T {
        let n = self.0;
        let (x, f) = (&x[..3 * n], &mut f[..3 * n]);
        let mut c = [T::of(0.0); 3];
        for i in 0..n {
            for k in 0..3 {
                c[k] += x[3 * i + k];
            }
        }
        for k in 0..3 {
            c[k] = c[k] * T::of(1.0 / n as f64);
        }
        let mut trap = T::of(0.0);
        for i in 0..n {
            for k in 0..3 {
                let d = x[3 * i + k] - c[k];
                trap = d.mul_add(d, trap);
                f[3 * i + k] = -d;
            }
        }
        let mut u = T::of(0.0);
        for i in 0..n {
            let (xi, yi, zi) = (x[3 * i], x[3 * i + 1], x[3 * i + 2]);
            let (mut fx, mut fy, mut fz) = (f[3 * i], f[3 * i + 1], f[3 * i + 2]);
            for j in i + 1..n {
                let (dx, dy, dz) = (xi - x[3 * j], yi - x[3 * j + 1], zi - x[3 * j + 2]);
                let r2 = dx.mul_add(dx, dy.mul_add(dy, dz * dz));
                let i2 = r2.recip();
                let i6 = i2 * i2 * i2;
                u += i6 * (i6 - T::of(2.0));
                let g = T::of(24.0) * i6 * (i6 - T::of(1.0)) * i2;
                fx = g.mul_add(dx, fx);
                fy = g.mul_add(dy, fy);
                fz = g.mul_add(dz, fz);
                f[3 * j] = (-g).mul_add(dx, f[3 * j]);
                f[3 * j + 1] = (-g).mul_add(dy, f[3 * j + 1]);
                f[3 * j + 2] = (-g).mul_add(dz, f[3 * j + 2]);
            }
            f[3 * i] = fx;
            f[3 * i + 1] = fy;
            f[3 * i + 2] = fz;
        }
        T::of(2.0).mul_add(u, T::of(0.5) * trap)
    }
}

fn lj<const N: usize>() -> (u64, Work) {
    const REPLICAS: usize = 256;
    let mut rows = Vec::new();
    let side = (N as f64).cbrt().ceil() as usize;
    for r in 0..REPLICAS {
        for i in 0..N {
            let p = [i % side, i / side % side, i / side / side];
            for k in 0..3 {
                rows.push(p[k] as f64 + 0.03 * (((r * 7919 + i * 104729 + k * 1299709) % 1000) as f64 / 500.0 - 1.0));
            }
        }
    }
    let x = Coords::from_rows(&rows, 3 * N).unwrap();
    let thermo = vec![Thermo::at(1.0); REPLICAS];
    let mut out = Evaluation::new();
    let p = Batched(Lj(N));
    (
        REPLICAS as u64,
        Box::new(move |k| {
            for _ in 0..k {
                p.eval(&x, &thermo, &mut out).unwrap();
                std::hint::black_box(&out);
            }
        }),
    )
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut seconds, mut json, mut threads, mut names) = (1.0, false, 1, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {} // cargo says so
            "--json" => json = true,
            "--seconds" => seconds = args.next().ok_or("--seconds needs a number")?.parse()?,
            "--threads" => threads = args.next().ok_or("--threads needs a number")?.parse()?,
            name if CASES.iter().any(|c| c.name == name) => names.push(arg),
            other => return Err(format!("no case or option '{other}'; cases: {}", list()).into()),
        }
    }
    let path = isa::path()?.name();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    for case in CASES.iter().filter(|c| names.is_empty() || names.iter().any(|n| n == c.name)) {
        let (per_repetition, work) = (case.build)();
        let (per_s, cpu_s, n) = pool.install(|| rate(work, Duration::from_secs_f64(seconds)));
        let (rate, n) = (per_s * per_repetition as f64, n * per_repetition);
        if json {
            let line = serde_json::json!({ "case": case.name, "rate": rate, "unit": case.unit, "cpu_s": cpu_s, "n": n, "threads": threads, "isa": path });
            println!("{line}");
        } else {
            println!("{:20} {rate:12.4e} {:20} {path}, {threads} threads, {cpu_s:.2} CPU-seconds", case.name, case.unit);
        }
    }
    Ok(())
}

fn list() -> String {
    CASES.iter().map(|c| c.name).collect::<Vec<_>>().join(", ")
}

/// Calls `work(k)` until one call takes at least `least` of CPU time: (repetitions per CPU-second, CPU-seconds, repetitions)
/// of that call. The calls before it are the warm-up.
fn rate(mut work: Work, least: Duration) -> (f64, f64, u64) {
    let (least, mut k) = (least.as_secs_f64(), 1_u64);
    loop {
        let start = cpu_seconds();
        work(k);
        let spent = cpu_seconds() - start;
        if spent >= least {
            return (k as f64 / spent, spent, k);
        }
        k = (k + 1).max((k as f64 * (1.1 * least / spent.max(1e-4)).min(10.0)) as u64);
    }
}

/// User and system time of all threads of this process.
fn cpu_seconds() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec, which lives here.
    let code = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut t) };
    assert_eq!(code, 0, "this system has no CPU-time clock");
    t.tv_sec as f64 + 1e-9 * t.tv_nsec as f64
}

/// Standard normals, as the Langevin propagators draw them: 8 replicas at a time, one per degree of freedom.
fn normals() -> (u64, Work) {
    const DOF: usize = 66;
    let stream = Root::new(1, "bench", "").stream(0, Purpose::Noise);
    let mut out = vec![Octet::of(0.0); DOF];
    let mut step = 0;
    let work = move |k| {
        for _ in 0..k {
            dispatch(Draw { stream, step, out: &mut out });
            step += 1;
        }
        std::hint::black_box(&out);
    };
    (8 * DOF as u64, Box::new(work))
}

struct Draw<'a> {
    stream: ergodica::stream::Stream,
    step: u64,
    out: &'a mut [Octet],
}

impl Lanewise for Draw<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        self.stream.normals::<L>(self.step, 0, L::of_octets_mut(self.out));
    }
}
