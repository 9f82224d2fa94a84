"""Standard normals on one core: numpy's PCG64 with its ziggurat (float64), or JAX's Threefry with its inverse error function (float32)."""

import argparse

import timing

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("case", choices=["normals", "normals-jax"], nargs="?", default="normals")
parser.add_argument("--seconds", type=float, default=1.0, help="CPU-seconds of the measurement")
args = parser.parse_args()

timing.one_core()

COUNT = 65_536  # stays in the cache

if args.case == "normals":
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(1))
    out = np.empty(COUNT)
    peer, version = "numpy PCG64 ziggurat f64", np.__version__

    def work(k):
        for _ in range(k):
            generator.standard_normal(out=out)
else:
    import jax

    draw = jax.jit(lambda key: jax.random.normal(key, (COUNT,)))
    key = jax.block_until_ready(jax.random.key(1))
    peer, version = "jax threefry f32", jax.__version__

    def work(k):
        for _ in range(k):
            jax.block_until_ready(draw(key))


per_s, cpu_s, k = timing.rate(work, args.seconds)
value = per_s * COUNT
timing.report(args.case, peer, version, "normals/cpu_s", value, cpu_s, k * COUNT, ns_per_normal=1e9 / value)
