"""Columns of a rounded particle with a posterior over their counts, of known truth."""

import numpy as np
import pandas as pd
import pytest

from crewe.atoms.counting.results import AtomCounts


def counted(number=200, most=12, noise=0.2, decided=True, mixture=False):
    """Return a table of columns and its counts; the first three columns were left out."""
    random = np.random.default_rng(3)
    side = int(np.ceil(np.sqrt(number)))
    y, x = np.divmod(np.arange(number), side)
    from_middle = ((x - side / 2) ** 2 + (y - side / 2) ** 2) / (side**2 / 2)
    truth = np.clip(np.round(most * (1 - from_middle)), 1, most).astype(int)
    curve = np.arange(most + 1) - 0.01 * np.arange(most + 1) ** 2
    scs = curve[truth] + random.normal(0, noise, number)
    weights = np.bincount(truth, minlength=most + 1) / number
    posterior = (weights + 1e-3) * np.exp(-0.5 * ((scs[:, None] - curve) / noise) ** 2)
    posterior /= posterior.sum(axis=1, keepdims=True)
    posterior[:3] = np.nan
    table = pd.DataFrame({"x": 2.0 * x + 3, "y": 2.0 * y + 3, "scs": 0.01 * scs, "flag": ""})
    verdict = "The data decide." if decided else "The data cannot decide: give a library."
    summary = {"decided": decided, "verdict": verdict}
    if mixture:
        components = np.arange(1, 16)
        icl = np.abs(components - 12.0) * 5
        criteria = {"components": components.tolist(), "icl": icl.tolist(), "bic": icl.tolist()}
        summary |= {"criteria": criteria, "components": 12, "candidates": [9, 12]}
    spread = np.full(most + 1, 0.01 * noise)
    return table, AtomCounts(posterior, 0.01 * curve, 0.1 * spread, spread, weights, summary)


@pytest.fixture(name="counted")
def counted_columns():
    """Return the function that makes counted columns."""
    return counted
