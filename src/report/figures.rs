//! Figures on their way to files and into the page.

use super::page::{Figure, Picture, plain};
use super::plot::Chart;
use crate::Result;
use crate::io::files;
use std::path::{Path, PathBuf};

/// Bytes that pictures may take in the page; what is beyond is linked.
const BUDGET: usize = 1_400_000;

/// Writes figures and remembers how much of the page they fill.
pub(super) struct Figures {
    dir: PathBuf,
    names: Vec<String>,
    used: usize,
}

impl Figures {
    /// Figures in `DIR/figures`.
    ///
    /// # Errors
    /// `Error::Io`.
    pub(super) fn new(dir: &Path) -> Result<Figures> {
        let dir = dir.join("figures");
        files::make_dir(&dir)?;
        Ok(Figures { dir, names: Vec::new(), used: 0 })
    }

    /// Draws a chart to `name.svg`, `name.png` and `name.csv` and gives it for the page: as SVG, as PNG where that is much smaller
    /// (heat maps), or as links when the page is full.
    ///
    /// # Errors
    /// `Error::Io`, `Error::Run` if it cannot be drawn.
    pub(super) fn add(&mut self, name: &str, caption: impl Into<String>, chart: &Chart) -> Result<Figure> {
        let plain = plain(name);
        let mut name = plain.clone();
        let mut n = 2;
        while self.names.contains(&name) {
            name = format!("{plain}-{n}");
            n += 1;
        }
        self.names.push(name.clone());
        let drawn = chart.draw()?;
        files::write_atomic(&self.dir.join(format!("{name}.svg")), drawn.svg.as_bytes())?;
        files::write_atomic(&self.dir.join(format!("{name}.png")), &drawn.png)?;
        files::write_atomic(&self.dir.join(format!("{name}.csv")), drawn.csv.as_bytes())?;
        let in_base64 = drawn.png.len().div_ceil(3) * 4;
        let picture = if in_base64 * 3 < drawn.svg.len() * 2 { Picture::Png(base64(&drawn.png)) } else { Picture::Svg(drawn.svg) };
        let size = match &picture {
            Picture::Svg(text) | Picture::Png(text) => text.len(),
            Picture::Linked => 0,
        };
        let picture = if self.used + size <= BUDGET { picture } else { Picture::Linked };
        if !matches!(picture, Picture::Linked) {
            self.used += size;
        }
        Ok(Figure { name, caption: caption.into(), width: chart.width, height: chart.height, picture })
    }
}

/// Base 64 of RFC 4648 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for k in 0..4 {
            let digit = ALPHABET[(word >> (18 - 6 * k)) as usize & 63] as char;
            out.push(if k <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_as_in_the_rfc() {
        // RFC 4648, section 10.
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(super::base64(plain.as_bytes()), coded);
        }
    }
}
