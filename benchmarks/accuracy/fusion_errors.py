"""How far the standard errors of fused maps can be believed, and the fraction of a film."""

from typing import Any

import numpy as np

from benchmarks.accuracy.fusion_cases import Case
from benchmarks.accuracy.fusion_cases import errors as relative_errors
from benchmarks.accuracy.fusion_own import settings_of
from crewe.chemistry.fusion import fuse
from crewe.chemistry.standard_error import (
    average_standard_error,
    hessian_error,
    repeated_error,
)
from crewe.chemistry.stoichiometry import atomic_fractions, phases


def errors(case: Case) -> dict[str, Any]:
    """What the standard errors say of fused maps, beside how far off they are.

    Averages of standard errors are relative to the maps, `within two` is the share of the
    particle's pixels that are no farther off than two standard errors: 0.95 if all is normal.
    """
    result = fuse(case.measurement.haadf, case.measurement.maps)
    off = np.abs(result.maps.values - case.truth)
    inside = case.phantom.particle.values
    scores: dict[str, Any] = {"error": relative_errors(result.maps, case.truth).mean()}
    for name, error in (("hessian", hessian_error(result)), ("repeated", repeated_error(result))):
        scores[name] = average_standard_error(error, result.maps)
        scores[f"{name} within two"] = (off <= 2 * error.values)[:, inside].mean()
    return scores


def gallium(case: Case) -> dict[str, Any]:
    """The histogram of gallium's fraction in a film, in percent, and the fraction of all counts."""
    result = fuse(case.measurement.haadf, case.measurement.maps)
    table = phases(atomic_fractions(result))
    of_gallium = table[table["element"] == "Ga"]
    largest = of_gallium.loc[of_gallium["share"].idxmax()]
    counts = case.phantom.fractions(case.measurement.maps).sel(phase="film", element="Ga")
    fused_sum = case.phantom.fractions(result.maps).sel(phase="film", element="Ga")
    return {
        "phases": len(of_gallium),
        "mean": 100 * largest["mean"],
        "sigma": 100 * largest["sigma"],
        "standard error": 100 * largest["standard_error"],
        "sum": 100 * fused_sum.item(),
        "counts": 100 * counts.item(),
        "error": relative_errors(result.maps, case.truth).mean(),
        "chosen": settings_of(result),
    }
