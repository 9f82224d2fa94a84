//! A campaign as written: parsed, typed, spanned, with its sweep expanded.

use std::ops::Range;
use std::sync::Arc;

use super::document::{self, Override, Tree};
use super::estimates::{Basin, Diagnostics};
use super::path::Path;
use super::placed::Placed;
use super::resolved::Interval;
use super::stage::Stage;
use super::system::System;
use super::texts::{Drafts, Texts};
use super::{check, typing};
use crate::campaign::sweep;
use crate::campaign::units::Quantity;
use crate::error::{At, Complaint, Result, Source};

/// A campaign file, typed. Quantities are as written; [`Campaign::resolve`] makes numbers of them.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Name; also that of the run directory.
    pub name: Placed<String>,
    /// One line for the report.
    pub title: Option<String>,
    /// More for the report.
    pub description: Option<String>,
    /// Seed; none: the runner draws one.
    pub seed: Option<Placed<u64>>,
    /// When checkpoints are written.
    pub checkpoint: Placed<Interval>,
    /// Which system.
    pub system: System,
    /// What lambda does.
    pub path: Option<Placed<Path<Quantity>>>,
    /// Declared regions.
    pub basins: Vec<Basin<Quantity>>,
    /// Stages in order.
    pub stages: Vec<Stage<Quantity>>,
    /// Thresholds of the verdict.
    pub diagnostics: Diagnostics,
    /// Swept keys; empty without a sweep. The fields above then hold the first value of each.
    pub sweep: Vec<SweptKey>,
    pub(super) points: Vec<Point>,
    pub(super) texts: Arc<Texts>,
}

/// A swept key with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct SweptKey {
    /// Address in its shortest form: "production.timestep".
    pub key: String,
    /// Values in order, each as TOML would write it.
    pub values: Vec<String>,
}

/// One combination of swept values.
#[derive(Clone, Debug)]
pub struct Point {
    /// Unique, fit for a folder's name: "timestep=2fs,temperature=300K"; empty without a sweep.
    pub label: String,
    /// Swept keys and their values with units: ("production.timestep", "2 fs"); part of every key of random numbers.
    pub values: Vec<(String, String)>,
    /// The campaign with these values and no sweep.
    pub campaign: Campaign,
}

impl Campaign {
    /// Reads a campaign; `sets` are `--set KEY=VALUE` overrides, applied in order before the sweep is expanded.
    ///
    /// Errors: [`crate::Error::Input`] with everything that could be found wrong in one go. Quantities are not yet checked against the
    /// system's units: that is done by [`Campaign::resolve`].
    pub fn parse(source: &Source, sets: &[(String, String)]) -> Result<Campaign> {
        let mut texts = Texts::new(source);
        let overrides: Vec<Override> = sets.iter().map(|(key, value)| Override::new(key, value, &mut texts)).collect();
        let mut drafts = Drafts::default();
        let mut tree = document::parse(&source.text, &mut drafts);
        if !drafts.is_empty() {
            return Err(drafts.into_error(&texts));
        }
        for given in &overrides {
            given.apply(&mut tree, &mut drafts);
        }
        let axes = sweep::take(&mut tree, &texts, &mut drafts);
        sweep::refuse_set(&axes, &overrides.iter().map(|o| (o.key.as_str(), o.base)).collect::<Vec<_>>(), &tree, &mut drafts);
        let texts = Arc::new(texts);
        if axes.is_empty() {
            let campaign = Campaign::type_tree(&tree, &texts, &mut drafts);
            return if drafts.is_empty() { Ok(campaign) } else { Err(drafts.into_error(&texts)) };
        }
        if !drafts.is_empty() {
            typing::read(&tree, &mut drafts);
            return Err(drafts.into_error(&texts));
        }
        let mut points = Vec::new();
        let mut refused = 0;
        for chosen in sweep::combinations(&axes) {
            let mut at_point = tree.clone();
            sweep::apply(&axes, &chosen, &mut at_point, &mut drafts);
            let campaign = Campaign::type_tree(&at_point, &texts, &mut drafts);
            // the same complaints at a thousand points are not worth a second of waiting
            refused += usize::from(!drafts.is_empty());
            if drafts.full() || refused > 50 {
                break;
            }
            points.push(Point { label: sweep::label(&axes, &chosen), values: sweep::values(&axes, &chosen), campaign });
        }
        if !drafts.is_empty() {
            return Err(drafts.into_error(&texts));
        }
        let mut whole = match points.first() {
            Some(first) => first.campaign.clone(),
            None => Campaign::type_tree(&tree, &texts, &mut drafts),
        };
        whole.sweep = axes
            .iter()
            .map(|axis| SweptKey { key: axis.key.clone(), values: axis.values.iter().map(|v| v.toml.clone()).collect() })
            .collect();
        whole.points = points;
        Ok(whole)
    }

    fn type_tree(tree: &Tree<'_>, texts: &Arc<Texts>, drafts: &mut Drafts) -> Campaign {
        let document = typing::read(tree, drafts);
        check::campaign(document, texts, drafts)
    }

    /// One campaign for every combination of swept values, the last key fastest; one point without values if nothing is swept.
    pub fn points(&self) -> Vec<Point> {
        if self.points.is_empty() {
            return vec![Point { label: String::new(), values: Vec::new(), campaign: self.clone() }];
        }
        self.points.clone()
    }

    /// Fixes the seed, of every point that has none.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed.get_or_insert(Placed::default_of(seed));
        for point in &mut self.points {
            point.campaign.set_seed(seed);
        }
    }

    /// The place of a span, for complaints that need the system; none for a default.
    pub fn locate(&self, span: &Range<usize>) -> Option<At> {
        self.texts.locate(span)
    }

    /// A complaint about a value of this campaign.
    pub fn complaint(&self, span: &Range<usize>, what: impl Into<String>, remedy: impl Into<String>) -> Complaint {
        self.texts.complaint(span, what, remedy)
    }

    pub(super) fn refuse(&self, drafts: Drafts) -> crate::Error {
        drafts.into_error(&self.texts)
    }

    /// The stage of this name.
    pub fn stage(&self, name: &str) -> Option<&Stage<Quantity>> {
        self.stages.iter().find(|s| s.name.value == name)
    }
}

/// Equal in content, wherever it was written.
impl PartialEq for Campaign {
    fn eq(&self, other: &Self) -> bool {
        let head = |c: &Campaign| (c.name.clone(), c.title.clone(), c.description.clone(), c.seed.clone(), c.checkpoint.clone());
        let body =
            |c: &Campaign| (c.system.clone(), c.path.clone(), c.basins.clone(), c.stages.clone(), c.diagnostics.clone(), c.sweep.clone());
        head(self) == head(other) && body(self) == body(other)
    }
}
