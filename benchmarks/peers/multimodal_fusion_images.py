"""Fuses maps with multimodal_fusion as its authors publish it; runs in an environment of its own.

    python multimodal_fusion_images.py MEASUREMENT.npz RESULT.npz

MEASUREMENT.npz holds `elements`, `maps` (n, y, x), `haadf` (y, x) and `settings` (k, 6), whose
columns are those of SETTINGS. RESULT.npz gets `maps` (k, n, y, x), multiplied by what the package
divided by and with the least added that it took off, and `seconds` (k,). One thread.
"""

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
from multimodal_fusion.fusion import DataFusion, cRegFlag

SETTINGS = ("weighting", "nIter", "lambdaEDS", "lambdaTV", "ng", "bkg")


def main(measurement_path, result_path):
    if not cRegFlag:
        raise SystemExit("multimodal_fusion was installed without its compiled part")
    with np.load(measurement_path) as stored:
        elements, maps, haadf = ([*stored["elements"]], stored["maps"], stored["haadf"])
        settings = [dict(zip(SETTINGS, row, strict=True)) for row in stored["settings"]]
    results = [fused(elements, maps, haadf, one) for one in settings]
    # An open file, as numpy gives a path that does not end in .npz another name.
    unfinished = f"{result_path}.unfinished"
    with open(unfinished, "wb") as file:  # noqa: PTH123
        np.savez(file, maps=[maps for maps, _ in results], seconds=[each for _, each in results])
    os.replace(unfinished, result_path)  # noqa: PTH105


def fused(elements, maps, haadf, given):
    """Maps (n, y, x) on the scale of those given, and seconds; it changes its input, so copy."""
    fusion = DataFusion(elements)
    copies = {element: image.copy() for element, image in zip(elements, maps, strict=True)}
    fusion.load_chemical_maps(copies, int(given["weighting"]))
    fusion.load_haadf(haadf.copy())
    begin = time.perf_counter()
    fusion.run(
        nIter=int(given["nIter"]),
        lambdaEDS=float(given["lambdaEDS"]),
        lambdaTV=float(given["lambdaTV"]),
        ng=int(given["ng"]),
        bkg=float(given["bkg"]),
        plot_images=False,
        plot_convergence=False,
    )
    seconds = time.perf_counter() - begin
    results = fusion.get_results()
    least = maps.min(axis=(1, 2), keepdims=True)
    scale = (maps - least).max(axis=(1, 2), keepdims=True)
    relative = np.stack([results[element] for element in elements])
    return (relative * scale + least).astype(np.float32), seconds


if __name__ == "__main__":
    main(*sys.argv[1:])
