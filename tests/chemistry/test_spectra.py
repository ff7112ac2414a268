import dask.array as da
import numpy as np
import pytest

from crewe.chemistry.spectra import channels, element_maps, energies_ev, technique_of, window_sums
from crewe.errors import CalibrationError, ImageError, PlanError
from crewe.testing.spectrum_images import edx, eels


def test_edx_and_eels_are_told_apart():
    assert technique_of(edx({"Fe_Ka": 1.0})) == "edx"
    assert technique_of(eels({532.0: 1.0})) == "eels"
    named = eels({532.0: 1.0}).rename("Spectra")
    with pytest.raises(ImageError, match="technique='edx'"):
        technique_of(named)
    named.attrs["metadata"] = {"Signal": {"signal_type": "EELS"}}
    assert technique_of(named) == "eels"
    assert element_maps(named, ["O"]).lines == {"O": "K"}


def test_energies_in_kev_give_the_same_maps():
    image = edx({"Fe_Ka": 5.0})
    other = image.assign_coords(energy=("energy", image.energy.values / 1000, {"units": "keV"}))
    assert np.allclose(energies_ev(other), energies_ev(image))
    first, second = element_maps(image, ["Fe"]), element_maps(other, ["Fe"])
    assert np.array_equal(first.maps, second.maps)


def test_a_lazy_spectrum_image_gives_the_same_maps_and_stays_lazy():
    image = edx({"Fe_Ka": 5.0})
    lazy = image.copy(data=da.from_array(image.values, chunks=(10, 10, 400)))
    first, second = element_maps(image, ["Fe"]), element_maps(lazy, ["Fe"])
    assert np.array_equal(first.maps, second.maps)
    assert hasattr(lazy.data, "dask")


def test_maps_lie_on_the_spectrum_images_grid():
    image = edx({"Fe_Ka": 5.0, "O_Ka": 1.0})
    image.attrs["beam_energy_kev"] = 200.0
    found = element_maps(image, ["fe", "O"], {"Fe": "Kb"})
    assert list(found.maps.element.values) == ["Fe", "O"]
    assert found.lines["Fe"] == "Kb"
    assert np.array_equal(found.maps.x, image.x)
    assert found.maps.x.attrs["units"] == "Å"
    assert found.maps.attrs["beam_energy_kev"] == 200.0
    assert found.background.dims == found.maps.dims == ("element", "y", "x")


def test_the_detectors_resolution_is_read_from_the_metadata():
    image = edx({"Fe_Ka": 5.0})
    eds = {"energy_resolution_MnKa": 180.0}
    image.attrs["metadata"] = {"Acquisition_instrument": {"TEM": {"Detector": {"EDS": eds}}}}
    low, high = element_maps(image, ["Fe"]).windows_ev["Fe"]
    assert high - low == pytest.approx(2 * 183.5, rel=0.01)
    narrow = element_maps(image, ["Fe"], resolution_at_mn_ka_ev=130).windows_ev["Fe"]
    assert narrow[1] - narrow[0] < high - low


def test_small_integers_do_not_overflow():
    image = edx({"Fe_Ka": 5.0}).astype(np.uint8)
    image.values[:] = 255
    sums = window_sums(image, [slice(0, 1000)])
    assert np.all(sums == 255_000)


def test_channels_are_those_whose_centres_lie_inside():
    energy = np.arange(0.0, 100.0, 10.0)
    assert channels(energy, 20, 50) == slice(2, 6)
    assert channels(energy, 21, 49) == slice(3, 5)
    assert channels(energy, -5, 500) == slice(0, 10)


def test_what_is_no_spectrum_image_is_refused():
    image = edx({"Fe_Ka": 5.0})
    with pytest.raises(ImageError, match="give a spectrum image"):
        element_maps(image.isel(energy=5), ["Fe"], technique="edx")
    with pytest.raises(CalibrationError, match="energy axis"):
        element_maps(image.drop_vars("energy"), ["Fe"])
    with pytest.raises(CalibrationError, match="must rise"):
        element_maps(image.isel(energy=slice(None, None, -1)), ["Fe"])
    with pytest.raises(ImageError, match="no element"):
        element_maps(image, [])
    with pytest.raises(ImageError, match="give 'edx' or 'eels'"):
        element_maps(image, ["Fe"], technique="wds")
    with pytest.raises(PlanError, match="no element"):
        element_maps(image, ["Fe", "Zz"])
    with pytest.raises(ImageError, match="neighbourhood"):
        element_maps(image, ["Fe"], neighbourhood_px=-1)
