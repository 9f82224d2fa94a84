"""pymbar on harmonic oscillators (centres 0 to 5, stiffness 1 to 3) at its best setting: BAR start, the adaptive solver alone."""

import argparse
import logging

import timing

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("case", choices=["mbar-20x5000", "mbar-40x20000", "mbar-100x10000", "mbar-bootstrap"])
parser.add_argument("--seconds", type=float, default=1.0, help="CPU-seconds of the measurement")
args = parser.parse_args()

timing.one_core()

import numpy as np

logging.disable(logging.WARNING)  # it recommends jax, whose start alone costs more than the small cases
import pymbar

states, samples = {"mbar-40x20000": (40, 20000), "mbar-100x10000": (100, 10000)}.get(args.case, (20, 5000))
generator = np.random.default_rng(1)
centre, stiffness = np.linspace(0, 5, states), np.linspace(1, 3, states)
x = np.concatenate([generator.normal(o, 1 / np.sqrt(k), samples) for o, k in zip(centre, stiffness)])
u_kn = np.array([0.5 * k * (x - o) ** 2 for o, k in zip(centre, stiffness)])
n_k = np.full(states, samples)
protocol = (dict(method="adaptive"),)
REPLICATES = 5  # enough to time; each costs the same


def work(k):
    for _ in range(k):
        if args.case == "mbar-bootstrap":
            fit = pymbar.MBAR(u_kn, n_k, initialize="BAR", solver_protocol=protocol, n_bootstraps=REPLICATES, bootstrap_solver_protocol=protocol)
            fit.compute_free_energy_differences(uncertainty_method="bootstrap")
        else:
            fit = pymbar.MBAR(u_kn, n_k, initialize="BAR", solver_protocol=protocol)
            fit.compute_free_energy_differences()


per_s, cpu_s, k = timing.rate(work, args.seconds)
count, unit = (REPLICATES, "resamples/cpu_s") if args.case == "mbar-bootstrap" else (1, "fits/cpu_s")
timing.report(args.case, "pymbar numpy, adaptive from BAR", pymbar.__version__, unit, per_s * count, cpu_s, k * count)
