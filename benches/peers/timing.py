"""CPU-time measurement shared by the peer programs: one core, every thread of the process counted, one JSON line out."""

import json
import os
import time


def one_core():
    """Pins the process to one core; call it before a library is imported that sizes its thread pools. An affinity of one
    core is also what XLA and OpenMM read as "one thread"."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENMM_CPU_THREADS"):
        os.environ[variable] = "1"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    os.environ["JAX_PLATFORMS"] = "cpu"


def rate(work, seconds):
    """Calls `work(k)` (k repetitions) until at least `seconds` of CPU time have gone into one call.

    Returns (repetitions per CPU-second, CPU-seconds, repetitions) of that last call. The calls before it are the warm-up."""
    k = 1
    while True:
        start = time.process_time()  # user + system time of all threads
        work(k)
        spent = time.process_time() - start
        if spent >= seconds:
            return k / spent, spent, k
        k = max(k + 1, int(k * min(10.0, 1.1 * seconds / max(spent, 1e-4))))


def report(case, peer, version, unit, value, cpu_s, n, **more):
    """Prints the one line that benches/run reads."""
    print(json.dumps({"case": case, "rate": value, "unit": unit, "cpu_s": cpu_s, "n": n, "peer": peer, "version": version, **more}))
