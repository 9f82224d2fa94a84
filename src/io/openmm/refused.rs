//! Force classes that OpenMM has and this program does not, with the line of Python that makes a System without them
//! where that is right.

/// What to do about a force class that is not supported.
pub(super) fn remedy(class: &str) -> &'static str {
    match class {
        "CMAPTorsionForce" => {
            "it is part of the force field (ff19SB, CHARMM), so deleting it would change the physics; choose one without it: \
             forcefield = ForceField('amber14-all.xml', 'implicit/obc1.xml'), then \
             system = forcefield.createSystem(pdb.topology, nonbondedMethod=NoCutoff, constraints=None, rigidWater=False)"
        }
        "LCPOForce" => {
            "it is the surface term of the implicit solvent; re-create the System with the ACE approximation, \
             system = forcefield.createSystem(pdb.topology, sasaMethod='ACE', constraints=None, rigidWater=False), or with sasaMethod=None: \
             both are other models, say so when you publish"
        }
        "MonteCarloBarostat" | "MonteCarloAnisotropicBarostat" | "MonteCarloMembraneBarostat" | "MonteCarloFlexibleBarostat" => {
            "constant pressure needs a periodic box, which is not supported yet; for a molecule in vacuum or implicit solvent leave out \
             system.addForce(MonteCarloBarostat(...)) before serialising"
        }
        "AndersenThermostat" => {
            "the campaign sets the temperature, not the System; leave out system.addForce(AndersenThermostat(...)) before serialising, \
             and write temperature = \"300 K\" in the stage"
        }
        "RBTorsionForce" => "Ryckaert-Bellemans torsions (OPLS, GROMACS) are not supported yet; deleting them would change the physics",
        "CustomExternalForce" | "CustomCVForce" | "RMSDForce" | "CustomCentroidBondForce" | "RGForce" | "OrientationRestraintForce" => {
            "if it is a restraint or bias that a script added, leave out its system.addForce(...) before serialising; \
             its formula is not interpreted here"
        }
        "CustomBondForce"
        | "CustomAngleForce"
        | "CustomTorsionForce"
        | "CustomNonbondedForce"
        | "CustomCompoundBondForce"
        | "CustomHbondForce"
        | "CustomManyParticleForce"
        | "CustomVolumeForce" => {
            "formulas of custom forces are not interpreted (CustomGBForce is recognised when it is HCT, OBC1, OBC2, GBn or GBn2); if the \
             force field is AMBER's, ForceField('amber14-all.xml') makes a System without them"
        }
        "GayBerneForce" | "ATMForce" | "ConstantPotentialForce" | "PythonForce" => "this program has no such interaction yet",
        _ if class.starts_with("Amoeba") || class.starts_with("Hippo") || class.starts_with("Drude") => {
            "polarisable force fields are not supported; choose a fixed-charge one, for example ForceField('amber14-all.xml', 'implicit/obc1.xml')"
        }
        _ => {
            "supported are HarmonicBondForce, HarmonicAngleForce, PeriodicTorsionForce, NonbondedForce, GBSAOBCForce, CustomGBForce (HCT, OBC1, \
             OBC2, GBn, GBn2) and CMMotionRemover"
        }
    }
}

/// What to do about constraints.
pub(super) const CONSTRAINTS: &str = "re-create the System with \
    system = forcefield.createSystem(pdb.topology, constraints=None, rigidWater=False), then serialise it again; \
    deleting <Constraint> lines from this file would be wrong: the constrained bonds have no HarmonicBondForce entry, so nothing would hold the atoms";

/// What to do about virtual sites.
pub(super) const VIRTUAL_SITES: &str =
    "virtual sites (TIP4P water, some ligands) are not supported; choose a model without them, for example implicit solvent";

/// What to do about particles of mass 0.
pub(super) const MASSLESS: &str = "particles of mass 0 (fixed in OpenMM) are not supported yet; \
    system.setParticleMass(i, mass) gives particle i its mass back, after which it moves";
