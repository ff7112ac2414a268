"""`crewe.fuse` as it comes, its standard errors, and the fraction of a film."""

import time
from typing import Any

import numpy as np

from benchmarks.accuracy.fusion_cases import Case, Found, error_bar_cases, errors
from crewe.chemistry.fusion import fuse
from crewe.chemistry.results import FusedMaps
from crewe.chemistry.standard_error import (
    average_standard_error,
    hessian_error,
    repeated_error,
)
from crewe.chemistry.stoichiometry import atomic_fractions, phases

SETTINGS = ("prior", "strength", "gamma", "guide_smoothing_px", "likelihood")


def fused(case: Case) -> dict[str, Any]:
    """With no option set; the standard errors where they are looked at."""
    begin = time.perf_counter()
    result = fuse(case.measurement.haadf, case.measurement.maps)
    seconds = time.perf_counter() - begin
    found: dict[str, Any] = {
        "crewe": Found(np.asarray(result.maps.values, float), _settings(result), seconds)
    }
    if case in error_bar_cases():
        found["standard errors"] = _standard_errors(case, result)
    return found


def gallium(case: Case) -> dict[str, Any]:
    """The histogram of gallium's fraction in a film, in percent, and the fraction of all counts."""
    result = fuse(case.measurement.haadf, case.measurement.maps)
    table = phases(atomic_fractions(result))
    of_gallium = table[table["element"] == "Ga"]
    largest = of_gallium.loc[of_gallium["share"].idxmax()]
    whole = case.phantom.fractions(case.measurement.maps).sel(phase="film", element="Ga")
    return {
        "phases": len(of_gallium),
        "mean": 100 * largest["mean"],
        "sigma": 100 * largest["sigma"],
        "counts": 100 * whole.item(),
        "error": errors(result.maps.values, case.truth).mean(),
        "chosen": _settings(result),
    }


def _settings(result: FusedMaps) -> dict[str, Any]:
    return {name: getattr(result, name) for name in SETTINGS}


def _standard_errors(case: Case, result: FusedMaps) -> dict[str, float]:
    """Averages of standard errors relative to the maps, and how often they are right.

    `within two` is the share of the particle's pixels that are no farther off than two standard
    errors: 0.95 if all is normal and nothing biased.
    """
    off = np.abs(result.maps.values - case.truth)
    inside = case.phantom.particle.values
    scores = {}
    for name, error in (("hessian", hessian_error(result)), ("repeated", repeated_error(result))):
        scores[name] = average_standard_error(error, result.maps)
        scores[f"{name} within two"] = float((off <= 2 * error.values)[:, inside].mean())
    return scores
