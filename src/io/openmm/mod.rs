//! Systems as OpenMM serialises them (`XmlSerializer.serialize(system)`).

mod system;

pub use system::{
    Angle, Bond, Bonded, COULOMB, Exception, ForceInfo, Implicit, ImplicitKind, MAX_PERIODICITY, Method, MolecularSystem, Neck, Nonbonded,
    Torsion,
};
