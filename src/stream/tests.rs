use super::*;
use crate::real::isa::{Path, dispatch_on};
use crate::real::{Lanewise, Wide};

/// Known answers of the Random123 distribution (kat_vectors, philox 4x32 10 rounds).
#[test]
fn philox_known_answers() {
    let cases: [([u64; 4], [u32; 2], [u64; 4]); 3] = [
        ([0; 4], [0; 2], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
        ([0xffffffff; 4], [0xffffffff; 2], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
        ([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]),
    ];
    for (counter, key, expected) in cases {
        assert_eq!(philox::<f64>(counter, key), expected);
    }
}

struct Draw(Stream, u32);
impl Lanewise for Draw {
    type Out = Vec<[f64; 8]>;
    #[inline(always)]
    fn run<L: Wide>(self) -> Vec<[f64; 8]> {
        let mut out = [L::of(0.0); 7];
        self.0.normals::<L>(12345678901, self.1, &mut out);
        let mut r = vec![self.0.uniform::<L>(3, 9, self.1).store().0];
        for o in out {
            r.push(o.store().0);
        }
        r
    }
}

#[test]
fn every_path_draws_the_same_bits() {
    let stream = Root::new(7, "production", "").stream(0, Purpose::Noise);
    let portable = dispatch_on(Path::Portable, Draw(stream, 16));
    for path in [Path::Avx2, Path::Avx512] {
        if path.available() {
            assert_eq!(portable, dispatch_on(path, Draw(stream, 16)), "{path:?}");
        }
    }
    for replica in 0..8 {
        let mut scalar = [0.0; 7];
        stream.normals::<f64>(12345678901, 16 + replica, &mut scalar);
        for (x, lanes) in scalar.iter().zip(&portable[1..]) {
            assert_eq!(x.to_bits(), lanes[replica as usize].to_bits());
        }
    }
}

#[test]
fn keys_differ_in_every_field() {
    let base = Root::new(7, "a", "x").stream(0, Purpose::Noise);
    let others = [
        Root::new(8, "a", "x").stream(0, Purpose::Noise),
        Root::new(7, "b", "x").stream(0, Purpose::Noise),
        Root::new(7, "ax", "").stream(0, Purpose::Noise),
        Root::new(7, "a", "y").stream(0, Purpose::Noise),
        Root::new(7, "a", "x").stream(1, Purpose::Noise),
        Root::new(7, "a", "x").stream(0, Purpose::Accept),
    ];
    for other in others {
        assert_ne!(base, other);
    }
}

/// Moments of 4 million normals: mean 0, variance 1, fourth moment 3, each within 4 standard errors.
/// Smallest visible bias: 0.002 in the mean and variance.
#[test]
fn normals_have_the_moments_of_a_normal() {
    let stream = Root::new(1, "moments", "").stream(0, Purpose::Noise);
    let n = 4_000_000_u64;
    let (mut m1, mut m2, mut m4) = (0.0, 0.0, 0.0);
    let mut out = [0.0; 1000];
    for step in 0..n / 1000 {
        stream.normals::<f64>(step, 3, &mut out);
        for x in out {
            let square: f64 = x * x;
            m1 += x;
            m2 += square;
            m4 += square * square;
        }
    }
    let n = n as f64;
    for (z, name) in
        [(m1 / n.sqrt(), "mean"), ((m2 / n - 1.0) * (n / 2.0).sqrt(), "variance"), ((m4 / n - 3.0) * (n / 96.0).sqrt(), "fourth moment")]
    {
        assert!(z.abs() < 4.0, "{name}: z = {z}");
    }
}

#[test]
fn rand_distributions_can_be_drawn() {
    use rand_distr::{Distribution, Exp1};
    let mut rng = Root::new(1, "rng", "").stream(0, Purpose::Start).rng(0, 0);
    let n = 100_000;
    let sum: f64 = (0..n).map(|_| -> f64 { Exp1.sample(&mut rng) }).sum();
    let z = (sum / f64::from(n) - 1.0) * f64::from(n).sqrt();
    assert!(z.abs() < 4.0, "z = {z}");
}
