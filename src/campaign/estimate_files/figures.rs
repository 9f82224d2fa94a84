//! Figures of an analysis: overlap, mean gradients, free energy along the states, convergence, histograms of work.

use super::answer::LegAnalysis;
use super::{Analysis, Unit};
use crate::Result;
use crate::report::free_energy::{self, FreeEnergyFigure, Gradient};
use std::path::{Path, PathBuf};

/// Writes the figures of one leg as SVG, PNG and CSV, their names beginning with what `named` makes of them; the pictures written.
pub(super) fn write(analysis: &Analysis, leg: &LegAnalysis, dir: &Path, named: &dyn Fn(&str) -> String) -> Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    let mut put = |name: &str, figure: Option<FreeEnergyFigure>| -> Result<()> {
        if let Some(figure) = figure {
            let name = named(name);
            figure.write(dir, &name)?;
            written.push(dir.join(format!("{name}.png")));
        }
        Ok(())
    };
    for answer in leg.answers.iter().filter(|a| !a.overlap.is_empty()) {
        let names: Vec<String> = answer.points.iter().map(|p| p.name.clone()).collect();
        put(&format!("figure-{}-overlap", answer.key), free_energy::overlap(&names, &answer.overlap))?;
    }
    let best = ["mbar", "bar", "ti"].iter().find_map(|key| leg.answers.iter().find(|a| a.key == *key));
    if let Some(answer) = best {
        let names: Vec<String> = answer.points.iter().map(|p| p.name.clone()).collect();
        let error: Vec<f64> = (0..names.len()).map(|k| answer.delta(0, k).1).collect();
        let f: Vec<f64> = (0..names.len()).map(|k| answer.delta(0, k).0).collect();
        put(&format!("figure-{}-states", answer.key), free_energy::states(&names, &f, &error, analysis.unit.name()))?;
    }
    if let Some(profile) = &leg.profile {
        let (f, stderr): (Vec<f64>, Vec<f64>) = profile.f.iter().copied().unzip();
        put("figure-pmf", free_energy::profile(&profile.z, &f, &stderr, analysis.unit.name()))?;
    }
    for found in &leg.convergence {
        let (name, quantity) = (format!("figure-{}-convergence", found.key), format!("\u{394}F by {}", found.label));
        put(&name, free_energy::convergence(&found.stability.parts, &quantity, analysis.unit.name()))?;
    }
    if let (Some((forward, reverse)), Some(bar)) = (&leg.works, leg.answers.iter().find(|a| a.key == "bar"))
        && let Some(per_kt) = analysis.unit.per_kt(leg.temperature)
    {
        let scaled = |w: &[f64]| -> Vec<f64> { w.iter().map(|v| v * per_kt).collect() };
        put("figure-work", free_energy::work(&scaled(forward), &scaled(reverse), bar.total(), analysis.unit.name()))?;
    }
    if let Some(ti) = leg.answers.iter().find(|a| a.key == "ti") {
        put("figure-ti-gradients", gradients(leg, ti.total(), analysis.unit))?;
    }
    Ok(written)
}

/// Mean gradients in kT with the total in kT.
fn gradients(leg: &LegAnalysis, total: (f64, f64), unit: Unit) -> Option<FreeEnergyFigure> {
    let per_kt = unit.per_kt(leg.temperature)?;
    let rows: Vec<_> = leg.windows.iter().filter(|w| w.mean_gradient.len() == leg.components.len()).collect();
    let mut columns = Vec::new();
    for c in 0..leg.components.len() {
        let lambda: Vec<f64> = rows.iter().map(|w| w.lambdas.get(c).copied()).collect::<Option<_>>()?;
        let mean: Vec<f64> = rows.iter().map(|w| w.mean_gradient[c].0).collect();
        let stderr: Vec<f64> = rows.iter().map(|w| w.mean_gradient[c].1).collect();
        columns.push((lambda, mean, stderr));
    }
    let components: Vec<Gradient<'_>> =
        leg.components.iter().zip(&columns).map(|(name, (lambda, mean, stderr))| Gradient { name, lambda, mean, stderr }).collect();
    free_energy::gradients(&components, (total.0 / per_kt, total.1 / per_kt), "kT")
}
