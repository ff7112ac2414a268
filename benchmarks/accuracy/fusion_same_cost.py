"""Seconds to the same cost: eq. 1 minimised by multimodal_fusion and by crewe, one after the other.

Both get the maps and the HAADF that the former makes of them, each from 0 to 1, and its cost: what
a step of 1 of it leaves in place is a minimum of Ψ₁/n + λ_chem Ψ₂ + λ_TV TV.
"""

import time
from typing import Any

import numpy as np

from benchmarks.accuracy.fusion_cases import Case, Maps
from benchmarks.accuracy.fusion_original import DEFAULT, TUTORIALS, run
from crewe.chemistry.amounts import fuse_amounts
from crewe.chemistry.cost import fusion_cost
from crewe.chemistry.operators import ElasticModel

ITERATIONS = (5, 10, 20, 50)
GAMMA = 1.6


def same_cost(case: Case, python: str) -> dict[str, Any]:
    """Costs and seconds of both, by setting and number of the former's iterations."""
    return {
        name: _compare(case, python, setting)
        for name, setting in (("default", DEFAULT), ("tutorial", TUTORIALS[1]))
    }


def _compare(case: Case, python: str, setting: tuple[float, ...]) -> list[dict[str, Any]]:
    least = case.measurement.maps.values.min(axis=(1, 2), keepdims=True)
    highest = (case.measurement.maps.values - least).max(axis=(1, 2), keepdims=True)
    maps = (case.measurement.maps.values - least) / highest
    weighting, _, chem, variation, inner, background = setting
    tries = tuple((weighting, n, chem, variation, inner, background) for n in ITERATIONS)
    theirs, seconds = run(case, python, tries)
    given = _arguments(case, maps, setting)
    cost = fusion_cost(maps, **given)
    costs = [cost.terms((one - least) / highest).total for one in theirs]
    ours, clock = _ours(maps, given)
    return [
        {
            "iterations": iterations,
            "cost": value,
            "start": ours[0],
            "end": ours[-1],
            "seconds": float(took),
            "ours": float(clock[int(np.argmax(ours <= value))]) if (ours <= value).any() else None,
        }
        for iterations, value, took in zip(ITERATIONS, costs, seconds, strict=True)
    ]


def _arguments(case: Case, maps: Maps, setting: tuple[float, ...]) -> dict[str, Any]:
    haadf = case.measurement.haadf.values - case.measurement.haadf.values.min()
    elements = tuple(map(str, case.measurement.maps["element"].values))
    weighting = ("ones", "number")[int(setting[0])]
    return {
        "haadf": haadf / haadf.max(),
        "model": ElasticModel(elements, gamma=GAMMA, weighting=weighting),
        "haadf_weight": 1 / len(maps),
        "chemical_weight": setting[2],
        "variation_weight": setting[3],
        "background": setting[5],
    }


def _ours(maps: Maps, given: dict[str, Any]) -> tuple[Maps, Maps]:
    """Costs after each of our iterations, and seconds since the start."""
    fuse_amounts(maps, **given, start=maps, iterations=2)  # compiles
    begin = time.perf_counter()
    clock = [0.0]
    _, history = fuse_amounts(
        maps,
        **given,
        start=maps,
        progress=lambda stage, fraction: clock.append(time.perf_counter() - begin),
    )
    return history["total"].to_numpy(), np.array(clock)
