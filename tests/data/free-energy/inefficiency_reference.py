"""Writes inefficiency_reference.json: pymbar's numbers in all its modes, for series that integer arithmetic defines.

    python -m venv v && v/bin/pip install pymbar==4.0.3 statsmodels && v/bin/python inefficiency_reference.py
"""
import json, os
import numpy as np, pymbar
from pymbar import timeseries as ts

MASK = (1 << 64) - 1


class SplitMix:
    def __init__(self, seed):
        self.s = seed

    def uniform(self):
        self.s = (self.s + 0x9E3779B97F4A7C15) & MASK
        z = self.s
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) >> 11) * 2.0**-53


def series(seed, lengths, rho, transient):
    """x' = rho x + e, e a sum of three uniforms; plus transient * 0.99^i."""
    rng, out = SplitMix(seed), []
    for n in lengths:
        x, drift, part = 0.0, transient, []
        for _ in range(n):
            x = rho * x + (rng.uniform() + rng.uniform() + rng.uniform() - 1.5)
            part.append(x + drift)
            drift = drift * 0.99
        out.append(np.array(part))
    return out


CASES = [
    (1, [700], 0.5, 0.0), (2, [2000], 0.95, 0.0), (3, [1500], 0.9, 5.0), (4, [400], -0.4, 0.0), (5, [6], 0.3, 0.0),
    (6, [300, 500, 50], 0.8, 0.0), (7, [20, 30, 1000, 7], 0.9, 0.0), (8, [900, 900], 0.97, 0.0), (9, [4000], 0.99, 20.0),
]

cases = []
for seed, lengths, rho, transient in CASES:
    parts = series(seed, lengths, rho, transient)
    case = dict(seed=seed, lengths=lengths, rho=rho, transient=transient, last=parts[-1][-1])
    for fast in (False, True):
        case["g_several_fast" if fast else "g_several"] = ts.statistical_inefficiency_multiple(parts, fast=fast)
    if len(parts) == 1:
        x = parts[0]
        y = np.roll(x, 3)
        case |= dict(
            g=ts.statistical_inefficiency(x),
            g_fast=ts.statistical_inefficiency(x, fast=True),
            g_fft=ts.statistical_inefficiency(x, fft=True),
            g_least_20=ts.statistical_inefficiency(x, mintime=20),
            g_cross=ts.statistical_inefficiency(x, y),
            g_cross_fast=ts.statistical_inefficiency(x, y, fast=True),
        )
        case["kept"] = [int(i) for i in ts.subsample_correlated_data(x)]
        case["kept_fast"] = [int(i) for i in ts.subsample_correlated_data(x, fast=True)]
        case["kept_conservative"] = [int(i) for i in ts.subsample_correlated_data(x, conservative=True)]
        if len(x) > 100:
            for fast in (False, True):
                t, g, n = ts.detect_equilibration(x, fast=fast, nskip=25)
                case["start_25_fast" if fast else "start_25"] = dict(t=int(t), g=float(g), n_eff_plus=float(n))
            t, g, n = ts.detect_equilibration_binary_search(x)
            case["start_search"] = dict(t=int(t), g=float(g), n_eff_plus=float(n))
    cases.append(case)

here = os.path.dirname(os.path.abspath(__file__))
out = dict(source=f"pymbar {pymbar.__version__}, numpy {np.__version__}", cases=cases)
with open(os.path.join(here, "inefficiency_reference.json"), "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
