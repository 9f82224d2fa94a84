//! exp, ln, sin, cos, tanh and atan2 against 160-bit arithmetic, and every vector path against `f64`.
//!
//! The big floats are those of the crate astro-float. Its own values were compared beforehand with mpmath 1.3.0 (see
//! `the_reference_is_right` for the part that is repeated here).

use astro_float::{BigFloat, Consts, RoundingMode, Sign};
use ergodica::real::isa::{Path, dispatch_on};
use ergodica::real::{Lanewise, Octet, Real, Wide};

const BITS: usize = 160;
const RM: RoundingMode = RoundingMode::ToEven;
/// Bound of every function, in units in the last place.
const BOUND: f64 = 2.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Function {
    Exp,
    Ln,
    Sin,
    Cos,
    Tanh,
    Atan2,
}
use Function::{Atan2, Cos, Exp, Ln, Sin, Tanh};

impl Function {
    const ALL: [Function; 6] = [Exp, Ln, Sin, Cos, Tanh, Atan2];

    /// Ours; `y` is used by atan2 alone.
    #[inline(always)]
    fn ours<T: Real>(self, x: T, y: T) -> T {
        match self {
            Exp => x.exp(),
            Ln => x.ln(),
            Sin => x.sin_cos().0,
            Cos => x.sin_cos().1,
            Tanh => x.tanh(),
            Atan2 => y.atan2(x),
        }
    }

    /// The truth, to [`BITS`] bits; finite arguments inside the domain only.
    fn exact(self, x: f64, y: f64, cc: &mut Consts) -> BigFloat {
        let b = big(x);
        match self {
            Exp => b.exp(BITS, RM, cc),
            Ln => b.ln(BITS, RM, cc),
            Sin => b.sin(BITS, RM, cc),
            Cos => b.cos(BITS, RM, cc),
            Tanh => b.tanh(BITS, RM, cc),
            Atan2 => {
                if x == 0.0 {
                    let half = cc.pi(BITS, RM).div(&BigFloat::from_f64(2.0, BITS), BITS, RM);
                    return if y < 0.0 { half.neg() } else { half };
                }
                let a = big(y).div(&b, BITS, RM).atan(BITS, RM, cc);
                match (x < 0.0, y.is_sign_negative()) {
                    (false, _) => a,
                    (true, false) => a.add(&cc.pi(BITS, RM), BITS, RM),
                    (true, true) => a.sub(&cc.pi(BITS, RM), BITS, RM),
                }
            }
        }
    }
}

/// A double as a big float. (`BigFloat::from_f64` of astro-float 0.9.6 doubles subnormal numbers, so they go in scaled.)
fn big(x: f64) -> BigFloat {
    if x.abs() >= f64::MIN_POSITIVE {
        return BigFloat::from_f64(x, BITS);
    }
    let two_200 = BigFloat::from_f64(pow2(200), BITS);
    BigFloat::from_f64(x * pow2(200), BITS).div(&two_200, BITS, RM)
}

/// 2^n as far as doubles reach, 0 below.
fn pow2(n: i32) -> f64 {
    match n {
        1024.. => f64::INFINITY,
        -1022..1024 => f64::from_bits(((n + 1023) as u64) << 52),
        -1074..-1022 => f64::from_bits(1 << (n + 1074)),
        _ => 0.0,
    }
}

