//! Numbers as a reader wants them: digits by the error, never NaN.

/// What stands for a number that there is none of.
pub(super) const NONE: &str = "\u{2013}";

/// Decimal exponent: 2 for 123, -3 for 0.0012.
fn exponent(v: f64) -> i32 {
    format!("{v:e}").rsplit_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

/// `value ± error`, two digits of the error.
pub(super) fn measured(value: f64, error: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if !(error.is_finite() && error > 0.0) {
        return digits(value, 6);
    }
    let decimals = 1 - exponent(format!("{error:.1e}").parse().unwrap_or(error));
    if decimals > 9 || value.abs() >= 1e9 {
        return format!("{value:.5e} \u{b1} {error:.1e}");
    }
    let decimals = decimals.max(0) as usize;
    format!("{value:.decimals$} \u{b1} {error:.decimals$}")
}

/// A number with so many digits, without trailing zeros behind the point.
pub(super) fn digits(v: f64, n: i32) -> String {
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

/// The same, or a dash.
pub(super) fn maybe(v: Option<f64>, n: i32) -> String {
    v.map_or_else(|| NONE.to_owned(), |v| digits(v, n))
}

/// Seconds as people say them.
pub(super) fn duration(s: f64) -> String {
    if s < 120.0 {
        format!("{} s", digits(s, 3))
    } else if s < 7200.0 {
        format!("{} min", digits(s / 60.0, 3))
    } else {
        format!("{} h", digits(s / 3600.0, 3))
    }
}

/// A count with thin spaces between thousands.
pub(super) fn count(n: u64) -> String {
    let plain = n.to_string();
    let mut out = String::new();
    for (i, c) in plain.chars().enumerate() {
        if i > 0 && (plain.len() - i).is_multiple_of(3) && plain.len() > 4 {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// Date and time in UTC of a second since 1970.
///
/// Source: Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
pub(super) fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", rest / 3600, rest % 3600 / 60)
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

    #[test]
    fn days_are_counted_right() {
        assert_eq!(utc(0), "1970-01-01 00:00 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(utc(1_795_339_743), "2026-11-22 09:29 UTC");
        assert_eq!(count(1_280_000), "1\u{202f}280\u{202f}000");
        assert_eq!(count(1280), "1280");
    }
}
