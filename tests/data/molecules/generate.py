"""Molecules and particle systems with OpenMM's energies and forces: writes NAME.xml and NAME.ref.json beside itself.

Needs: pip install openmm==8.6.1 numpy PeptideBuilder. Everything is deterministic; energies come from the Reference platform (float64).
The `random_*` systems have no chemistry: arbitrary bonds, angles, torsions, charges, exceptions, radii and necks, so that
every branch of every formula is taken. The others are force fields from OpenMM's wheel on molecules built here.
"""

import json
import math
import os
import sys

import numpy as np
import openmm as mm
from openmm import app, unit
from openmm.app.internal import customgbforces as gb

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, system, configurations, note, folder=HERE):
    for i, force in enumerate(system.getForces()):
        force.setForceGroup(i)
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    configs = []
    for k, x in enumerate(configurations):
        x = np.round(np.asarray(x), 5)
        context.setPositions(x)
        terms = []
        for i in range(system.getNumForces()):
            state = context.getState(getEnergy=True, groups={i})
            terms.append(state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole))
        state = context.getState(getEnergy=True, getForces=True)
        forces = state.getForces(asNumpy=True).value_in_unit(unit.kilojoule_per_mole / unit.nanometer)
        energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
        if not (np.isfinite(energy) and np.all(np.isfinite(forces))):
            continue  # HCT among crowded particles: 1/or < I, a negative radius
        configs.append({
            "id": k,
            "energy": float(f"{energy:.15g}"),
            "terms": [float(f"{t:.15g}") for t in terms],
            "x": [float(f"{v:.5f}") for v in x.ravel()],
            "f": [float(f"{v:.13g}") for v in forces.ravel()],
        })
    for force in system.getForces():
        force.setForceGroup(0)
    with open(os.path.join(folder, name + ".xml"), "w") as out:
        out.write(mm.XmlSerializer.serialize(system))
    head = {
        "system": name + ".xml",
        "platform": f"OpenMM {mm.__version__} Reference (float64)",
        "units": {"x": "nm", "energy": "kJ/mol", "force": "kJ/mol/nm"},
        "n_atoms": system.getNumParticles(),
        "terms": [type(f).__name__ for f in system.getForces()],
        "note": note,
    }
    with open(os.path.join(folder, name + ".ref.json"), "w") as out:
        text = json.dumps(head, indent=0)[:-2] + ',\n"configs": [\n'
        out.write(text + ",\n".join(json.dumps(c, separators=(",", ":")) for c in configs) + "\n]}\n")
    print(name, system.getNumParticles(), "atoms", head["terms"], [round(c["energy"], 3) for c in configs])


def scatter(rng, n, side, nearest):
    """n points in a cube, none nearer to another than `nearest`."""
    points = []
    while len(points) < n:
        p = rng.uniform(0, side, 3)
        if all(np.linalg.norm(p - q) > nearest for q in points):
            points.append(p)
    return np.array(points)


def random_bonded(rng, system, n, sets=1):
    for _ in range(sets):
        force = mm.HarmonicBondForce()
        for _ in range(2 * n):
            i, j = rng.choice(n, 2, replace=False)
            force.addBond(int(i), int(j), rng.uniform(0, 0.4), rng.choice([0.0, rng.uniform(1, 1e5)], p=[0.1, 0.9]))
        system.addForce(force)
    for _ in range(sets):
        force = mm.PeriodicTorsionForce()
        for _ in range(2 * n):
            atoms = [int(a) for a in rng.choice(n, 4, replace=False)]
            for _ in range(rng.integers(1, 4)):
                phase = rng.choice([0.0, math.pi, 3.14159, rng.uniform(-7, 7)])
                order = atoms if rng.random() < 0.5 else atoms[::-1]
                force.addTorsion(*order, int(rng.integers(1, 7)), float(phase), rng.normal(0, 10))
        system.addForce(force)
    for _ in range(sets):
        force = mm.HarmonicAngleForce()
        for _ in range(2 * n):
            atoms = [int(a) for a in rng.choice(n, 3, replace=False)]
            force.addAngle(*atoms, float(rng.choice([0.0, math.pi, rng.uniform(0, math.pi)])), rng.uniform(0, 500))
        system.addForce(force)


def random_nonbonded(rng, system, n, charges, method, cutoff, dielectric):
    force = mm.NonbondedForce()
    for q in charges:
        sigma, epsilon = rng.uniform(0.05, 0.3), rng.uniform(0.1, 2)
        kind = rng.random()
        force.addParticle(q, 0.0 if kind < 0.1 else sigma, 0.0 if 0.1 <= kind < 0.3 else epsilon)
    pairs = {tuple(sorted(int(a) for a in rng.choice(n, 2, replace=False))) for _ in range(2 * n)}
    for i, j in sorted(pairs):
        if rng.random() < 0.4:
            force.addException(i, j, 0, 1, 0)
        else:
            i, j = (i, j) if rng.random() < 0.5 else (j, i)
            force.addException(i, j, rng.normal(0, 0.3), rng.uniform(0.05, 0.3), rng.choice([0.0, rng.uniform(0, 2)]))
    force.setNonbondedMethod(method)
    force.setCutoffDistance(cutoff)
    force.setReactionFieldDielectric(dielectric)
    force.setUseDispersionCorrection(False)
    system.addForce(force)


