import numpy as np
import pytest

from crewe.chemistry.core_loss import core_loss_maps
from crewe.errors import CalibrationError
from crewe.testing.spectrum_images import eels

O_K, MN_L3, CO_L3 = 532.0, 640.0, 779.0


def test_a_power_law_leaves_nothing_and_an_edge_leaves_itself():
    nothing = core_loss_maps(eels({}, exponent=3.4), ["O"])
    assert np.abs(nothing.maps.values).max() < 0.01 * 200
    found = core_loss_maps(eels({O_K: 400.0}, exponent=2.7), ["O"])
    assert found.maps.values == pytest.approx(400.0, rel=0.01)


def test_noise_does_not_bias_the_mean_and_pixels_go_negative():
    shape = (60, 60)
    empty = core_loss_maps(eels({}, shape, counts=20.0, seed=1), ["O"])
    values = empty.maps.values[0]
    assert values.min() < 0
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(values.size) + 0.02 * values.std()
    full = core_loss_maps(eels({O_K: 50.0}, shape, counts=20.0, seed=2), ["O"])
    scatter = float(full.maps.std()) / 60
    assert float(full.maps.mean()) == pytest.approx(50.0, abs=4 * scatter + 1.0)


def test_the_map_follows_amount_and_thickness():
    amount = np.where(np.arange(40) < 20, 100.0, 300.0)[None, :]
    found = core_loss_maps(eels({MN_L3: amount}, (30, 40), counts=100.0, seed=3), ["Mn"])
    left, right = found.maps.values[0][:, :14].mean(), found.maps.values[0][:, 26:].mean()
    assert left == pytest.approx(100, rel=0.1)
    assert right == pytest.approx(300, rel=0.1)


def test_a_later_edge_ends_the_window_of_the_one_before():
    found = core_loss_maps(eels({O_K: 100.0, MN_L3: 50.0}), ["O", "Mn", "Co"])
    assert found.lines == {"O": "K", "Mn": "L3", "Co": "L3"}
    assert found.windows_ev["O"] == (532.0, pytest.approx(585.2))
    near = core_loss_maps(eels({O_K: 1.0}), ["Co", "Ba"]).windows_ev
    assert near["Co"][1] == pytest.approx(779 * 1.1)


def test_it_says_that_the_maps_are_no_counts():
    found = core_loss_maps(eels({O_K: 100.0}), ["O"])
    assert not found.are_counts
    assert found.background is None
    assert found.maps.attrs["counts"] is False
    assert "no counts" in found.remarks[-1]


def test_dark_signal_under_the_spectra_is_noticed():
    image = eels({O_K: 100.0}, counts=10.0) + 100.0
    image.energy.attrs["units"] = "eV"
    found = core_loss_maps(image, ["O"])
    assert any("dark signal" in remark for remark in found.remarks)


def test_an_axis_too_coarse_for_a_fit_is_refused():
    image = eels({O_K: 100.0}).isel(energy=slice(0, None, 40))
    with pytest.raises(CalibrationError, match="too few"):
        core_loss_maps(image, ["O"])
