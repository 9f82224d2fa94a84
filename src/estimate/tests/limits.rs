//! Too short, constant, not finite, one replica, stuck replicas: a typed answer or a safe number, never a panic.

use super::super::*;
use super::{ar1, series};

type Attempt = fn(Series<'_>) -> Option<Unusable>;

const ALL: [(&str, Attempt); 12] = [
    ("autocovariance", |s| autocovariance(s, Centre::Own, 10).err()),
    ("tau", |s| autocorrelation_time(s).err()),
    ("g", |s| statistical_inefficiency(s).err()),
    ("rank", |s| rank_diagnostics(s).err()),
    ("ess", |s| ess_mean(s).err()),
    ("equilibration", |s| detect_equilibration(s).err()),
    ("equilibration_at", |s| detect_equilibration_at(s, &[0, 1, 5]).err()),
    ("blocks", |s| block_average(s).err()),
    ("mean", |s| mean(s).err()),
    ("variance", |s| variance(s).err()),
    ("circular", |s| circular_mean(s, 360.0).err()),
    ("convergence", |s| forward_reverse(s, 10).err()),
];

#[test]
fn nothing_panics_and_nothing_short_passes() {
    for replicas in [1usize, 2, 3, 16, 17] {
        for draws in 0..70 {
            let values = ar1(draws as u64, replicas, draws, 0.5);
            let s = Series { values: &values, replicas, draws };
            for (name, attempt) in ALL {
                let answer = attempt(s);
                if draws == 0 {
                    assert!(matches!(answer, Some(Unusable::TooShort { .. })), "{name}: {answer:?}");
                }
                assert!(draws < 32 || answer.is_none(), "{name} {replicas} x {draws}: {answer:?}");
            }
        }
    }
}

#[test]
fn what_is_not_a_number_is_located() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e160] {
        let mut values = ar1(1, 4, 50, 0.5);
        values[2 * 50 + 7] = bad;
        for (name, attempt) in ALL {
            assert_eq!(attempt(series(&values, 4)), Some(Unusable::NotFinite { replica: 2, draw: 7 }), "{name}");
        }
    }
}

#[test]
fn constants_have_no_spread() {
    for value in [0.0, -0.0, 3.25, 0.1, -1e9, 1e-200] {
        let values = vec![value; 400];
        for (name, attempt) in ALL {
            match attempt(series(&values, 4)) {
                Some(Unusable::Constant { value: v }) => assert_eq!(v, value),
                None if name == "mean" || name == "autocovariance" => (),
                other => panic!("{name}: {other:?}"),
            }
        }
        let m = mean(series(&values, 4)).unwrap();
        assert!(m.value == value && m.stderr.is_nan() && m.warnings[0].kind == WarningKind::Constant);
        assert!(serde_json::to_value(m.estimate("x")).unwrap()["stderr"].is_null());
        let short = mean(series(&values[..6], 3)).unwrap();
        assert!(short.stderr.is_nan() && short.warnings[0].kind == WarningKind::Constant);
    }
    // rounding noise on a constant is no spread either
    let noise: Vec<f64> = (0..100).map(|i| 300.0 + f64::EPSILON * 256.0 * f64::from(i % 2)).collect();
    assert!(matches!(rank_diagnostics(series(&noise, 2)), Err(Unusable::Constant { .. })));
}

#[test]
fn replicas_stuck_apart_never_look_good() {
    let values: Vec<f64> = (0..4).flat_map(|r| vec![f64::from(r); 200]).collect();
    let s = series(&values, 4);
    let tau = autocorrelation_time(s).unwrap();
    assert!(!tau.closed && tau.n_eff() < 12.0);
    assert!(rank_diagnostics(s).unwrap().r_hat.is_infinite());
    let verdict = judge(&[diagnose("x", s)], &[], &Thresholds::default());
    assert_eq!(verdict.outcome, Outcome::Fail);
    let check = |name: &str| verdict.checks.iter().find(|c| c.check == name).unwrap();
    assert!(check("r_hat").outcome == Outcome::Fail && check("length").outcome == Outcome::Fail);
    assert!(check("length").value.is_none());
}