/// |got - exact| in units in the last place of the exact value; subnormal results in units of 2^-1074. Infinity counts as
/// 2^1024, which is where rounding leads to it.
fn ulps(got: f64, exact: &BigFloat) -> f64 {
    let top = BigFloat::from_f64(pow2(1023), BITS).mul(&BigFloat::from_f64(2.0, BITS), BITS, RM);
    let clip = |b: &BigFloat| {
        if b.abs().cmp(&top).is_some_and(|c| c > 0) || b.is_inf() {
            if b.is_negative() { top.neg() } else { top.clone() }
        } else {
            b.clone()
        }
    };
    let got = if got.is_nan() {
        return f64::INFINITY;
    } else if got.is_infinite() {
        clip(&if got > 0.0 { top.clone() } else { top.neg() })
    } else {
        big(got)
    };
    let exact = clip(exact);
    let difference = got.sub(&exact, BITS + 64, RM);
    let exponent = exact.exponent().unwrap_or(i32::MIN / 2).clamp(-4000, 1024) - 1;
    let ulp = (exponent - 52).max(-1074);
    match difference.as_raw_parts() {
        Some((words, _, sign, e, _)) if !difference.is_zero() => {
            assert!(sign == Sign::Pos || sign == Sign::Neg);
            let top_word = words[words.len() - 1] as f64 / 18446744073709551616.0; // difference = top_word 2^e
            let shift = e - ulp;
            if shift > 60 { f64::INFINITY } else { top_word * pow2(shift.max(-200)) }
        }
        _ => 0.0,
    }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Draw(u64);
impl Draw {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * pow2(-53)
    }
    fn between(&mut self, a: f64, b: f64) -> f64 {
        a + (b - a) * self.unit()
    }
    /// Any exponent from 2^low to 2^high, either sign.
    fn scaled(&mut self, low: i32, high: i32) -> f64 {
        let e = low + (self.bits() % (high - low + 1) as u64) as i32;
        let m = 1.0 + self.unit();
        let x = if e < -1022 { m * pow2(-1022) * pow2(e + 1022) } else { m * pow2(e) };
        if self.bits() & 1 == 1 { -x } else { x }
    }
    /// A finite double of any bits.
    fn any(&mut self) -> f64 {
        loop {
            let x = f64::from_bits(self.bits());
            if x.is_finite() {
                return x;
            }
        }
    }
}

/// The doubles about k pi/2, k <= 636620 (|x| <= 1e6), that come nearest to it, and their neighbours.
fn near_quarter_turns(most: usize) -> Vec<f64> {
    const HI: f64 = 1.5707963267948966;
    const LO: f64 = 6.123233995736766e-17;
    let mut near: Vec<(f64, f64)> = Vec::new();
    for k in 1..=636_619u32 {
        let k = f64::from(k);
        let x = k * HI + k * LO;
        near.push((((-k).mul_add(HI, x) - k * LO).abs(), x));
    }
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near[..most].iter().flat_map(|&(_, x)| [x.next_down(), x, x.next_up()]).flat_map(|x| [x, -x]).collect()
}

/// Arguments (x, y) of a function: random ones and those known to be hard.
fn arguments(function: Function) -> Vec<(f64, f64)> {
    let mut d = Draw(function as u64 + 1);
    let mut x = Vec::new();
    let tiny = [f64::from_bits(1), f64::from_bits(3), f64::MIN_POSITIVE.next_down(), f64::MIN_POSITIVE, 1e-300, 1e-17, 1e-9];
    x.extend(tiny.iter().flat_map(|&t| [t, -t]));
    match function {
        Exp => {
            x.extend((0..12_000).map(|_| d.between(-746.0, 710.0)));
            x.extend((0..4_000).map(|_| d.between(-1.0, 1.0)));
            x.extend((0..2_000).map(|_| d.between(-746.0, -707.0)));
            x.extend((0..2_000).map(|_| d.scaled(-1074, 9)));
            x.extend([709.782712893384, 709.7827128933841, -745.1332191019411, -745.1332191019412, -708.3964185322641]);
            x.extend((-1074..1024).map(|k| f64::from(k) * std::f64::consts::LN_2));
        }
        Ln => {
            x.extend((0..10_000).map(|_| d.any().abs()));
            x.extend((0..6_000).map(|_| d.between(0.5, 2.0)));
            x.extend((0..2_000).map(|_| d.scaled(-1074, -1023).abs()));
            x.extend((0..2_000).map(|_| 1.0 + d.scaled(-52, -2)));
            x.extend([1.0f64.next_up(), 1.0f64.next_down(), f64::MAX, std::f64::consts::FRAC_1_SQRT_2, std::f64::consts::SQRT_2]);
            x.retain(|v| *v > 0.0);
        }
        Sin | Cos => {
            x.extend((0..12_000).map(|_| d.between(-1e6, 1e6)));
            x.extend((0..4_000).map(|_| d.between(-10.0, 10.0)));
            x.extend((0..4_000).map(|_| d.scaled(-1074, 19)));
            x.extend(near_quarter_turns(1_000));
            x.extend((0..2_000).map(|_| ((d.bits() % 1_273_239) as f64 * std::f64::consts::FRAC_PI_4).next_up()));
        }
        Tanh => {
            x.extend((0..12_000).map(|_| d.between(-20.0, 20.0)));
            x.extend((0..6_000).map(|_| d.between(-1.0, 1.0)));
            x.extend((0..4_000).map(|_| d.scaled(-1074, 1023)));
            x.extend([0.625, 0.625f64.next_down(), 0.625f64.next_up(), 22.0, 400.0]);
        }
        Atan2 => {
            let mut pairs: Vec<(f64, f64)> = (0..6_000).map(|_| (d.between(-2.0, 2.0), d.between(-2.0, 2.0))).collect();
            pairs.extend((0..6_000).map(|_| (d.any(), d.any())));
            for _ in 0..8_000 {
                let x = d.any();
                pairs.push((x, x * d.scaled(-60, 60)));
            }
            for _ in 0..2_000 {
                pairs.push((d.scaled(-1074, -1000), d.scaled(-1074, -1000)));
                pairs.push((d.scaled(1000, 1023), d.scaled(1000, 1023)));
            }
            pairs.extend((0..1_000).map(|_| {
                let x = d.scaled(-3, 3);
                (x, x * 0.41421356237309503)
            }));
            pairs.retain(|(x, y)| x.is_finite() && y.is_finite() && *y != 0.0);
            return pairs;
        }
    }
    x.into_iter().map(|x| (x, 0.0)).collect()
}

