//! Where ticks stand and what they say.

/// Ticks between two ends at multiples of 1, 2 or 5 times a power of ten, about `wanted` of them, with their texts.
pub(super) fn ticks(low: f64, high: f64, wanted: usize) -> Vec<(f64, String)> {
    let raw = (high - low) / wanted.max(1) as f64;
    if !raw.is_finite() || raw <= 0.0 {
        return Vec::new();
    }
    let mut power = 1.0;
    while power > raw {
        power /= 10.0;
    }
    while power * 10.0 <= raw {
        power *= 10.0;
    }
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= raw * 0.999).unwrap_or(power * 10.0);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let mut all = Vec::new();
    let mut k = first;
    while k <= last && all.len() < 50 {
        let v = k * step;
        all.push((v, text(if v.abs() < step * 1e-6 { 0.0 } else { v }, step, low.abs().max(high.abs()))));
        k += 1.0;
    }
    all
}

/// A number with the decimals that its step needs.
pub(super) fn text(v: f64, step: f64, largest: f64) -> String {
    if largest >= 1e6 || step < 1e-5 {
        let text = format!("{v:.2e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        return if v == 0.0 { "0".to_owned() } else { minus(format!("{mantissa}e{exponent}")) };
    }
    let (mut decimals, mut s) = (0, step);
    while s < 0.999 && decimals < 8 {
        s *= 10.0;
        decimals += 1;
    }
    // 2.5 needs a decimal more than its power of ten says.
    if (s - s.round()).abs() > 1e-6 * s && decimals < 8 {
        decimals += 1;
    }
    minus(format!("{v:.decimals$}"))
}

/// The sign as print has it.
fn minus(s: String) -> String {
    s.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let of = |a, b, n| ticks(a, b, n).into_iter().map(|t| t.1).collect::<Vec<_>>().join(" ");
        assert_eq!(of(0.0, 1.0, 5), "0.0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(of(-46.2, -38.1, 5), "\u{2212}46 \u{2212}44 \u{2212}42 \u{2212}40");
        assert_eq!(of(0.0, 20.0, 4), "0 5 10 15 20");
        assert_eq!(of(-0.0004, 0.0004, 2), "0.0000");
        assert_eq!(of(0.0, 3e7, 3), "0 1e7 2e7 3e7");
        assert!(ticks(1.0, 1.0, 5).is_empty() && ticks(0.0, f64::INFINITY, 5).is_empty());
    }
}
