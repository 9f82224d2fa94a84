"""Writes timeseries_reference.json: ArviZ's and pymbar's numbers for series that integer arithmetic defines.

    python -m venv v && v/bin/pip install arviz==0.23.4 pymbar==4.0.3 && v/bin/python timeseries_reference.py
"""
import json, math, os, warnings
warnings.filterwarnings("ignore")
import arviz, numpy as np, pymbar, scipy
from arviz.stats.diagnostics import _ess_bulk, _ess_tail, _ess_mean, _rhat_rank, _rhat_z_scale, _rhat_folded
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


def series(seed, replicas, draws, rho, shape):
    rng = SplitMix(seed)
    out = np.empty((replicas, draws))
    for r in range(replicas):
        x, drift = 0.0, 5.0
        for d in range(draws):
            e = rng.uniform() + rng.uniform() + rng.uniform() - 1.5
            x = rho * x + e
            out[r, d] = {
                "plain": lambda: x,
                "cubed": lambda: x * x * x,
                "rounded": lambda: math.floor(2.0 * x) / 2.0,
                "shifted": lambda: x + 0.5 * r,
                "scaled": lambda: x * (1.0 + r),
                "transient": lambda: x + drift,
            }[shape]()
            drift = drift * 0.99
    return out


CASES = [
    (1, 4, 500, 0.5, "plain"), (2, 4, 501, 0.9, "plain"), (3, 2, 100, -0.5, "plain"), (4, 8, 1000, 0.8, "cubed"),
    (5, 4, 400, 0.3, "rounded"), (6, 4, 300, 0.7, "shifted"), (7, 3, 250, 0.2, "scaled"), (8, 4, 1000, 0.9, "transient"),
    (9, 2, 4, 0.0, "plain"), (10, 2, 7, 0.3, "plain"), (11, 16, 3000, 0.99, "plain"), (12, 1, 800, 0.6, "plain"),
    (13, 1, 5000, 0.998, "plain"), (14, 3, 9, 0.9, "cubed"), (15, 1, 2000, 0.95, "transient"),
]
STARTS = [0, 1, 3, 10, 30, 60, 100, 150, 200, 300, 400, 600]

cases = []
for seed, replicas, draws, rho, shape in CASES:
    x = series(seed, replicas, draws, rho, shape)
    case = dict(seed=seed, replicas=replicas, draws=draws, rho=rho, shape=shape, first=x[0, 0], last=x[-1, -1])
    if replicas > 1:
        case |= dict(r_hat=_rhat_rank(x), r_hat_bulk=_rhat_z_scale(x), r_hat_folded=_rhat_folded(x))
    case |= dict(ess_bulk=_ess_bulk(x), ess_tail=_ess_tail(x), ess_mean=_ess_mean(x))
    case["g_first"] = ts.statistical_inefficiency(x[0])
    if replicas > 1:
        case["g_all"] = ts.statistical_inefficiency_multiple(x)
    if draws > 100:
        starts = [t for t in STARTS if t + 4 <= draws]
        case["starts"] = starts
        case["g_from"] = [ts.statistical_inefficiency(x[0, t:]) for t in starts]
    if 100 < draws <= 2000:
        t, g, n = ts.detect_equilibration(x[0], fast=False, nskip=10)
        case["equilibration_every_10"] = dict(t=int(t), g=float(g), n_eff_plus=float(n))
    cases.append({k: (float(v) if isinstance(v, np.floating) else v) for k, v in case.items()})

quantiles = [[p, float(scipy.stats.norm.ppf(p))] for p in [1e-300, 1e-100, 1e-20, 1e-10, 1e-5, 0.001, 0.01, 0.05, 0.074, 0.076, 0.2, 0.4, 0.5, 0.7, 0.99]]
t_quantiles = [[level, dof, float(scipy.stats.t.ppf(0.5 + level / 2, dof))] for level in (0.6827, 0.95, 0.99) for dof in (1, 2, 3, 10, 31, 63, 500, 1001, 4000)]
meta = dict(
    source=f"ArviZ {arviz.__version__}, pymbar {pymbar.__version__}, scipy {scipy.__version__}, numpy {np.__version__}",
    made_by="tests/data/timeseries_reference.py",
    note="n_eff_plus is pymbar's (T - t + 1) / g, in f32; r_hat needs two chains there",
)
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "timeseries_reference.json"), "w") as f:
    f.write('{"meta": ' + json.dumps(meta) + ',\n"normal_quantile": ' + json.dumps(quantiles) + ',\n"student_t": ' + json.dumps(t_quantiles) + ',\n"cases": [\n')
    f.write(",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
