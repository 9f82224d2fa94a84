//! What an estimate stage says that reads other programs' files instead of an earlier stage.

use super::check_estimate::options;
use super::check_stage::{need, word};
use super::estimates::{EnergyUnit, Estimate, Leg, Method, Taken};
use super::leaf::Scalar;
use super::placed::Placed;
use super::raw;
use super::texts::Drafts;
use crate::campaign::estimate_files::Discard;
use crate::campaign::units::{Kind, Quantity, UnitSystem};

/// Checks an `estimate` table with `files` or `legs`.
pub(super) fn published(scope: &str, raw: &Placed<raw::Estimate>, drafts: &mut Drafts) -> Option<Estimate<Quantity>> {
    let wanted = "\"mbar\" (or \"bar\", \"ti\", \"exp\", \"work\")";
    let method = need(scope, "estimate", "method", wanted, raw.method.as_ref(), &raw.span, drafts)?.clone();
    if !matches!(method.value, Method::Mbar | Method::Bar | Method::Ti | Method::Exp | Method::Work) {
        let what = format!("{} of files: it reads what a stage of this campaign has stored", method.name());
        drafts.add(scope, &method.span, what, format!("of files there are {wanted}; write from = \"STAGE\" instead of files"));
    }
    let idle = [
        raw.from.as_ref().map(|f| ("from", &f.span)),
        raw.of.as_ref().map(|o| ("of", &o.span)),
        raw.bins.as_ref().map(|b| ("bins", &b.span)),
        raw.range.as_ref().map(|r| ("range", &r.span)),
        raw.smooth.as_ref().map(|s| ("smooth", &s.span)),
        raw.basins.as_ref().map(|b| ("basins", &b.span)),
    ];
    for (key, span) in idle.into_iter().flatten() {
        let what = format!("`{key}` of {scope} belongs to a stage of this campaign, and the stage reads files");
        drafts.add(scope, span, what, format!("remove {key}, or the files"));
    }
    if let (Some(_), Some(legs)) = (&raw.files, &raw.legs) {
        drafts.add(scope, &legs.span, format!("{scope} has both files and legs"), "give files of one leg, or legs = { NAME = [\"FILE\"] }");
    }
    let mut data = Vec::new();
    if let Some(files) = &raw.files {
        data.push(Leg { name: None, files: files.value.iter().map(word).collect() });
    }
    for (name, files) in raw.legs.iter().flat_map(|l| &l.value.0) {
        data.push(Leg { name: Some(name.clone()), files: files.value.iter().map(word).collect() });
    }
    let span = raw.files.as_ref().map(|f| &f.span).or(raw.legs.as_ref().map(|l| &l.span)).unwrap_or(&raw.span);
    if data.is_empty() || data.iter().any(|l| l.files.is_empty()) {
        let remedy = "write files = [\"dhdl.0.xvg\", ..]; an archive is one file: [\"all.tar.bz2\"]";
        drafts.add(scope, span, format!("{scope} names no files"), remedy);
    }
    let unit = raw.unit.clone().unwrap_or(Placed::default_of(EnergyUnit::Thermal));
    let from = Placed::default_of(String::new());
    let (rule, bootstraps) = options(scope, raw, method.value, drafts);
    let taken = taken(scope, raw, drafts);
    Some(Estimate { method, from, data, taken, of: Vec::new(), axes: Vec::new(), smooth: None, basins: Vec::new(), unit, rule, bootstraps })
}

/// How the files are taken. They are always in units of molecules.
fn taken(scope: &str, raw: &raw::Estimate, drafts: &mut Drafts) -> Taken {
    let mut taken = Taken { no_subsample: raw.no_subsample.as_ref().map(|f| f.with(f.value.0)), ..Taken::default() };
    if let Some(given) = &raw.temperature {
        match given.resolve("temperature", Kind::Temperature, UnitSystem::Molecular) {
            Ok(kelvin) if kelvin > 0.0 && kelvin.is_finite() => taken.temperature = Some(given.with(kelvin)),
            Ok(kelvin) => drafts.add(
                scope,
                &given.span,
                format!("`temperature` of {scope} is {kelvin} K: it must be positive and finite"),
                "write temperature = \"300 K\"",
            ),
            Err(misfit) => drafts.add(scope, &given.span, misfit.what, misfit.remedy),
        }
    }
    if let Some(given) = &raw.discard {
        let shown = match &given.value {
            Scalar::Text(text) => {
                taken.discard = Discard::parse(text).map(|d| given.with(d));
                format!("\"{text}\"")
            }
            Scalar::Whole(n) => n.to_string(),
            Scalar::Real(x) => x.to_string(),
        };
        if taken.discard.is_none() {
            drafts.add(scope, &given.span, format!("`discard` of {scope} is {shown}, and the stage reads files"), Discard::WRITTEN);
        }
    }
    taken
}
