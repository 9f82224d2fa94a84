//! A plain radix-2 fast Fourier transform: the same additions in the same order on every machine.

use crate::real::Real;

/// Transform of a fixed power-of-two length (at least 4) on split real and imaginary arrays.
///
///   forward: X_k = sum_n x_n exp(-2 pi i n k / N), left in bit-reversed order
///   inverse: N x_n from bit-reversed X_k (unscaled)
///
/// Products of spectra need no order, so the reordering is never done. In bit-reversed order the first half holds the even k.
/// Source: Cooley and Tukey, Math. Comp. 19, 297 (1965); decimation in frequency forth, in time back.
pub(super) struct Fft {
    length: usize,
    /// `cos(pi j / h)` at index `h + j`, for each half length h = 1, 2, 4 ... N/2.
    cos: Vec<f64>,
    /// `sin(pi j / h)`, likewise.
    sin: Vec<f64>,
}

impl Fft {
    /// Tables for `length` points; `length` is rounded up to a power of two, at least 4.
    pub(super) fn new(length: usize) -> Self {
        let length = length.max(4).next_power_of_two();
        let (mut cos, mut sin) = (vec![0.0; length], vec![0.0; length]);
        let top = length / 2;
        for j in 0..top {
            let (s, c) = Real::sin_cos(std::f64::consts::PI * (j as f64 / top as f64));
            cos[top + j] = c;
            sin[top + j] = s;
        }
        for at in (1..top).rev() {
            cos[at] = cos[2 * at];
            sin[at] = sin[2 * at];
        }
        // index h + j of half length h equals index 2h + 2j of half length 2h: the same angle
        Fft { length, cos, sin }
    }

    /// Number of points.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// In place; the result is in bit-reversed order.
    pub(super) fn forward(&self, re: &mut [f64], im: &mut [f64]) {
        let mut half = self.length / 2;
        while half >= 4 {
            let (cos, sin) = (&self.cos[half..2 * half], &self.sin[half..2 * half]);
            for (re, im) in re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half)) {
                let (ar, br) = re.split_at_mut(half);
                let (ai, bi) = im.split_at_mut(half);
                for j in 0..half {
                    let (dr, di) = (ar[j] - br[j], ai[j] - bi[j]);
                    ar[j] += br[j];
                    ai[j] += bi[j];
                    br[j] = dr * cos[j] + di * sin[j];
                    bi[j] = di * cos[j] - dr * sin[j];
                }
            }
            half /= 2;
        }
        for (r, i) in re.chunks_exact_mut(4).zip(im.chunks_exact_mut(4)) {
            let (ar, ai, br, bi) = (r[0] + r[2], i[0] + i[2], r[1] + r[3], i[1] + i[3]);
            let (cr, ci, dr, di) = (r[0] - r[2], i[0] - i[2], i[1] - i[3], r[3] - r[1]); // d = -i (x1 - x3)
            r.copy_from_slice(&[ar + br, ar - br, cr + dr, cr - dr]);
            i.copy_from_slice(&[ai + bi, ai - bi, ci + di, ci - di]);
        }
    }

    /// In place, from bit-reversed order, without the factor 1/N.
    pub(super) fn inverse(&self, re: &mut [f64], im: &mut [f64]) {
        for (r, i) in re.chunks_exact_mut(4).zip(im.chunks_exact_mut(4)) {
            let (ar, ai, br, bi) = (r[0] + r[1], i[0] + i[1], r[2] + r[3], i[2] + i[3]);
            let (cr, ci, dr, di) = (r[0] - r[1], i[0] - i[1], i[3] - i[2], r[2] - r[3]); // d = i (x2 - x3)
            r.copy_from_slice(&[ar + br, cr + dr, ar - br, cr - dr]);
            i.copy_from_slice(&[ai + bi, ci + di, ai - bi, ci - di]);
        }
        let mut half = 4;
        while half < self.length {
            let (cos, sin) = (&self.cos[half..2 * half], &self.sin[half..2 * half]);
            for (re, im) in re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half)) {
                let (ar, br) = re.split_at_mut(half);
                let (ai, bi) = im.split_at_mut(half);
                for j in 0..half {
                    let (tr, ti) = (br[j] * cos[j] - bi[j] * sin[j], bi[j] * cos[j] + br[j] * sin[j]);
                    br[j] = ar[j] - tr;
                    bi[j] = ai[j] - ti;
                    ar[j] += tr;
                    ai[j] += ti;
                }
            }
            half *= 2;
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test may ask the system's mathematics")]
mod tests {
    use super::Fft;

    #[test]
    fn matches_the_sum_and_returns() {
        for length in [4usize, 8, 64, 512] {
            let fft = Fft::new(length);
            let x: Vec<(f64, f64)> = (0..length).map(|n| (((n * n) % 17) as f64 - 8.0, ((3 * n) % 11) as f64)).collect();
            let (mut re, mut im): (Vec<f64>, Vec<f64>) = x.iter().copied().unzip();
            fft.forward(&mut re, &mut im);
            let bits = length.trailing_zeros();
            for p in 0..length {
                let k = p.reverse_bits() >> (usize::BITS - bits);
                let (mut sr, mut si) = (0.0, 0.0);
                for (n, &(a, b)) in x.iter().enumerate() {
                    let (s, c) = (-2.0 * std::f64::consts::PI * ((n * k) % length) as f64 / length as f64).sin_cos();
                    sr += a * c - b * s;
                    si += a * s + b * c;
                }
                assert!((re[p] - sr).abs() < 1e-11 * length as f64 && (im[p] - si).abs() < 1e-11 * length as f64, "{length} {p}");
            }
            fft.inverse(&mut re, &mut im);
            for (n, &(a, b)) in x.iter().enumerate() {
                assert!((re[n] / length as f64 - a).abs() < 1e-12 && (im[n] / length as f64 - b).abs() < 1e-12);
            }
        }
    }
}
