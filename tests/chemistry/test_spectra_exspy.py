import importlib.util

import numpy as np
import pytest

from crewe.chemistry.edx import edx_maps
from crewe.chemistry.spectra_exspy import element_maps_by_exspy
from crewe.errors import CreweError, SpecimenError
from crewe.testing.spectrum_images import edx

installed = importlib.util.find_spec("exspy") is not None
needs_exspy = pytest.mark.skipif(not installed, reason="exSpy is an extra: crewe[exspy]")
# exSpy calls HyperSpy in ways that HyperSpy has deprecated.
quiet = pytest.mark.filterwarnings("ignore")
AMOUNTS = {"Fe_Ka": 6.0, "Fe_Kb": 0.8, "Pt_La": 3.0, "O_Ka": 4.0}


@needs_exspy
@quiet
def test_exspy_and_our_own_windows_count_the_same():
    image = edx(AMOUNTS, (40, 40))
    theirs, ours = (
        element_maps_by_exspy(image, ["Fe", "Pt", "O"]),
        edx_maps(image, ["Fe", "Pt", "O"]),
    )
    assert theirs.lines == ours.lines
    assert theirs.are_counts
    for symbol in ("Fe", "Pt", "O"):
        first, second = (float(found.maps.sel(element=symbol).sum()) for found in (theirs, ours))
        assert first == pytest.approx(second, rel=0.03)
        net = [
            float((found.maps - found.background).sel(element=symbol).sum())
            for found in (theirs, ours)
        ]
        assert net[0] == pytest.approx(net[1], rel=0.06)


@needs_exspy
@quiet
def test_lines_can_be_named_and_the_grid_is_kept():
    image = edx(AMOUNTS)
    found = element_maps_by_exspy(image, ["Pt", "Fe"], {"Pt": "Ma"})
    assert found.lines == {"Pt": "Ma", "Fe": "Ka"}
    assert list(found.maps.element.values) == ["Pt", "Fe"]
    assert np.array_equal(found.maps.x, image.x)


@needs_exspy
@quiet
def test_an_element_without_a_line_is_refused():
    with pytest.raises(SpecimenError, match="no X-ray line of Fe"):
        element_maps_by_exspy(edx(AMOUNTS).isel(energy=slice(150, 400)), ["Fe", "S"])


@pytest.mark.skipif(installed, reason="exSpy is installed")
def test_without_exspy_it_says_what_to_install():
    with pytest.raises(CreweError, match=r"crewe\[exspy\]"):
        element_maps_by_exspy(edx(AMOUNTS), ["Fe"])
