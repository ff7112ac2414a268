"""Shifts and tilts of a crystal of several sites, as a plan asks for them."""

import numpy as np
import pytest

from crewe import io
from crewe.axes import calibrated_image
from crewe.errors import PlanError
from crewe.workflows import plan_from, run
from crewe.workflows.analyse_lattice import medians

EDGE, SHIFT, SAMPLING = 4.0, 0.12, 0.2
SITES = [["Sr", 0.0, 0.0], ["Ti", 0.5, 0.5], ["O", 0.5, 0.0], ["O", 0.0, 0.5]]
HEIGHTS = {"Sr": 1.0, "Ti": 0.6, "O": 0.3}


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Six by six cells; every Ti is shifted along x, oxygen stands where it should."""
    y, x = np.mgrid[:135, :135] * SAMPLING
    values = np.full(x.shape, 0.1)
    for name, u, v in SITES:
        for row in range(6):
            for column in range(6):
                place = np.array([column + u, row + v]) * EDGE + 2.0
                place[0] += SHIFT if name == "Ti" else 0.0
                away = (x - place[0]) ** 2 + (y - place[1]) ** 2
                values += HEIGHTS[name] * np.exp(-away / (2 * 0.45**2))
    noisy = np.random.default_rng(4).poisson(values * 3e4) / 3e4
    return io.write(
        tmp_path_factory.mktemp("lattice") / "sto.tif", calibrated_image(noisy, SAMPLING)
    )


def asked(image, output=None, **strain):
    cell = {"a": EDGE, "b": EDGE, "sites": SITES}
    lattice = {"cells": [cell]}
    return run(plan_from({"image": image, "output": output, "lattice": lattice, "strain": strain}))


def test_shifts_and_tilts_are_those_of_the_crystal(image, tmp_path):
    strain = {"shifts": [["Ti", "Sr"], ["Ti", "O"]], "tilts": [["Ti", "O"]]}
    result = asked(image, tmp_path / "out", **strain)
    tables = result.analyses.tables
    assert set(tables) == {"strain", "shifts", "tilts"}
    for around, group in tables["shifts"].groupby("around"):
        assert group["shift_x"].median() == pytest.approx(SHIFT, abs=0.01), around
        assert group["shift_y"].median() == pytest.approx(0.0, abs=0.01), around
    assert abs(tables["tilts"]["tilt_deg"].median()) < 0.3
    stored = io.read_table(tmp_path / "out" / "shifts.parquet")
    assert len(stored) == len(tables["shifts"])
    assert stored.attrs["units"]["shift_x"] == "Å"
    # polarisation is no strain while neighbours are of the same site
    assert abs(tables["strain"]["eps_xx"].median()) < 1e-3
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Shifts of a site" in report
    assert "Tilts" in report


def test_a_site_that_the_cell_lacks_is_named(image):
    with pytest.raises(PlanError, match="Xe"):
        asked(image, shifts=[["Xe", "Sr"]])


def test_medians_leave_out_what_was_not_measured():
    import pandas as pd

    table = pd.DataFrame({"eps": [1.0, np.nan, 3.0], "eps_std": [0.1, np.nan, 0.3], "n": 1})
    assert medians(table) == {"eps": {"columns": 2, "median": 2.0, "spread": 1.0, "std": 0.2}}
    nothing = table.assign(eps=np.nan, eps_std=np.nan)
    assert medians(nothing)["eps"] == {"columns": 0, "median": None, "spread": None, "std": None}
