//! What comes in and what goes out: molecular input, trajectories, checkpoints.

pub mod openmm;
