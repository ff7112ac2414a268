import numpy as np
import pytest

from crewe.chemistry.edx import continuum_map, edx_maps
from crewe.errors import SpecimenError
from crewe.testing.spectrum_images import edx, expected_edx, spectrum_image

AMOUNTS = {"Fe_Ka": 6.0, "Fe_Kb": 0.8, "Pt_La": 3.0, "Pt_Lb1": 1.5, "O_Ka": 4.0}
# ± 1 FWHM of a Gaussian.
HELD = 0.9815


def net(found):
    return (found.maps - found.background).sum(("y", "x")).to_series()


def test_counts_less_background_are_the_lines_counts():
    found = edx_maps(edx(AMOUNTS, (60, 60)), ["Fe", "Pt", "O"])
    pixels = 3600
    for symbol, line in {"Fe": "Fe_Ka", "Pt": "Pt_La", "O": "O_Ka"}.items():
        noise = np.sqrt(2 * float(found.maps.sel(element=symbol).sum()))
        expected = HELD * AMOUNTS[line] * pixels
        assert net(found)[symbol] == pytest.approx(expected, abs=3 * noise + 0.01 * expected)


def test_a_straight_background_is_met_exactly_without_noise():
    mean, energy = expected_edx({"Fe_Ka": 5.0}, (8, 8), background=1.0)
    ground, _ = expected_edx({}, (8, 8), background=1.0)
    found = edx_maps(spectrum_image(mean, energy), ["Fe"])
    low, high = found.windows_ev["Fe"]
    inside = (energy >= low) & (energy <= high)
    # What is left of the line 1.25 FWHM away is 0.3 % of it.
    under = ground[0, 0, inside].sum()
    assert found.background.values == pytest.approx(under, abs=0.03)
    assert found.maps.values == pytest.approx(under + HELD * 5.0, abs=0.03)


def test_counts_stay_whole_and_every_window_is_that_of_a_naive_loop():
    image = edx(AMOUNTS)
    found = edx_maps(image, ["Fe", "O"])
    assert found.are_counts
    energy = image.energy.values
    for symbol in ("Fe", "O"):
        low, high = found.windows_ev[symbol]
        naive = np.zeros((24, 20))
        for channel, centre in enumerate(energy):
            if low <= centre <= high:
                naive += image.values[..., channel]
        assert np.array_equal(found.maps.sel(element=symbol).values, naive)


def test_the_backgrounds_noise_does_not_matter():
    # Variance of the background over repeats: about 1 % of the counts' own.
    amounts = {"Fe_Ka": 0.0}
    found = [edx_maps(edx(amounts, (32, 32), 0.05, seed), ["Fe"]) for seed in range(12)]
    below = np.stack([item.background.values[0] for item in found])[:, 8:24, 8:24]
    counts = np.stack([item.maps.values[0] for item in found])
    assert below.var(0).mean() < 0.02 * counts.var(0).mean()
    assert below.mean() == pytest.approx(counts.mean(), rel=0.04)


def test_the_background_follows_thickness():
    mean, energy = expected_edx({"Fe_Ka": 3.0}, (48, 48), background=0.2)
    mean[:, 24:] *= 3
    image = spectrum_image(np.random.default_rng(3).poisson(mean), energy)
    below = edx_maps(image, ["Fe"]).background.values[0]
    assert below[:, 34:].mean() / below[:, :14].mean() == pytest.approx(3.0, rel=0.05)


def test_background_windows_keep_clear_of_the_other_elements():
    # Co Ka and Fe Kb lie beside Fe Ka; Cr Kb before it.
    alone = edx({"Fe_Ka": 5.0}, (40, 40), seed=1)
    crowded = edx(
        {"Fe_Ka": 5.0, "Fe_Kb": 0.6, "Co_Ka": 20.0, "Co_Kb": 2.5, "Cr_Ka": 20.0, "Cr_Kb": 2.5},
        (40, 40),
        seed=1,
    )
    first = edx_maps(alone, ["Fe"]).background.mean()
    second = edx_maps(crowded, ["Fe", "Co", "Cr"]).background.sel(element="Fe").mean()
    assert float(second) == pytest.approx(float(first), rel=0.1)


def test_an_unlisted_line_is_avoided_where_there_is_room():
    with_it = edx({"Fe_Ka": 5.0, "Gd_La": 15.0}, (40, 40), seed=2)
    without = edx({"Fe_Ka": 5.0}, (40, 40), seed=2)
    found, wanted = (edx_maps(image, ["Fe"]).background.mean() for image in (with_it, without))
    assert float(found) == pytest.approx(float(wanted), rel=0.25)


def test_an_element_that_is_not_there_is_told():
    found = edx_maps(edx({"Fe_Ka": 5.0}, background=0.1), ["Fe", "Cu"])
    assert any("no Cu is seen" in remark for remark in found.remarks)
    assert not any("no Fe" in remark for remark in found.remarks)


def test_scaled_spectra_are_no_counts_and_say_so():
    image = edx({"Fe_Ka": 5.0}).astype(float) * 0.7
    found = edx_maps(image, ["Fe"])
    assert not found.are_counts
    assert any("no whole counts" in remark for remark in found.remarks)


def test_a_line_at_the_end_of_the_range_has_its_background_on_one_side():
    image = edx({"Fe_Ka": 5.0})
    found = edx_maps(image.isel(energy=slice(0, 680)), ["Fe"])
    assert any("one side only" in remark for remark in found.remarks)
    mean = float(found.background.mean())
    assert mean == pytest.approx(float(edx_maps(image, ["Fe"]).background.mean()), rel=0.15)


def test_the_continuum_counts_everything_above_1_kev_but_the_lines():
    image = edx(AMOUNTS)
    total = continuum_map(image)
    assert total.dims == ("y", "x")
    kept = image.energy.values >= 1000
    assert np.array_equal(total.values, image.values[..., kept].sum(-1))
    found = edx_maps(image, ["Fe", "Pt"])
    rest = continuum_map(image, found.windows_ev)
    assert np.array_equal(rest + found.maps.sum("element"), total)


def test_an_element_without_a_line_is_refused():
    with pytest.raises(SpecimenError, match="no X-ray line"):
        edx_maps(edx({"Fe_Ka": 1.0}).isel(energy=slice(150, 400)), ["O"])
