//! Files: what goes in, what comes out, and what a resume needs.

pub mod elements;
pub mod openmm;
pub mod pdb;
pub mod selection;
pub mod sink;
pub mod structures;
pub mod topology;
