//! What comes in and what goes out: molecular input, trajectories, checkpoints.

pub mod elements;
pub mod openmm;
pub mod pdb;
pub mod selection;
pub mod structures;
pub mod topology;
