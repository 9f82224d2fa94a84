//! Quantiles of the normal and of Student's t distribution, the same bits everywhere.

use crate::real::Real;

#[rustfmt::skip]
#[allow(clippy::excessive_precision, reason = "as published")]
const CENTRE: ([f64; 8], [f64; 8]) = (
    [3.387_132_872_796_366_608, 1.331_416_678_917_843_774_5e2, 1.971_590_950_306_551_442_7e3, 1.373_169_376_550_946_112_5e4,
     4.592_195_393_154_987_145_7e4, 6.726_577_092_700_870_085_3e4, 3.343_057_558_358_812_810_5e4, 2.509_080_928_730_122_672_7e3],
    [1.0, 4.231_333_070_160_091_125_2e1, 6.871_870_074_920_579_083e2, 5.394_196_021_424_751_107_7e3,
     2.121_379_430_158_659_586_7e4, 3.930_789_580_009_271_061e4, 2.872_908_573_572_194_267_4e4, 5.226_495_278_852_854_561e3],
);
#[rustfmt::skip]
#[allow(clippy::excessive_precision, reason = "as published")]
const MIDDLE: ([f64; 8], [f64; 8]) = (
    [1.423_437_110_749_683_577_34, 4.630_337_846_156_545_295_9, 5.769_497_221_460_691_405_5, 3.647_848_324_763_204_605_04,
     1.270_458_252_452_368_382_58, 2.417_807_251_774_506_117_7e-1, 2.272_384_498_926_918_458_33e-2, 7.745_450_142_783_414_076_4e-4],
    [1.0, 2.053_191_626_637_758_821_87, 1.676_384_830_183_803_849_4, 6.897_673_349_851_000_045_5e-1,
     1.481_039_764_274_800_745_9e-1, 1.519_866_656_361_645_719_66e-2, 5.475_938_084_995_344_946e-4, 1.050_750_071_644_416_843_24e-9],
);
#[rustfmt::skip]
#[allow(clippy::excessive_precision, reason = "as published")]
const FAR: ([f64; 8], [f64; 8]) = (
    [6.657_904_643_501_103_777_2, 5.463_784_911_164_114_369_9, 1.784_826_539_917_291_335_8, 2.965_605_718_285_048_912_3e-1,
     2.653_218_952_657_612_309_3e-2, 1.242_660_947_388_078_438_6e-3, 2.711_555_568_743_487_578_15e-5, 2.010_334_399_292_288_132_65e-7],
    [1.0, 5.998_322_065_558_879_376_9e-1, 1.369_298_809_227_358_053_1e-1, 1.487_536_129_085_061_485_25e-2,
     7.868_691_311_456_132_591e-4, 1.846_318_317_510_054_681_8e-5, 1.421_511_758_316_445_888_7e-7, 2.044_263_103_389_939_785_64e-15],
);

fn ratio((a, b): &([f64; 8], [f64; 8]), r: f64) -> f64 {
    let horner = |c: &[f64; 8]| ((((((c[7] * r + c[6]) * r + c[5]) * r + c[4]) * r + c[3]) * r + c[2]) * r + c[1]) * r + c[0];
    horner(a) / horner(b)
}

/// Quantile of the standard normal distribution: z with Phi(z) = p. Infinite at 0 and 1, NaN outside.
///
/// Rational approximations in q = p - 1/2 and in sqrt(-ln min(p, 1-p)); relative error about 1e-16.
/// Source: Wichura, Algorithm AS 241 (PPND16), Appl. Stat. 37, 477 (1988).
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180_625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 || tail.is_nan() {
        return if tail == 0.0 { q * f64::INFINITY } else { f64::NAN };
    }
    let r = (-Real::ln(tail)).sqrt();
    let z = if r <= 5.0 { ratio(&MIDDLE, r - 1.6) } else { ratio(&FAR, r - 5.0) };
    if q < 0.0 { -z } else { z }
}

