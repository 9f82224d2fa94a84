"""Energies and forces of batches of Lennard-Jones clusters with JAX, float32, jit(vmap(value_and_grad)), on one core.

E = c sum_{i<j} [d^-12 - 2 d^-6] + 1/2 sum_i |x_i - xbar|^2,  c = 2  (systems lj13-efm, lj55-efm).

The two ways in which people write the pair sum (gathered i < j pairs; the full matrix of jax_md) are tried over a range of batch
sizes and the fastest is quoted; --form and --batch fix them, so that a series of runs need not search again. A third form, `rolled`,
is written for XLA's vectoriser by hand and is measured beside them as the case `<case>-rolled`.
"""

import argparse
import itertools

import timing

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("case", choices=["lj13", "lj55", "lj13-rolled", "lj55-rolled"])
parser.add_argument("--seconds", type=float, default=1.0, help="CPU-seconds of the measurement")
parser.add_argument("--form", choices=["pairs", "matrix", "rolled"], help="how the pair sum is written (default: search)")
parser.add_argument("--batch", type=int, help="configurations in a batch (default: search)")
args = parser.parse_args()

timing.one_core()

import jax  # noqa: E402  (after the core is pinned)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

N = int(args.case[2:4])
C = 2.0
I, J = np.triu_indices(N, 1)


def pair(d2):
    s3 = 1.0 / (d2 * d2 * d2)
    return s3 * (s3 - 2.0)


def trap(x):
    y = x - jnp.mean(x, axis=0)
    return 0.5 * jnp.sum(y * y)


def pairs(x):
    """The i < j pairs, gathered."""
    d = x[I] - x[J]
    return C * jnp.sum(pair(jnp.sum(d * d, axis=-1))) + trap(x)


def matrix(x):
    """All N x N differences, the diagonal moved out of reach, each pair counted twice."""
    d = x[:, None, :] - x[None, :, :]
    d2 = jnp.sum(d * d, axis=-1) + jnp.where(jnp.eye(N, dtype=bool), 1e12, 0.0).astype(x.dtype)
    return 0.5 * C * jnp.sum(pair(d2)) + trap(x)


def rolled(x):
    """The i < j pairs as shifted copies: no gather. For odd N every pair appears once among the shifts 1..(N-1)/2."""
    e = trap(x)
    for shift in range(1, (N - 1) // 2 + 1):
        d = x - jnp.roll(x, shift, axis=0)
        e = e + C * jnp.sum(pair(jnp.sum(d * d, axis=-1)))
    return e


def clusters(batch):
    """Distinct compact configurations: a jittered cubic lattice with unit spacing."""
    side = int(np.ceil(N ** (1 / 3)))
    sites = np.array(list(itertools.product(range(side), repeat=3)), float)
    sites = sites[np.argsort(((sites - sites.mean(0)) ** 2).sum(1), kind="stable")[:N]]
    noise = np.random.default_rng(0).normal(0.0, 0.03, (batch, N, 3))
    return jnp.asarray(sites + noise, jnp.float32)


def measure(form, batch, seconds):
    """(evaluations per CPU-second, CPU-seconds, evaluations)"""
    f = jax.jit(jax.vmap(jax.value_and_grad({"pairs": pairs, "matrix": matrix, "rolled": rolled}[form])))
    x = clusters(batch)
    jax.block_until_ready(f(x))  # compiled here, outside the measurement

    def work(k):
        for _ in range(k):
            jax.block_until_ready(f(x))

    per_s, cpu_s, k = timing.rate(work, seconds)
    return per_s * batch, cpu_s, k * batch


def agree():
    """The three forms are one function, and the pair's minimum is -1 at distance 1."""
    x = clusters(4)
    u = [jax.vmap(f)(x) for f in (pairs, matrix, rolled)]
    np.testing.assert_allclose(u[1], u[0], rtol=2e-5)
    np.testing.assert_allclose(u[2], u[0], rtol=2e-5)
    assert abs(float(pair(1.0)) + 1.0) < 1e-6


agree()
form, batch = args.form, args.batch
if form is None or batch is None:
    forms = [form] if form else ["rolled"] if args.case.endswith("-rolled") else ["pairs", "matrix"]
    batches = [batch] if batch else [16, 64, 256, 1024, 4096]
    found = {(f, b): measure(f, b, 0.1)[0] for f in forms for b in batches}
    form, batch = max(found, key=found.get)
value, cpu_s, n = measure(form, batch, args.seconds)
timing.report(
    args.case, f"jax f32 jit(vmap(value_and_grad)), {form}", jax.__version__, "evaluations/cpu_s", value, cpu_s, n,
    args=["--form", form, "--batch", str(batch)],
)
