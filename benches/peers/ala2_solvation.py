"""The reference of systems/ala2-ff99sbildn-obc: the free energy of alanine dipeptide from vacuum into GBSA-OBC at 300 K,

    delta_f = -ln(Z_obc / Z_vacuum),   U(x; lambda) = U_vacuum(x) + lambda (U_obc(x) - U_vacuum(x)),

by Hamiltonian replica exchange in OpenMM (Reference platform) and MBAR in pymbar. Nothing of Ergodica takes part.

    pip install openmm==8.6.1 pymbar==4.0.3 numpy==2.4.6
    python ala2_solvation.py run OUT.npz [--seconds 800]       # CPU-seconds; goes on saving, so it may be stopped
    python ala2_solvation.py analyse OUT.npz

One ladder has 10 states: vacuum at 810, 664, 545, 446, 366 and 300 K, then lambda = 1/4, 1/2, 3/4, 1 at 300 K. The hot states are there
for phi, which crosses its barrier too seldom at 300 K. LangevinMiddleIntegrator, 1 fs, 1 /ps, masses of the files, no constraints; every
200 steps the neighbours of the ladder try to exchange, even and odd pairs in turn. Four ladders are independent of each other: all
replicas of each begin in a basin of its own (beta, alpha_R, C7eq, phi > 0), so that what they have not forgotten shows as their spread.
A state of lambda is made by scaling 1 - 1/eps and the surface energy in GBSAOBCForce, which is lambda times the whole of its energy; the
script checks that, and that GBSAOBCForce is all of the difference between the two systems, before it runs.
(Even so, in 0.2 ns a state a ladder from phi > 0 still had 43 % of its weight there, the others 0 to 3 %. It matters little: from that ladder,
delta_f in phi > 0 is 0.1 kT above that in phi < 0, so a wrong weight of a tenth moves the result by 0.01 kT.)
The error is the larger one of MBAR's (frames thinned by their statistical inefficiency) and of the spread of the four ladders.
"""

import argparse
import pathlib
import resource

import numpy as np
import openmm as mm

SYSTEMS = pathlib.Path(__file__).resolve().parents[2] / "systems"
R = 0.00831446261815324  # kJ/mol/K
TEMPERATURES = [810.0, 664.0, 545.0, 446.0, 366.0] + [300.0] * 5
LAMBDAS = [0.0] * 6 + [0.25, 0.5, 0.75, 1.0]
BETAS = [1.0 / (R * t) for t in TEMPERATURES]
K = len(LAMBDAS)
FIRST, LAST = 5, 9  # the states of the result
STEPS = 200
BASINS = [(-150.0, 150.0), (-70.0, -40.0), (-80.0, 75.0), (60.0, -60.0)]  # phi, psi in degrees
PHI, PSI = (4, 6, 8, 14), (6, 8, 14, 16)  # C N CA C, N CA C N


def load(name):
    return mm.XmlSerializer.deserialize((SYSTEMS / name / "system.xml").read_text())


def at(value):
    """The solvated system with the energy of its solvent times `value`."""
    system = load("ala2-ff99sbildn-obc")
    for force in system.getForces():
        if isinstance(force, mm.GBSAOBCForce):
            inside, outside = 1 / force.getSoluteDielectric(), 1 / force.getSolventDielectric()
            force.setSolventDielectric(1 / (inside - value * (inside - outside)))
            force.setSurfaceAreaEnergy(value * force.getSurfaceAreaEnergy())
    return system


def context(system, integrator):
    return mm.Context(system, integrator, mm.Platform.getPlatformByName("Reference"))


def energy(c, x=None):
    if x is not None:
        c.setPositions(x)
    return c.getState(getEnergy=True).getPotentialEnergy()._value