def random_implicit(rng, system, kind, charges, cutoff, surface):
    n = len(charges)
    radii = rng.uniform(0.105, 0.195, n)
    screens = rng.uniform(0.2, 1.8, n) if kind != "gbn2" else rng.uniform(-0.6, 1.8, n)
    if kind == "gbsaobc":
        force = mm.GBSAOBCForce()
        for q, r, s in zip(charges, radii, screens):
            force.addParticle(q, r, s)
        force.setSoluteDielectric(1.7)
        force.setSolventDielectric(66.0)
        force.setSurfaceAreaEnergy(1.9 if surface else 0.0)
        if cutoff:
            force.setNonbondedMethod(mm.GBSAOBCForce.CutoffNonPeriodic)
            force.setCutoffDistance(cutoff)
        system.addForce(force)
        return
    make = {"hct": gb.GBSAHCTForce, "obc1": gb.GBSAOBC1Force, "obc2": gb.GBSAOBC2Force, "gbn": gb.GBSAGBnForce, "gbn2": gb.GBSAGBn2Force}
    force = make[kind](solventDielectric=71.5, soluteDielectric=1.5, SA="ACE" if surface else None, cutoff=cutoff)
    rows = []
    for k in range(n):
        row = [float(charges[k]), float(radii[k]), float(screens[k])]
        if kind == "gbn2":
            row += [float(rng.uniform(0.7, 1.2)), float(rng.uniform(0.2, 0.9)), float(rng.uniform(0.3, 1.2))]
        rows.append(row)
    force.addParticles(rows)
    force.finalize()
    if cutoff:
        force.setNonbondedMethod(mm.CustomGBForce.CutoffNonPeriodic)
        force.setCutoffDistance(cutoff)
    system.addForce(force)


def random_system(name, seed, n=10, nonbonded="none", dielectric=78.3, cutoff=0.45, kind=None, gb_cutoff=None, surface=True, sets=1, bonded=True,
                  nearest=0.08, folder=HERE):
    rng = np.random.default_rng(seed)
    system = mm.System()
    for _ in range(n):
        system.addParticle(rng.uniform(1, 40))
    charges = rng.normal(0, 0.5, n)
    charges[0] = 0.0
    if bonded:
        random_bonded(rng, system, n, sets)
    if nonbonded != "none":
        method = mm.NonbondedForce.NoCutoff if nonbonded == "all" else mm.NonbondedForce.CutoffNonPeriodic
        random_nonbonded(rng, system, n, charges, method, cutoff, dielectric)
    if kind:
        random_implicit(rng, system, kind, charges, gb_cutoff, surface)
    if sets > 1:
        system.addForce(mm.CMMotionRemover(10))
    configurations = [scatter(rng, n, side, nearest) for side in (0.5, 0.8, 1.5)]
    write(name, system, configurations, f"arbitrary parameters, seed {seed}", folder)


def all_random(folder=HERE, shift=0):
    random_system("random_bonded", 1 + shift, sets=2, folder=folder)
    random_system("random_pairs", 2 + shift, nonbonded="all", sets=1, folder=folder)
    random_system("random_pairs_cutoff", 3 + shift, n=14, nonbonded="cut", folder=folder)
    random_system("random_pairs_cutoff_rf1", 4 + shift, n=14, nonbonded="cut", dielectric=1.0, bonded=False, folder=folder)
    random_system("random_gbsaobc", 5 + shift, n=12, kind="gbsaobc", bonded=False, nearest=0.03, folder=folder)
    random_system("random_gbsaobc_cutoff", 6 + shift, n=12, kind="gbsaobc", bonded=False, gb_cutoff=0.5, surface=False, folder=folder)
    random_system("random_hct", 7 + shift, kind="hct", bonded=False, surface=False, nearest=0.03, folder=folder)
    random_system("random_obc1", 8 + shift, kind="obc1", bonded=False, surface=False, nearest=0.03, folder=folder)
    random_system("random_obc2_cutoff", 9 + shift, n=12, kind="obc2", bonded=False, gb_cutoff=0.5, nearest=0.03, folder=folder)
    random_system("random_gbn", 10 + shift, kind="gbn", bonded=False, surface=False, nearest=0.03, folder=folder)
    random_system("random_gbn2_cutoff", 11 + shift, n=12, kind="gbn2", bonded=False, gb_cutoff=0.6, nearest=0.03, folder=folder)
    random_system("random_all", 12 + shift, n=12, nonbonded="cut", kind="hct", gb_cutoff=0.45, sets=2, folder=folder)


