//! Numbers as a reader wants them: never NaN.

pub(super) use crate::estimate::number::{NONE, digits, measured};

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
    fn days_are_counted_right() {
        assert_eq!(utc(0), "1970-01-01 00:00 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(utc(1_795_339_743), "2026-11-22 09:29 UTC");
        assert_eq!(count(1_280_000), "1\u{202f}280\u{202f}000");
        assert_eq!(count(1280), "1280");
    }
}
