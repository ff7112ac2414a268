"""Centres of mass with LiberTEM; runs in an environment of its own.

    python libertem_com.py PATTERNS.npy

PATTERNS.npy holds (rows, columns, ky, kx), read into memory first. Prints JSON: probe positions
per second of the middle of five warm runs, on one thread (inline) and on all cores (threads), and
whether the centres agree with numpy.
"""

import json
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")

import libertem  # noqa: E402
import libertem.api as lt  # noqa: E402
from libertem.udf.com import CoMUDF  # noqa: E402

RUNS = 5


def main(path):
    patterns = np.load(path)
    answer = {"version": libertem.__version__}
    for name in ("inline", "threads"):
        with lt.Context.make_with(name) as context:
            data = context.load("memory", data=patterns, sig_dims=2, num_partitions=8)
            seconds, centres = zip(*(one(context, data) for _ in range(RUNS + 1)), strict=True)
        answer[name] = patterns.shape[0] * patterns.shape[1] / float(np.median(seconds[1:]))
        answer["agrees"] = bool(np.allclose(centres[-1][0], true_centres(patterns)[0], atol=1e-2))
    print(json.dumps(answer))


def one(context, data):
    start = time.perf_counter()
    result = context.run_udf(data, CoMUDF.with_params())
    seconds = time.perf_counter() - start
    return seconds, result["raw_com"].data[0].transpose(1, 0)


def true_centres(patterns):
    row = patterns[0].astype(float)
    total = row.sum(axis=(1, 2))
    return [(row * np.indices(row.shape[1:])[0]).sum(axis=(1, 2)) / total]


if __name__ == "__main__":
    main(*sys.argv[1:])
