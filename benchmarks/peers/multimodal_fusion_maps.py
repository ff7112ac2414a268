"""Runs multimodal_fusion 0.6.0 on maps and HAADF; in an environment of its own.

    python multimodal_fusion_maps.py GIVEN.npz FOUND.npz

GIVEN.npz holds `maps` (n, y, x) and `haadf` (y, x), all from 0 to 1, `elements`, `gamma`,
`chemical_weight`, `variation_weight`, `background` and `iterations`. FOUND.npz gets `maps`, the
seconds of making the measurement matrix, `prepare`, and of the iterations alone, `run`.
"""

import contextlib
import io
import sys
import time

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

from multimodal_fusion import DataFusion

INNER_ITERATIONS = 15
WEIGHTING_BY_NUMBER = 1


def main(given_path, found_path):
    with np.load(given_path) as stored:
        given = dict(stored)
    elements = [str(element) for element in given["elements"]]
    start = time.perf_counter()
    fusion = DataFusion(elements, gamma=float(given["gamma"]))
    # It works in place of what it is given.
    maps = dict(zip(elements, given["maps"].copy(), strict=True))
    fusion.load_chemical_maps(maps, method=WEIGHTING_BY_NUMBER)
    fusion.load_haadf(given["haadf"].copy())
    prepared = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):
        fusion.run(
            nIter=int(given["iterations"]),
            lambdaEDS=float(given["chemical_weight"]),
            lambdaTV=float(given["variation_weight"]),
            bkg=float(given["background"]),
            ng=INNER_ITERATIONS,
            plot_images=False,
            plot_convergence=False,
        )
    seconds = time.perf_counter() - prepared
    found = fusion.get_results()
    stack = np.stack([found[element] for element in elements])
    np.savez(found_path, maps=stack, prepare=prepared - start, run=seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
