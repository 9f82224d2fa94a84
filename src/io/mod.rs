//! Files: what goes in, what comes out, and what a resume needs.

pub mod alchemical;
pub mod checkpoint;
pub mod elements;
pub mod export;
pub mod files;
#[cfg(feature = "hdf5")]
pub mod h5md;
pub mod npy;
mod numpy;
pub mod openmm;
pub mod pdb;
pub mod reader;
pub mod segments;
pub mod selection;
pub mod sink;
pub mod structures;
pub mod topology;

#[cfg(feature = "hdf5")]
pub mod arviz;
#[cfg(feature = "hdf5")]
pub mod estimates;

use std::path::Path;

/// The files that a stage's frames go to: HDF5 when this build has it, NPY otherwise.
///
/// `dir` is the stage's folder; it is made when the sink is opened.
pub fn open_sink(dir: impl AsRef<Path>) -> Box<dyn sink::Sink> {
    #[cfg(feature = "hdf5")]
    {
        Box::new(h5md::SegmentSink::new(dir.as_ref()))
    }
    #[cfg(not(feature = "hdf5"))]
    {
        Box::new(npy::NpySink::new(dir.as_ref()))
    }
}