def peptide(sequence):
    """A zwitterion built from standard geometry, hydrogens by OpenMM at pH 7."""
    import io

    import Bio.PDB
    import PeptideBuilder

    structure = PeptideBuilder.make_structure(sequence, [-75.0] * len(sequence), [140.0] * len(sequence))
    PeptideBuilder.add_terminal_OXT(structure)
    text = io.StringIO()
    out = Bio.PDB.PDBIO()
    out.set_structure(structure)
    out.save(text)
    text.seek(0)
    modeller = app.Modeller(*(lambda pdb: (pdb.topology, pdb.positions))(app.PDBFile(text)))
    modeller.addHydrogens(app.ForceField("amber14-all.xml"), platform=mm.Platform.getPlatformByName("Reference"))
    return modeller.topology, modeller.positions


def waters(count):
    pdb = app.PDBFile(os.path.join(os.path.dirname(app.__file__), "data", "tip3p.pdb"))
    modeller = app.Modeller(pdb.topology, pdb.positions)
    modeller.delete(list(pdb.topology.residues())[count:])
    modeller.topology.setPeriodicBoxVectors(None)
    return modeller.topology, modeller.positions


def warm(molecule):
    """Two structures of a molecule at 400 K in vacuum."""
    topology, positions = molecule
    force_field = ["amber14/tip3p.xml"] if any(r.name == "HOH" for r in topology.residues()) else ["amber14-all.xml"]
    system = app.ForceField(*force_field).createSystem(topology, constraints=None, rigidWater=False)
    integrator = mm.LangevinMiddleIntegrator(400, 5, 0.0005)
    integrator.setRandomNumberSeed(11)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName("Reference"))
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy(maxIterations=200)
    simulation.context.setVelocitiesToTemperature(400, 5)
    configurations = []
    for _ in range(2):
        simulation.step(300)
        x = simulation.context.getState(getPositions=True).getPositions(asNumpy=True)
        configurations.append(x.value_in_unit(unit.nanometer))
    return topology, configurations


def chemical(name, molecule, files, note, folder=HERE, **options):
    topology, configurations = molecule
    system = app.ForceField(*files).createSystem(topology, constraints=None, rigidWater=False, **options)
    write(name, system, configurations, note, folder)


def all_chemical(folder=HERE):
    free, cut = app.NoCutoff, app.CutoffNonPeriodic
    chemical("water4", warm(waters(4)), ["amber14/tip3p.xml"], "flexible TIP3P", folder, nonbondedMethod=free)
    note = "amber14-all + implicit/gbn, surface term"
    chemical("cmw_ff14sb_gbn", warm(peptide("CMW")), ["amber14-all.xml", "implicit/gbn.xml"], note, folder, nonbondedMethod=free)
    note = "amber99sb + implicit/hct, no surface term, cutoff 1.2 nm"
    options = dict(nonbondedMethod=cut, nonbondedCutoff=1.2 * unit.nanometer, sasaMethod=None)
    chemical("krd_ff99sb_hct", warm(peptide("KRD")), ["amber99sb.xml", "implicit/hct.xml"], note, folder, **options)


def more_chemical(folder):
    """Not shipped: larger, other force fields."""
    free, cut = app.NoCutoff, app.CutoffNonPeriodic
    for sequence in ["GAVLI", "STCMP", "FYWHK", "RDENQ", "MCHWPFYRKDEGAVLISTNQ"]:
        molecule = warm(peptide(sequence))
        for field in ["amber14-all", "amber99sbildn", "amber03", "amber96", "amber10", "amberfb15"]:
            for model in ["hct", "obc1", "obc2", "gbn", "gbn2"]:
                for surface in ["ACE", None]:
                    files = [field + ".xml", f"implicit/{model}.xml"]
                    name = f"{sequence}_{field}_{model}_{surface}"
                    if len(sequence) < 10:
                        chemical(name, molecule, files, name, folder, nonbondedMethod=free, sasaMethod=surface)
                        options = dict(nonbondedMethod=cut, nonbondedCutoff=0.9 * unit.nanometer, sasaMethod=surface)
                        chemical(name + "_cut", molecule, files, name, folder, **options)
            if field in ["amber99sbildn", "amber03", "amber96", "amber10"]:
                files = [field + ".xml", field.replace("sbildn", "") + "_obc.xml"]
                chemical(f"{sequence}_{field}_gbsaobc", molecule, files, "", folder, nonbondedMethod=free)
            chemical(f"{sequence}_{field}_vacuum", molecule, [field + ".xml"], "", folder, nonbondedMethod=free)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        all_random()
        all_chemical()
    elif len(sys.argv) == 2:
        # Many peptides, elsewhere: generate.py FOLDER
        os.makedirs(sys.argv[1], exist_ok=True)
        more_chemical(sys.argv[1])
    else:
        # More of them, elsewhere: generate.py FOLDER FIRST LAST
        for k in range(int(sys.argv[2]), int(sys.argv[3])):
            folder = os.path.join(sys.argv[1], str(k))
            os.makedirs(folder, exist_ok=True)
            all_random(folder, 1000 * k)
