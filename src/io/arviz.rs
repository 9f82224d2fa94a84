//! Chains for ArviZ: posterior (chain, draw) of every scalar column, as an InferenceData file that xarray opens too.
//!
//! A plain HDF5 file serves when it has dimension scales: `CLASS` = `DIMENSION_SCALE` on the coordinates and
//! `DIMENSION_LIST`, references to them, on the variables (netCDF-4's rules; `engine="h5netcdf"`).

use super::files;
use super::h5md::{Slab, attribute, attribute_list, bytes_attribute, create, failed, provenance};
use super::reader::Stage;
use super::sink::{Column, Kind};
use crate::Result;
use hdf5::types::VarLenArray;
use hdf5::{Dataset, Group, H5Type, ObjectReference1};
use std::path::Path;

/// Frames that are turned from (draw, replica) to (chain, draw) at a time.
const BLOCK: u64 = 4096;

/// Names that ArviZ looks for among the sample statistics.
const STATISTICS: [&str; 8] = ["lp", "energy", "acceptance_rate", "diverging", "step_size", "tree_depth", "n_steps", "energy_error"];

/// Writes the chains of a stage: every scalar observable, and the positions of a density on R^n as one variable
/// (chain, draw, dof). Nothing is written for a stage without such columns.
///
/// # Errors
/// `Error::Io`, `Error::Damaged` when a segment cannot be read.
pub fn write(stage: &Stage, path: &Path) -> Result<()> {
    let names = stage.scalars();
    if names.is_empty() || stage.frames() == 0 {
        return Ok(());
    }
    let part = files::part_of(path);
    let refused = failed(path, "cannot write the chains");
    let file = create(&part)?;
    provenance(&file, &stage.header).map_err(&refused)?;
    for (group, all) in [("posterior", true), ("sample_stats", false)] {
        let columns: Vec<&Column> = stage.header.columns.iter().filter(|c| chosen(stage, c, all)).collect();
        if columns.is_empty() {
            continue;
        }
        let group = file.create_group(group).map_err(&refused)?;
        let scales = Scales::new(&group, stage).map_err(&refused)?;
        for column in columns {
            for (k, name) in parts(column) {
                scales.variable(stage, column, k, &name)?;
            }
        }
    }
    file.flush().map_err(&refused)?;
    file.close().map_err(&refused)?;
    files::sync_file(&part)?;
    files::rename(&part, path)
}

fn chosen(stage: &Stage, column: &Column, posterior: bool) -> bool {
    let particles = column.kind != Kind::Observable && stage.header.particles > 0;
    !particles && (posterior || STATISTICS.contains(&column.name.as_str()))
}

/// A variable each for named numbers; otherwise the column as it is.
fn parts(column: &Column) -> Vec<(Option<usize>, String)> {
    let name = |text: &str| text.replace('/', "|");
    if column.width > 1 && column.labels.len() == column.width {
        return column.labels.iter().enumerate().map(|(k, label)| (Some(k), name(&format!("{}.{label}", column.name)))).collect();
    }
    vec![(None, name(&column.name))]
}

struct Scales<'g> {
    group: &'g Group,
}

impl<'g> Scales<'g> {
    fn new(group: &'g Group, stage: &Stage) -> hdf5::Result<Self> {
        attribute(group, "inference_library", "ergodica")?;
        attribute(group, "inference_library_version", env!("CARGO_PKG_VERSION"))?;
        let scales = Scales { group };
        scales.coordinate("chain", stage.header.replicas)?;
        scales.coordinate("draw", stage.frames() as usize)?;
        Ok(scales)
    }

    fn coordinate(&self, name: &str, n: usize) -> hdf5::Result<()> {
        let values: Vec<i64> = (0..n as i64).collect();
        let dataset = self.group.new_dataset_builder().with_data(&values).create(name)?;
        bytes_attribute(&dataset, "CLASS", "DIMENSION_SCALE")?;
        bytes_attribute(&dataset, "NAME", name)
    }

    /// A dataset with its dimensions attached.
    fn dataset<T: H5Type>(&self, name: &str, dimensions: &[&str], shape: &[usize]) -> hdf5::Result<Dataset> {
        let mut chunk = shape.to_vec();
        chunk[1] = chunk[1].min(BLOCK as usize);
        chunk[0] = chunk[0].min(1 + (1 << 16) / chunk[1..].iter().product::<usize>().max(1));
        let builder = self.group.new_dataset_builder().empty::<T>().shape(shape.to_vec()).chunk(chunk);
        let dataset = builder.shuffle().deflate(1).create(name)?;
        let references = dimensions.iter().map(|d| Ok(VarLenArray::from_slice(&[self.group.reference::<ObjectReference1>(d)?])));
        let references = references.collect::<hdf5::Result<Vec<_>>>()?;
        dataset.new_attr_builder().with_data(&references).create("DIMENSION_LIST")?;
        Ok(dataset)
    }

    fn variable(&self, stage: &Stage, column: &Column, k: Option<usize>, name: &str) -> Result<()> {
        let path = self.group.filename();
        let refused = failed(Path::new(&path), "cannot write the chains");
        let (replicas, frames) = (stage.header.replicas, stage.frames());
        let width = if k.is_some() { 1 } else { column.width };
        let vector = format!("{name}_dim_0");
        let (mut dimensions, mut shape) = (vec!["chain", "draw"], vec![replicas, frames as usize]);
        if width != 1 {
            self.coordinate(&vector, width).map_err(&refused)?;
            dimensions.push(&vector);
            shape.push(width);
        }
        let dataset = self.dataset::<f64>(name, &dimensions, &shape).map_err(&refused)?;
        let annotate = || -> hdf5::Result<()> {
            column.unit.as_deref().map_or(Ok(()), |unit| attribute(&dataset, "units", unit))?;
            if column.labels.is_empty() || k.is_some() { Ok(()) } else { attribute_list(&dataset, "labels", &column.labels) }
        };
        annotate().map_err(&refused)?;
        let mut first = 0;
        while first < frames {
            let n = BLOCK.min(frames - first) as usize;
            let rows = stage.values(&column.name, first..first + n as u64, 0..replicas)?;
            let mut turned = Vec::with_capacity(replicas * n * width);
            for r in 0..replicas {
                for draw in 0..n {
                    let row = &rows[(draw * replicas + r) * column.width..][..column.width];
                    turned.extend_from_slice(k.map_or(row, |k| &row[k..=k]));
                }
            }
            let mut axes = vec![(0, replicas), (first as usize, n)];
            axes.extend((width != 1).then_some((0, width)));
            Slab::new(&axes).write(&dataset, &turned).map_err(&refused)?;
            first += n as u64;
        }
        Ok(())
    }
}
