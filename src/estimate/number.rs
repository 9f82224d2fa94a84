//! Numbers as a reader wants them: digits by the error, never NaN.

/// What stands for a number that there is none of.
pub(crate) const NONE: &str = "\u{2013}";

/// Decimal exponent: 2 for 123, -3 for 0.0012.
fn exponent(v: f64) -> i32 {
    format!("{v:e}").rsplit_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

/// Decimals of two digits of an error.
pub(crate) fn decimals(error: f64) -> usize {
    (1 - exponent(format!("{error:.1e}").parse().unwrap_or(error))).max(0) as usize
}

/// `value ± error`, two digits of the error.
pub(crate) fn measured(value: f64, error: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if !(error.is_finite() && error > 0.0) {
        return digits(value, 6);
    }
    let decimals = decimals(error);
    if decimals > 9 || value.abs() >= 1e9 {
        return format!("{value:.5e} \u{b1} {error:.1e}");
    }
    format!("{value:.decimals$} \u{b1} {error:.decimals$}")
}

/// A number with so many digits, without trailing zeros behind the point.
pub(crate) fn digits(v: f64, n: i32) -> String {
    if !v.is_finite() {
        return NONE.to_owned();
    }
    if v == 0.0 {
        return "0".to_owned();
    }
    let e = exponent(v);
    if !(-4..=9).contains(&e) {
        return format!("{v:.*e}", (n - 1).max(0) as usize);
    }
    let text = format!("{v:.*}", (n - 1 - e).max(0) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_error() {
        assert_eq!(measured(-42.93127, 0.0312), "-42.931 \u{b1} 0.031");
        assert_eq!(measured(298.0, 1.53), "298.0 \u{b1} 1.5");
        assert_eq!(measured(29_812.0, 152.0), "29812 \u{b1} 152");
        assert_eq!(measured(0.5, 0.0996), "0.50 \u{b1} 0.10");
        assert_eq!(measured(f64::NAN, 0.1), NONE);
        assert_eq!(measured(1.25, f64::NAN), "1.25");
        assert_eq!(measured(1.0, 1e-12), "1.00000e0 \u{b1} 1.0e-12");
        assert_eq!((digits(1234.5678, 3).as_str(), digits(0.00123, 2).as_str(), digits(-0.5, 4).as_str()), ("1235", "0.0012", "-0.5"));
        assert_eq!(digits(f64::INFINITY, 3), NONE);
    }
}