/// Largest error of `f` over the arguments, and where.
fn worst(function: Function, f: impl Fn(f64, f64) -> f64) -> (f64, (f64, f64)) {
    let mut cc = Consts::new().expect("memory for the constants");
    let mut worst = (0.0, (0.0, 0.0));
    let arguments = arguments(function);
    assert!(arguments.len() >= 20_000, "{function:?}: {}", arguments.len());
    for (x, y) in arguments {
        let u = ulps(f(x, y), &function.exact(x, y, &mut cc));
        if u > worst.0 {
            worst = (u, (x, y));
        }
    }
    worst
}

fn within_bound(function: Function) {
    let (u, (x, y)) = worst(function, |x, y| function.ours(x, y));
    println!("{function:?}: {u:.3} ulp at x = {x:e} ({:#x}), y = {y:e}", x.to_bits());
    assert!(u <= BOUND, "{function:?} is off by {u} ulp at x = {x:e}, y = {y:e}");
}

#[test]
fn exp_is_within_the_bound() {
    within_bound(Exp);
}
#[test]
fn ln_is_within_the_bound() {
    within_bound(Ln);
}
#[test]
fn sin_is_within_the_bound() {
    within_bound(Sin);
}
#[test]
fn cos_is_within_the_bound() {
    within_bound(Cos);
}
#[test]
fn tanh_is_within_the_bound() {
    within_bound(Tanh);
}
#[test]
fn atan2_is_within_the_bound() {
    within_bound(Atan2);
}

/// A test that cannot fail is a defect: 3 units in the last place are seen, and so is a reduction with a short pi.
#[test]
fn broken_twins_fail() {
    let off = |v: f64| f64::from_bits(v.to_bits() + 3);
    assert!(worst(Exp, |x, y| off(Exp.ours(x, y))).0 > BOUND);
    let short = |x: f64| x - (x / std::f64::consts::PI).round() * std::f64::consts::PI;
    assert!(worst(Sin, |x, _| if x.abs() > 4.0 { Sin.ours(short(x), 0.0) } else { Sin.ours(x, 0.0) }).0 > 1e6);
    assert!(
        worst(Tanh, |x, _| {
            let e = Real::exp(x + x);
            (e - 1.0) / (e + 1.0)
        })
        .0 > 100.0
    );
}

