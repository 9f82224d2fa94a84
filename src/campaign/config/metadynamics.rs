//! Well-tempered metadynamics.

use super::column::Column;
use super::fields::{Fields, Number, Shown};
use super::placed::Placed;
use super::sample::Sample;
use crate::campaign::units::{Kind, number_text};

/// Lower and upper end.
pub type Span<Q> = (Placed<Q>, Placed<Q>);

/// Well-tempered metadynamics along one or two observables.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadynamics<Q = f64> {
    /// How the replicas move.
    pub sample: Sample<Q>,
    /// The biased observables.
    pub of: Vec<Placed<Column>>,
    /// Width of a hill along each.
    pub width: Vec<Placed<Q>>,
    /// Height of the first hill.
    pub height: Placed<Q>,
    /// (T + delta T) / T.
    pub bias_factor: Placed<f64>,
    /// Steps between two hills.
    pub every: Placed<u64>,
    /// Independent biases, each filled by the sample's replicas.
    pub copies: Placed<u64>,
    /// Where the bias is kept along each observable; none on a circle.
    pub range: Vec<Option<Span<Q>>>,
}

impl<Q> Metadynamics<Q> {
    pub(super) fn map(&self, sample: Sample, number: Number<'_, Q>) -> Metadynamics {
        let kind = |c: &Column| c.quantity().unwrap_or(Kind::Dimensionless);
        Metadynamics {
            sample,
            of: self.of.clone(),
            width: self.width.iter().zip(&self.of).map(|(w, c)| number("width", w, kind(c))).collect(),
            height: number("height", &self.height, Kind::Energy),
            bias_factor: self.bias_factor.clone(),
            every: self.every.clone(),
            copies: self.copies.clone(),
            range: (self.range.iter().zip(&self.of))
                .map(|(r, c)| r.as_ref().map(|(a, b)| (number("range", a, kind(c)), number("range", b, kind(c)))))
                .collect(),
        }
    }

    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        let kind = |c: &Column| c.quantity().unwrap_or(Kind::Dimensionless);
        let widths: Vec<String> = self.width.iter().zip(&self.of).map(|(w, c)| show(w, kind(c))).collect();
        let of: Vec<String> = self.of.iter().map(|c| super::quote(&c.text)).collect();
        let ranged = self.range.iter().zip(&self.of).filter_map(|(r, c)| r.as_ref().map(|r| (r, c)));
        let ranges: Vec<String> =
            ranged.map(|((a, b), c)| format!("{} = [{}, {}]", super::quote(&c.text), show(a, kind(c)), show(b, kind(c)))).collect();
        vec![
            ("of", format!("[{}]", of.join(", "))),
            ("width", format!("[{}]", widths.join(", "))),
            ("height", show(&self.height, Kind::Energy)),
            ("bias_factor", number_text(self.bias_factor.value)),
            ("every", self.every.to_string()),
            ("copies", self.copies.to_string()),
            ("range", format!("{{ {} }}", ranges.join(", "))),
        ]
    }
}
