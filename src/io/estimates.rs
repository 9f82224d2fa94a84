//! `estimates.h5`: all estimates as columns, and whole surfaces with their bin edges.

use super::h5md::layout::{create, failed};
use crate::Result;
use crate::estimate::summary::{StageSummary, Summary};
use hdf5::Group;
use hdf5::types::VarLenUnicode;
use std::path::Path;

/// Writes the file beside the summary; it is complete or absent.
///
/// # Errors
/// `Error::Io` from the system.
pub fn write(path: &Path, summary: &Summary) -> Result<()> {
    let part = super::files::part_of(path);
    {
        let file = create(&part)?;
        fill(&file, summary).and_then(|()| file.flush()).map_err(failed(&part, "cannot write the estimates"))?;
    }
    super::files::sync_file(&part)?;
    super::files::rename(&part, path)
}

fn fill(file: &Group, summary: &Summary) -> hdf5::Result<()> {
    let table = file.create_group("estimates")?;
    let e = &summary.estimates;
    texts(&table, "stage", e.iter().map(|e| e.stage.clone()))?;
    texts(&table, "quantity", e.iter().map(|e| e.quantity.clone()))?;
    texts(&table, "unit", e.iter().map(|e| e.unit.clone().unwrap_or_default()))?;
    texts(&table, "conditions", e.iter().map(|e| serde_json::Value::Object(e.conditions.clone()).to_string()))?;
    for (name, value) in [
        ("value", e.iter().map(|e| e.value).collect::<Vec<f64>>()),
        ("stderr", e.iter().map(|e| e.stderr).collect()),
        ("n_eff", e.iter().map(|e| e.n_eff).collect()),
    ] {
        table.new_dataset_builder().with_data(&value).create(name)?;
    }
    let surfaces = file.create_group("surfaces")?;
    for stage in summary.stages.iter().filter(|s| !s.surfaces.is_empty()) {
        surface(&surfaces, stage)?;
    }
    Ok(())
}

/// `/surfaces/[POINT/]STAGE`: free_energy and stderr with one axis a column, edges_0, edges_1.
fn surface(at: &Group, stage: &StageSummary) -> hdf5::Result<()> {
    let mut group = at.clone();
    for part in stage.folder.split('/') {
        group = if group.link_exists(part) { group.group(part)? } else { group.create_group(part)? };
    }
    for s in &stage.surfaces {
        let shape: Vec<usize> = s.edges.iter().map(|e| e.len() - 1).collect();
        for (name, values) in [("free_energy", &s.free_energy), ("stderr", &s.stderr)] {
            let flat: Vec<f64> = values.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
            let data = ndarray::ArrayD::from_shape_vec(ndarray::IxDyn(&shape), flat).map_err(|e| hdf5::Error::from(e.to_string()))?;
            group.new_dataset_builder().with_data(&data).create(name)?;
        }
        for (k, edges) in s.edges.iter().enumerate() {
            group.new_dataset_builder().with_data(edges).create(format!("edges_{k}").as_str())?;
        }
        texts(&group, "of", s.of.iter().cloned())?;
    }
    Ok(())
}

fn texts(at: &Group, name: &str, values: impl Iterator<Item = String>) -> hdf5::Result<()> {
    let list: Vec<VarLenUnicode> =
        values.map(|v| v.replace('\0', " ").parse().map_err(|e| hdf5::Error::from(format!("{e}")))).collect::<hdf5::Result<_>>()?;
    at.new_dataset_builder().with_data(&list).create(name)?;
    Ok(())
}
