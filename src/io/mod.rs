//! Files: what goes in, what comes out, and what a resume needs.

pub mod openmm;
pub mod sink;
