//! Systems as OpenMM serialises them (`XmlSerializer.serialize(system)`).

mod system;

pub use system::{
    Angle, Bond, Bonded, COULOMB, Exception, ForceInfo, Implicit, ImplicitKind, Method, MolecularSystem, Neck, Nonbonded, Torsion,
};