#[test]
fn shapes_are_checked() {
    let values = [1.0, 2.0, 3.0, 4.0, 5.0];
    assert!(matches!(Series::new(&values, 2), Err(Unusable::Shape { expected: 4, found: 5, .. })));
    assert!(matches!(Series::new(&values, 0), Err(Unusable::TooShort { .. })));
    for (_, attempt) in ALL {
        assert!(matches!(attempt(Series { values: &values, replicas: 2, draws: 2 }), Some(Unusable::Shape { .. })));
        assert!(matches!(attempt(Series { values: &[], replicas: 0, draws: 5 }), Some(Unusable::TooShort { .. })));
    }
    assert!(jackknife(&[1.0, 2.0, 3.0], 2, |m| m[0]).is_err());
    assert!(jackknife(&[1.0, 2.0], 2, |m| m[0]).is_err());
    assert!(jackknife(&[], 0, |_| 0.0).is_err());
}

#[test]
fn the_verdict_weighs_its_thresholds() {
    let good = ar1(1, 16, 2_000, 0.5);
    let verdict = judge(&[diagnose("energy", series(&good, 16))], &[], &Thresholds::default());
    assert_eq!(verdict.outcome, Outcome::Pass, "{verdict:?}");
    assert_eq!(verdict.checks.len(), 4);
    // one replica displaced by half a standard deviation: R-hat between 1.01 and 1.05 warns
    let shifted: Vec<f64> = good.iter().enumerate().map(|(i, x)| if i < 2_000 { x + 0.9 } else { *x }).collect();
    let verdict = judge(&[diagnose("energy", series(&shifted, 16))], &[], &Thresholds::default());
    let r_hat = &verdict.checks[0];
    assert_eq!(r_hat.outcome, Outcome::Warn, "{r_hat:?}");
    assert!(r_hat.message.contains("at most 1.010"));
    // few draws
    let verdict = judge(&[diagnose("energy", series(&ar1(2, 4, 60, 0.9), 4))], &[], &Thresholds::default());
    assert_eq!(verdict.outcome, Outcome::Fail);
    let loose: Thresholds = serde_json::from_str(r#"{"ess_bulk": {"pass": 10, "fail": 1}}"#).unwrap();
    assert_eq!((loose.ess_bulk.pass, loose.r_hat.pass), (10.0, 1.01));
    assert!(serde_json::from_str::<Thresholds>(r#"{"rhat": {"pass": 10, "fail": 1}}"#).is_err());
    assert_eq!(judge(&[], &[], &Thresholds::default()).outcome, Outcome::Fail);
    let constant = judge(&[diagnose("c", series(&[1.0; 100], 2))], &[], &Thresholds::default());
    assert!(constant.outcome == Outcome::Fail && constant.checks[0].message.contains("constant"));
}

#[test]
fn circles_close() {
    let (cos, sin) = circle(&[0.0, 90.0, -180.0, 180.0, 540.0, 1e6, -90.0, 45.0, 360.0], 360.0);
    for (i, (c, s)) in [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (-1.0, 0.0), (-1.0, 0.0)].into_iter().enumerate() {
        assert!((cos[i] - c).abs() < 1e-15 && (sin[i] - s).abs() < 1e-15, "{i}");
    }
    assert!(cos.iter().zip(&sin).all(|(c, s)| (c * c + s * s - 1.0).abs() < 1e-15));
    assert_eq!((cos[2], sin[2]), (cos[3], sin[3]));
    // an angle that lives on the cut is one cloud, not two
    let angles: Vec<f64> =
        ar1(8, 16, 1_000, 0.3).iter().enumerate().map(|(i, x)| 10.0 * x + if i % 2 == 0 { 180.0 } else { -180.0 }).collect();
    let both = diagnose_circle("phi", series(&angles, 16), 360.0);
    assert_eq!((both[0].column.as_str(), both[1].column.as_str()), ("cos(phi)", "sin(phi)"));
    assert_eq!(judge(&both, &[], &Thresholds::default()).outcome, Outcome::Pass);
    assert!(serde_json::to_value(&both).unwrap()[0]["time"]["Ok"]["tau"].is_number());
}
