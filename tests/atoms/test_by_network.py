from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.spatial import cKDTree
from small_networks import matched_filter

from crewe import axes
from crewe.atoms import find_columns_by_network, fit_columns, map_atoms
from crewe.atoms.by_network import doubts, near_missing, opened
from crewe.errors import CalibrationError, ImageError, PlanError
from crewe.testing.lattices import count_electrons, draw_columns, square_lattice

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return opened(matched_filter(tmp_path_factory.mktemp("networks") / "blobs.onnx"))


def distances(table, truth, margin=1.5):
    """From each true column inside to its mark; fails when marks inside are invented."""
    high = truth[["y", "x"]].max() - margin
    low = truth[["y", "x"]].min() + margin
    inside = truth[(truth[["y", "x"]] > low).all(axis=1) & (truth[["y", "x"]] < high).all(axis=1)]
    marked = table[(table[["y", "x"]] > low).all(axis=1) & (table[["y", "x"]] < high).all(axis=1)]
    assert len(marked) == len(inside)
    return cKDTree(table[["y", "x"]]).query(inside[["y", "x"]])[0]


def test_marks_become_starting_values_of_a_fit(network):
    phantom = square_lattice()
    image = count_electrons(phantom.image, 1e5 * 0.15**2, seed=1)
    table = find_columns_by_network(image, network)
    assert distances(table, phantom.truth).max() < 0.1
    assert table["certainty"].between(0.1, 1).all()
    assert table["width"].iloc[0] == pytest.approx(0.45, rel=0.25)
    assert table["height"].median() == pytest.approx(0.04 * 1e5 * 0.15**2, rel=0.2)
    assert table.attrs["units"]["x"] == "Å"
    fit = fit_columns(image, table)
    assert distances(fit.columns, phantom.truth).max() < 0.05


@pytest.mark.parametrize("sampling", [0.05, 0.15, 0.4, (0.15, 0.25)])
def test_pixels_outside_the_trained_range_are_brought_into_it(network, sampling):
    truth = square_lattice((120, 120)).truth
    steps = np.broadcast_to(sampling, 2)
    shape = tuple(int(18 / step) for step in steps)
    y, x = (np.arange(n) * step for n, step in zip(shape, steps, strict=True))
    values = np.full(shape, 0.01)
    for row in truth.itertuples():
        values += row.height * np.exp(
            -((y[:, None] - row.y) ** 2 + (x[None] - row.x) ** 2) / (2 * row.width**2)
        )
    image = axes.calibrated_image(values, tuple(steps))
    table = find_columns_by_network(image, network)
    assert np.median(distances(table, truth)) < 0.05
    found = map_atoms(image, network)
    assert found.image.shape == image.shape
    np.testing.assert_allclose(found.image["x"], image["x"], atol=1e-12)
    seen = axes.sampling(found.seen)
    assert min(seen) > 0.099
    assert max(seen) < 0.303
    assert (found.seen.shape == image.shape) == (sampling == 0.15)
    assert bool(found.warnings) == (sampling != 0.15)


def test_positions_are_in_the_coordinates_of_the_image(network):
    phantom = square_lattice()
    part = axes.crop(phantom.image, y=slice(3.0, 18.0), x=slice(6.0, 20.0))
    whole, piece = (find_columns_by_network(one, network) for one in (phantom.image, part))
    inside = whole[whole["y"].between(5, 16) & whole["x"].between(8, 18)]
    assert cKDTree(piece[["y", "x"]]).query(inside[["y", "x"]])[0].max() < 0.02


def test_a_constant_and_another_unit_change_no_position(network):
    image = square_lattice().image
    one = find_columns_by_network(image, network)
    other = find_columns_by_network(3e-4 * image + 7, network)
    np.testing.assert_allclose(one[["x", "y"]], other[["x", "y"]], atol=1e-3)
    assert map_atoms(image.assign_attrs(units="e"), network).image.attrs.get("units") is None


def test_intensities_keep_their_unit_and_mark_no_columns(tmp_path):
    path = matched_filter(tmp_path / "smooth.onnx", output="intensity")
    image = square_lattice().image.assign_attrs(units="e")
    found = map_atoms(image, path)
    assert found.image.attrs["units"] == "e"
    middle = {"y": slice(20, -20), "x": slice(20, -20)}
    expected = float(image.isel(middle).mean())
    assert float(found.image.isel(middle).mean()) == pytest.approx(expected, rel=0.02)
    with pytest.raises(PlanError, match="gaussian-mask"):
        find_columns_by_network(image, path)