/// Two-sided quantile of Student's t: the t with P(|T| < t) = `level` at `dof` degrees of freedom (0 dof: infinite).
///
///   P = sin(a) [1 + (1/2) cos^2 a + (1 3)/(2 4) cos^4 a + ... cos^(dof-2) a]                      dof even
///   P = (2/pi) [a + sin(a) (cos a + (2/3) cos^3 a + (2 4)/(3 5) cos^5 a + ... cos^(dof-2) a)]     dof odd,  tan a = t / sqrt(dof)
///
/// solved by bisection; above 1000 dof the normal quantile with three Cornish-Fisher terms (error below 1e-9).
/// Source: Abramowitz and Stegun 26.7.3, 26.7.4, 26.7.5.
pub fn student_t_quantile(level: f64, dof: usize) -> f64 {
    if dof == 0 {
        return f64::INFINITY;
    }
    let nu = dof as f64;
    if dof > 1000 {
        let z = normal_quantile(0.5 + 0.5 * level);
        let w = z * z;
        let terms = [(w + 1.0) / 4.0, ((5.0 * w + 16.0) * w + 3.0) / 96.0, (((3.0 * w + 19.0) * w + 17.0) * w - 15.0) / 384.0];
        return z * (1.0 + terms[0] / nu + terms[1] / (nu * nu) + terms[2] / (nu * nu * nu));
    }
    let (mut low, mut high) = (0.0, 1.0); // of cos a
    for _ in 0..80 {
        let cos = 0.5 * (low + high);
        if inside(cos, dof) > level { low = cos } else { high = cos }
    }
    let cos = 0.5 * (low + high);
    (nu * (1.0 - cos * cos)).sqrt() / cos
}

/// P(|T| < t) as a function of cos a.
fn inside(cos: f64, dof: usize) -> f64 {
    let sin = (1.0 - cos * cos).sqrt();
    let (mut term, mut sum, mut k) = if dof.is_multiple_of(2) { (1.0, 1.0, 2) } else { (cos, cos, 3) };
    while k < dof {
        term *= cos * cos * (k - 1) as f64 / k as f64;
        sum += term;
        k += 2;
    }
    match dof {
        1 => Real::atan2(sin, cos) / std::f64::consts::FRAC_PI_2,
        _ if dof % 2 == 1 => (Real::atan2(sin, cos) + sin * sum) / std::f64::consts::FRAC_PI_2,
        _ => sin * sum,
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test may ask the system's mathematics")]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

    #[test]
    fn normal_quantile_inverts_the_distribution() {
        let normal = Normal::new(0.0, 1.0).unwrap();
        let p: Vec<f64> = (1..2000).map(|i| i as f64 / 2000.0).chain((1..60).map(|k| 10f64.powf(-0.25 * k as f64))).collect();
        for p in p {
            let z = normal_quantile(p);
            // statrs's own erfc errs by up to 1e-10; scipy's quantiles are met to 4e-15 in tests/references.rs
            assert!((normal.cdf(z) / p - 1.0).abs() < 1e-9, "{p} {z} {:e}", normal.cdf(z) / p - 1.0);
            assert!((z - normal.inverse_cdf(p)).abs() < 1e-9 * (1.0 + z.abs()), "{p} {:e}", z - normal.inverse_cdf(p));
            if p > 1e-3 {
                assert!((z + normal_quantile(1.0 - p)).abs() < 1e-12, "{p}");
            }
        }
        assert_eq!(normal_quantile(0.5), 0.0);
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(-0.1).is_nan() && normal_quantile(1.5).is_nan() && normal_quantile(f64::NAN).is_nan());
    }

    #[test]
    fn student_t_inverts_the_distribution() {
        for dof in [1usize, 2, 3, 4, 7, 15, 31, 63, 200, 999, 1001, 5000] {
            let t = StudentsT::new(0.0, 1.0, dof as f64).unwrap();
            for level in [0.5, 0.6827, 0.9, 0.95, 0.99, 0.999] {
                let q = student_t_quantile(level, dof);
                let back = 2.0 * t.cdf(q) - 1.0;
                assert!((back - level).abs() < 1e-9, "{dof} {level} {back}");
            }
        }
        assert!((student_t_quantile(0.95, 1) - 12.706_204_736_174_694).abs() < 1e-11);
        assert!(student_t_quantile(0.95, 0).is_infinite());
    }
}
