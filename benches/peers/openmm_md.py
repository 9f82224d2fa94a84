"""Alanine dipeptide with OpenMM on one core: Langevin steps, or a Python loop of setPositions / getState(energy, forces).

Each platform of OpenMM that runs on a CPU is tried and the fastest is quoted; --platform fixes it, so that a series of runs
need not search again. (For 22 atoms the float64 Reference platform beats the vectorised CPU platform, whose threads have to
hand over; with CustomGBForce it is the other way round.)

Systems are read from systems/<name>/system.xml and structure.pdb.
"""

import argparse
import pathlib

import timing

CASES = {
    "ala2-vacuum-baoab": ("ala2-ff99sbildn-vacuum", "steps"),
    "ala2-gbsa-baoab": ("ala2-ff99sbildn-obc", "steps"),
    "ala2-obc1-evals": ("ala2-ff96-obc1", "evaluations"),
}
PLATFORMS = ["Reference", "CPU"]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("case", choices=sorted(CASES))
parser.add_argument("--seconds", type=float, default=1.0, help="CPU-seconds of the measurement")
parser.add_argument("--platform", choices=PLATFORMS, help="(default: the fastest)")
parser.add_argument("--systems", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2] / "systems")
args = parser.parse_args()

timing.one_core()

import numpy as np  # noqa: E402  (after the core is pinned)
import openmm  # noqa: E402
from openmm import app, unit  # noqa: E402

name, what = CASES[args.case]
folder = args.systems / name
system = openmm.XmlSerializer.deserialize((folder / "system.xml").read_text())
structure = app.PDBFile(str(folder / "structure.pdb"))


def start(platform):
    """A thermalised context: LangevinMiddle (OpenMM's BAOAB relative), 300 K, 1/ps, 1 fs."""
    integrator = openmm.LangevinMiddleIntegrator(300 * unit.kelvin, 1 / unit.picosecond, 1 * unit.femtosecond)
    integrator.setRandomNumberSeed(1)
    properties = {"Threads": "1"} if platform == "CPU" else {}
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName(platform), properties)
    context.setPositions(structure.positions)
    openmm.LocalEnergyMinimizer.minimize(context, 10.0, 100)
    context.setVelocitiesToTemperature(300 * unit.kelvin, 1)
    integrator.step(200)
    return context, integrator


def measure(platform, seconds):
    """(steps or evaluations per CPU-second, CPU-seconds, count)"""
    context, integrator = start(platform)
    if what == "steps":
        result = timing.rate(integrator.step, seconds)
    else:
        frames = []
        for _ in range(32):
            integrator.step(20)
            frames.append(np.array(context.getState(getPositions=True).getPositions(asNumpy=True)._value))

        def work(k):
            for i in range(k):
                context.setPositions(frames[i % len(frames)])
                state = context.getState(getEnergy=True, getForces=True)
                state.getPotentialEnergy()
                state.getForces(asNumpy=True)

        result = timing.rate(work, seconds)
    energy = context.getState(getEnergy=True).getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
    assert np.isfinite(energy), f"{args.case}: the energy is {energy}"
    return result


platform = args.platform
if platform is None:
    found = {p: measure(p, 0.2)[0] for p in PLATFORMS}
    platform = max(found, key=found.get)
value, cpu_s, n = measure(platform, args.seconds)
timing.report(
    args.case, f"OpenMM {platform}", openmm.__version__, f"{what}/cpu_s", value, cpu_s, n, args=["--platform", platform]
)