/// Digits of mpmath 1.3.0 at 60 decimals, rounded: the reference and the error measure themselves.
#[test]
fn the_reference_is_right() {
    let cases: &[(Function, f64, f64, &str)] = &[
        (Exp, 0.3, 0.0, "1.3498588075760030889973010316886340321417527975138"),
        (Exp, -745.1, 0.0, "2.5537685477520739272395996058520092095916772388882e-324"),
        (Exp, 709.7, 0.0, "1.6549840276802644030802502834723549822809586358652e+308"),
        (Exp, 5e-324, 0.0, "1.0"),
        (Exp, 1e-09, 0.0, "1.0000000010000000005000000624482581867697812411594"),
        (Ln, 0.3, 0.0, "-1.2039728043259360296301803719337238685164245381839"),
        (Ln, 5e-324, 0.0, "-744.44007192138126231410729844608163411308714430291"),
        (Ln, 1.0000000000000002, 0.0, "2.2204460492503128343282304546154879259823318079011e-16"),
        (Ln, 1.7e+308, 0.0, "709.72683689322824103779102637577292688256273072711"),
        (Sin, 0.3, 0.0, "0.29552020666133956449895508076694450104387988280616"),
        (Sin, 999999.5, 0.0, "-0.75625108756167799302977671200302081858628720158732"),
        (Sin, 3.141592653589793, 0.0, "1.2246467991473531772260659322749979970830539012998e-16"),
        (Sin, 1e-300, 0.0, "1.0000000000000000250590918352087596856961468077037e-300"),
        (Cos, 0.3, 0.0, "0.95533648912560602292324360434208740922689759275088"),
        (Cos, 1.5707963267948966, 0.0, "6.1232339957367658861303296613750014646403777988363e-17"),
        (Cos, 823549.6645826427, 0.0, "0.99999999999999999999948468646252890030435077725169"),
        (Tanh, 0.3, 0.0, "0.29131261245159089565816001576939894826172203912786"),
        (Tanh, 1e-12, 0.0, "0.00000000000099999999999999997988664729592228203391953028614869"),
        (Tanh, 18.5, 0.0, "0.99999999999999982933904748511869867701936018446154"),
        (Atan2, 1.5, 0.2, "0.13255153229667402854212066177298081298221132202884"),
        (Atan2, -1.5, 1e-20, "3.1415926535897932384559767166128362178961475896804"),
        (Atan2, -1e-300, -3e+200, "-1.5707963267948966192313216916397514420985846996876"),
        (Atan2, 5e-324, 1e-323, "1.1071487177940905030170654601785370400700476454014"),
    ];
    let mut cc = Consts::new().expect("memory for the constants");
    for (function, x, y, digits) in cases {
        let truth = BigFloat::parse(digits, astro_float::Radix::Dec, 256, RM, &mut cc);
        let difference = function.exact(*x, *y, &mut cc).sub(&truth, 256, RM).abs();
        let relative = difference.div(&truth.abs(), 64, RM);
        assert!(relative.is_zero() || relative.exponent().is_some_and(|e| e < -140), "{function:?}({x}, {y}): {relative}");
    }
    let one = BigFloat::from_f64(1.0, BITS);
    assert_eq!(ulps(1.0, &one), 0.0);
    assert_eq!(ulps(1.0f64.next_up(), &one), 1.0);
    assert_eq!(ulps(f64::from_bits(3), &big(f64::from_bits(1))), 2.0);
    assert!(ulps(f64::INFINITY, &one) > 1e15 && ulps(f64::NAN, &one) > 1e15);
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// IEEE 754-2019 section 9.2.1, and C23 annex F.
#[test]
fn special_values() {
    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    const PI: f64 = std::f64::consts::PI;
    let table: &[(Function, f64, f64, f64)] = &[
        (Exp, 0.0, 0.0, 1.0),
        (Exp, -0.0, 0.0, 1.0),
        (Exp, INF, 0.0, INF),
        (Exp, -INF, 0.0, 0.0),
        (Exp, NAN, 0.0, NAN),
        (Exp, 1e300, 0.0, INF),
        (Exp, -1e300, 0.0, 0.0),
        (Exp, 5e-324, 0.0, 1.0),
        (Ln, 1.0, 0.0, 0.0),
        (Ln, 0.0, 0.0, -INF),
        (Ln, -0.0, 0.0, -INF),
        (Ln, INF, 0.0, INF),
        (Ln, -1.0, 0.0, NAN),
        (Ln, -INF, 0.0, NAN),
        (Ln, NAN, 0.0, NAN),
        (Ln, -5e-324, 0.0, NAN),
        (Sin, 0.0, 0.0, 0.0),
        (Sin, -0.0, 0.0, -0.0),
        (Sin, INF, 0.0, NAN),
        (Sin, -INF, 0.0, NAN),
        (Sin, NAN, 0.0, NAN),
        (Sin, 5e-324, 0.0, 5e-324),
        (Sin, 1e16, 0.0, NAN),
        (Cos, 0.0, 0.0, 1.0),
        (Cos, -0.0, 0.0, 1.0),
        (Cos, INF, 0.0, NAN),
        (Cos, NAN, 0.0, NAN),
        (Cos, 1e16, 0.0, NAN),
        (Tanh, 0.0, 0.0, 0.0),
        (Tanh, -0.0, 0.0, -0.0),
        (Tanh, INF, 0.0, 1.0),
        (Tanh, -INF, 0.0, -1.0),
        (Tanh, NAN, 0.0, NAN),
        (Tanh, 1e300, 0.0, 1.0),
        (Tanh, 5e-324, 0.0, 5e-324),
        (Atan2, 1.0, 0.0, 0.0),
        (Atan2, 1.0, -0.0, -0.0),
        (Atan2, -1.0, 0.0, PI),
        (Atan2, -1.0, -0.0, -PI),
        (Atan2, 0.0, 0.0, 0.0),
        (Atan2, 0.0, -0.0, -0.0),
        (Atan2, -0.0, 0.0, PI),
        (Atan2, -0.0, -0.0, -PI),
        (Atan2, 0.0, 1.0, PI / 2.0),
        (Atan2, -0.0, 1.0, PI / 2.0),
        (Atan2, 0.0, -1.0, -PI / 2.0),
        (Atan2, -0.0, -1.0, -PI / 2.0),
        (Atan2, INF, 1.0, 0.0),
        (Atan2, INF, -1.0, -0.0),
        (Atan2, -INF, 1.0, PI),
        (Atan2, -INF, -1.0, -PI),
        (Atan2, 1.0, INF, PI / 2.0),
        (Atan2, -1.0, INF, PI / 2.0),
        (Atan2, 1.0, -INF, -PI / 2.0),
        (Atan2, INF, INF, PI / 4.0),
        (Atan2, INF, -INF, -PI / 4.0),
        (Atan2, -INF, INF, 0.75 * PI),
        (Atan2, -INF, -INF, -0.75 * PI),
        (Atan2, NAN, 1.0, NAN),
        (Atan2, 1.0, NAN, NAN),
        (Atan2, NAN, NAN, NAN),
        (Atan2, INF, NAN, NAN),
        (Atan2, NAN, 0.0, NAN),
    ];
    for &(function, x, y, expected) in table {
        let got = function.ours(x, y);
        assert!(same(got, expected), "{function:?}(x = {x:e}, y = {y:e}) = {got:e}, not {expected:e}");
    }
}

struct Evaluate<'a> {
    function: Function,
    x: &'a [Octet],
    y: &'a [Octet],
}