def start(phi, psi, seed):
    """A structure near (phi, psi), from dynamics in vacuum with both held there."""
    system = load("ala2-ff99sbildn-vacuum")
    hold = mm.CustomTorsionForce("500*(1-cos(theta-t0))")
    hold.addPerTorsionParameter("t0")
    hold.addTorsion(*PHI, [np.radians(phi)])
    hold.addTorsion(*PSI, [np.radians(psi)])
    system.addForce(hold)
    integrator = mm.LangevinMiddleIntegrator(300, 5, 0.0005)
    integrator.setRandomNumberSeed(seed)
    c = context(system, integrator)
    lines = (SYSTEMS / "ala2-ff99sbildn-vacuum/structure.pdb").read_text().splitlines()
    c.setPositions(np.array([[float(s[30:38]), float(s[38:46]), float(s[46:54])] for s in lines if s[:6] in ("ATOM  ", "HETATM")]) / 10)
    mm.LocalEnergyMinimizer.minimize(c, 1, 500)
    integrator.step(10_000)
    return c.getState(getPositions=True).getPositions(asNumpy=True)._value


def check():
    vacuum, solvated = (context(load(f"ala2-ff99sbildn-{n}"), mm.VerletIntegrator(0.001)) for n in ("vacuum", "obc"))
    part = context(at(0.3), mm.VerletIntegrator(0.001))
    gb = load("ala2-ff99sbildn-obc")
    for force in gb.getForces():
        force.setForceGroup(1 if isinstance(force, mm.GBSAOBCForce) else 0)
    gb = context(gb, mm.VerletIntegrator(0.001))
    for i, (phi, psi) in enumerate(BASINS):
        x = start(phi, psi, 90 + i)
        difference = energy(solvated, x) - energy(vacuum, x)
        gb.setPositions(x)
        alone = gb.getState(getEnergy=True, groups={1}).getPotentialEnergy()._value
        assert abs(difference - alone) < 1e-8 and abs(energy(part, x) - energy(vacuum, x) - 0.3 * alone) < 1e-8
    print("U_obc - U_vacuum is the energy of GBSAOBCForce, surface included")


def run(out, seconds, seed):
    check()
    vacuum, solvated = (context(load(f"ala2-ff99sbildn-{n}"), mm.VerletIntegrator(0.001)) for n in ("vacuum", "obc"))
    movers = []
    for k in range(K):
        integrator = mm.LangevinMiddleIntegrator(TEMPERATURES[k], 1, 0.001)
        integrator.setRandomNumberSeed(1000 * seed + k + 1)
        movers.append(context(load("ala2-ff99sbildn-vacuum") if LAMBDAS[k] == 0 else at(LAMBDAS[k]), integrator))
    rng = np.random.default_rng(seed)
    x, v = [], []
    for r, (phi, psi) in enumerate(BASINS):
        x.append([start(phi, psi, 100 * seed + r + 1)] * K)
        v.append([None] * K)
    u, tried, swapped, walkers, passages = [], np.zeros(K - 1), np.zeros(K - 1), [list(range(K)) for _ in BASINS], []
    iteration = 0
    while resource.getrusage(resource.RUSAGE_SELF).ru_utime < seconds:
        rows = np.empty((len(BASINS), K, 2))
        for r in range(len(BASINS)):
            for k, c in enumerate(movers):
                c.setPositions(x[r][k])
                if v[r][k] is None:
                    c.setVelocitiesToTemperature(TEMPERATURES[k], 7919 * seed + 31 * r + k + 1)
                else:
                    c.setVelocities(v[r][k])
                c.getIntegrator().step(STEPS)
                state = c.getState(getPositions=True, getVelocities=True)
                x[r][k], v[r][k] = state.getPositions(asNumpy=True)._value, state.getVelocities(asNumpy=True)._value
                rows[r, k] = energy(vacuum, x[r][k]), energy(solvated, x[r][k])
            place = list(range(K))
            for k in range(iteration % 2, K - 1, 2):
                pair = [[BETAS[m] * (rows[r, n, 0] + LAMBDAS[m] * (rows[r, n, 1] - rows[r, n, 0])) for n in (k, k + 1)] for m in (k, k + 1)]
                tried[k] += 1
                if np.log(rng.random()) < pair[0][0] + pair[1][1] - pair[0][1] - pair[1][0]:
                    swapped[k] += 1
                    place[k], place[k + 1] = k + 1, k
            hot = [np.sqrt(TEMPERATURES[k] / TEMPERATURES[place[k]]) for k in range(K)]
            x[r] = [x[r][p] for p in place]
            v[r] = [v[r][p] * s for p, s in zip(place, hot)]
            walkers[r] = [walkers[r][p] for p in place]
        u.append(rows)
        passages.append([w[:] for w in walkers])
        iteration += 1
        if iteration % 50 == 0:
            np.savez(out, u=np.array(u), walkers=np.array(passages, dtype=np.int8), acceptance=swapped / np.maximum(tried, 1))
            if iteration % 500 == 0:
                print(iteration, f"{iteration * STEPS / 1e6:.2f} ns a state", np.round(swapped / np.maximum(tried, 1), 2), flush=True)