def test_doubt_is_told_where_most_marks_are_faint():
    table = pd.DataFrame({"certainty": [0.9, 0.8, 0.7, 0.2, 0.3]})
    assert doubts(table) == []
    (said,) = doubts(table.assign(certainty=table["certainty"] / 2))
    assert "5 of 5" in said


def test_an_image_unlike_the_training_inputs_is_told(network):
    card = network.card.model_copy(update={"likeness": {"skewness": (-0.1, 0.1)}})
    found = map_atoms(square_lattice().image, replace(network, card=card))
    (warning,) = found.warnings
    assert "more bright than dark" in warning


@pytest.mark.parametrize("sampling", [0.15, 0.06])
def test_pixels_that_were_not_measured_stay_so_and_hold_no_column(network, sampling):
    phantom = square_lattice((160, 160) if sampling == 0.15 else (300, 300), sampling=sampling)
    image = phantom.image.astype(float)
    whole = find_columns_by_network(image, network)
    middle, side = np.array(image.shape) // 2, int(3 / sampling)
    hole = image.copy()
    hole[middle[0] : middle[0] + side, middle[1] : middle[1] + side] = np.nan
    hole[5, 7] = np.inf
    missing = ~np.isfinite(hole.values)
    found = map_atoms(hole, network)
    np.testing.assert_array_equal(np.isnan(found.image.values), missing)
    table = find_columns_by_network(hole, network)
    row, column = np.round(table[["y", "x"]].to_numpy() / sampling).astype(int).T
    assert not missing[row, column].any()
    distance, _ = cKDTree(table[["y", "x"]]).query(whole[["y", "x"]])
    low, high = sampling * middle - 1.5, sampling * (middle + side) + 1.5
    far = ~((whole[["y", "x"]] > low) & (whole[["y", "x"]] < high)).all(axis=1)
    assert 0 < (~far).sum() < far.sum()
    assert distance[far].max() < 0.03
    assert near_missing(hole, table).any()
    assert not near_missing(image, table).any()


def test_what_no_network_can_use_is_told(network, tmp_path):
    image = square_lattice().image
    with pytest.raises(CalibrationError, match="pixel size"):
        map_atoms(axes.with_sampling(image, 1.0, "px"), network)
    with pytest.raises(ImageError, match="resolve"):
        map_atoms(axes.with_sampling(image, 1.5), network)
    with pytest.raises(ImageError, match="covers"):
        map_atoms(axes.with_sampling(image, 0.001), network)
    for bad in (image.values, xr.full_like(image, np.nan), xr.full_like(image, 3.0)):
        with pytest.raises(ImageError):
            map_atoms(bad, network)
    with pytest.raises(PlanError, match="no network"):
        map_atoms(image, "no-such-mask")
    restoring = matched_filter(tmp_path / "r.onnx", output="intensity", task="restoration")
    with pytest.raises(PlanError, match="atom maps"):
        map_atoms(image, restoring)


def test_the_observer_hears_the_tiles(network):
    heard = []
    map_atoms(square_lattice().image, network, observer=lambda *said: heard.append(said))
    assert heard[0] == ("mapping atoms", 0.0)
    assert heard[-1] == ("mapping atoms", 1.0)


def test_the_shipped_network_finds_a_particle_whose_surface_is_faint():
    from crewe.networks.zoo import shipped_networks

    if "gaussian-mask" not in shipped_networks():
        pytest.skip("no gaussian-mask network is shipped yet")
    truth = square_lattice((256, 256), displacement=0.03).truth
    centre = truth[["y", "x"]].mean()
    distance = np.hypot(truth["y"] - centre["y"], truth["x"] - centre["x"])
    height = 0.04 * np.sqrt(np.clip(1 - (distance / 14) ** 2, 0, None))
    truth = truth.assign(height=height)[distance < 13]
    image = draw_columns(truth, (256, 256), 0.15, background=0.002)
    counts = count_electrons(image, 2e4 * 0.15**2, seed=5)
    table = find_columns_by_network(counts, "gaussian-mask")
    near, partner = cKDTree(table[["y", "x"]]).query(truth[["y", "x"]])
    assert len(table) == pytest.approx(len(truth), abs=2)
    assert np.mean(near < 0.3) > 0.97
    assert len(set(partner)) > 0.97 * len(truth)