impl Lanewise for Evaluate<'_> {
    type Out = Vec<Octet>;
    #[inline(always)]
    fn run<L: Wide>(self) -> Vec<Octet> {
        let mut out = Vec::with_capacity(self.x.len());
        for i in 0..self.x.len() {
            out.push(self.function.ours(L::load(self.x[i]), L::load(self.y[i])).store());
        }
        out
    }
}

/// The first argument at which a path differs from `f64`.
fn first_difference(path: Path, function: Function, scalar: impl Fn(f64, f64) -> f64) -> Option<(f64, f64)> {
    let special = [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX, -f64::MAX, 5e-324, -5e-324, 1e15, 1e16];
    let mut arguments = arguments(function);
    arguments.extend(special.iter().flat_map(|&x| special.iter().map(move |&y| (x, y))));
    let octets = |part: fn(&(f64, f64)) -> f64| -> Vec<Octet> {
        arguments.chunks(8).map(|c| Octet(std::array::from_fn(|i| part(c.get(i).unwrap_or(&c[0]))))).collect()
    };
    let (x, y) = (octets(|p| p.0), octets(|p| p.1));
    let got = dispatch_on(path, Evaluate { function, x: &x, y: &y });
    arguments.iter().enumerate().find(|(i, (x, y))| !same(got[i / 8].0[i % 8], scalar(*x, *y))).map(|(_, p)| *p)
}

#[test]
fn every_path_equals_f64() {
    for path in [Path::Avx512, Path::Avx2, Path::Portable] {
        if !path.available() {
            println!("{} is not available here: skipped", path.name());
            continue;
        }
        for function in Function::ALL {
            let difference = first_difference(path, function, |x, y| function.ours(x, y));
            assert_eq!(difference, None, "{function:?} on {}", path.name());
            let broken = first_difference(path, function, |x, y| if x == 5e-324 { 7.0 } else { function.ours(x, y) });
            assert!(broken.is_some(), "one wrong value must be seen");
        }
    }
}