def mbar(u, thin):
    """delta_f and its error; u is [iteration, K, (vacuum, obc)]."""
    from pymbar import MBAR, timeseries

    n_k, kept = [], []
    for k in range(K):
        series = BETAS[k] * (u[:, k, 0] + LAMBDAS[k] * (u[:, k, 1] - u[:, k, 0]))
        g = max(timeseries.statistical_inefficiency(s) for s in (series, u[:, k, 1] - u[:, k, 0])) if thin else 1.0
        frames = u[:: max(1, int(np.ceil(g))), k]
        n_k.append(len(frames))
        kept.append(frames)
    frames = np.concatenate(kept)
    u_kn = np.array([BETAS[k] * (frames[:, 0] + LAMBDAS[k] * (frames[:, 1] - frames[:, 0])) for k in range(K)])
    result = MBAR(u_kn, np.array(n_k), solver_protocol="robust", verbose=False).compute_free_energy_differences()
    return result["Delta_f"][FIRST, LAST], result["dDelta_f"][FIRST, LAST], n_k


def analyse(out, discard):
    data = np.load(out)
    u = data["u"]
    print("iterations", len(u), "acceptance", np.round(data["acceptance"], 2))
    walkers = data["walkers"]
    trips = 0
    for r in range(walkers.shape[1]):
        for w in range(K):
            at = np.argmax(walkers[:, r] == w, axis=1)
            ends = at[(at == 0) | (at == K - 1)]
            trips += int(np.sum(ends[1:] != ends[:-1]) // 2)
    print("round trips", trips)
    u = u[int(discard * len(u)) :]
    each = np.array([mbar(u[:, r], True)[:2] for r in range(u.shape[1])])
    print("ladders (delta_f, error in kT):", np.round(each, 4).tolist())
    spread = each[:, 0].std(ddof=1) / np.sqrt(len(each))
    halves = [np.mean([mbar(half[:, r], False)[0] for r in range(u.shape[1])]) for half in np.array_split(u, 2)]
    print("halves:", np.round(halves, 4))
    thinned = np.sqrt(np.sum(each[:, 1] ** 2)) / len(each)
    value = np.mean([mbar(u[:, r], False)[0] for r in range(u.shape[1])])
    print(f"delta_f = {value:.4f} kT, from all frames; error by MBAR {thinned:.4f}, by the spread of the ladders {spread:.4f}")
    print(f"delta_f:solvent = {value:.4f} +- {max(thinned, spread):.4f} kT")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("what", choices=["run", "analyse"])
parser.add_argument("out")
parser.add_argument("--seconds", type=float, default=800.0, help="CPU-seconds")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--discard", type=float, default=0.1, help="share of the run that is thrown away")
args = parser.parse_args()
if args.what == "run":
    run(args.out, args.seconds, args.seed)
else:
    analyse(args.out, args.discard)
