import numpy as np
import pytest
import xarray as xr

from crewe.chemistry.checks import by_element, check_haadf, check_map, element_symbol
from crewe.errors import CreweError, ImageError, PlanError


def plane(values=None, dims=("y", "x")):
    return xr.DataArray(np.arange(400.0).reshape(20, 20) if values is None else values, dims=dims)


def test_symbols_are_put_right_or_refused():
    assert element_symbol(" co ") == "Co"
    for name in ("X", "Unobtainium", "", "12", "CoO", "Fm", "No"):
        with pytest.raises(PlanError, match="no element"):
            element_symbol(name)


def test_maps_come_by_symbol_or_along_an_axis():
    stack = xr.DataArray(
        np.ones((2, 20, 20)), dims=("element", "y", "x"), coords={"element": ["Co", "O"]}
    )
    assert list(by_element(stack)) == ["Co", "O"]
    assert list(by_element({"co": plane(), "O": plane()})) == ["Co", "O"]


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        ({}, "no element map"),
        ({"Co": plane(), "CO": plane()}, "two maps of Co"),
        ({"Co": plane(np.ones((2, 20, 20)), ("frame", "y", "x"))}, "expected"),
        (plane(), "'element'"),
    ],
)
def test_what_is_no_set_of_maps_is_refused(maps, words):
    with pytest.raises(ImageError, match=words):
        by_element(maps)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.ones((20, 20)), "says nothing"),
        (np.full((20, 20), np.nan), "NaN"),
        (np.ones((4, 20)), "at least"),
    ],
)
def test_haadf_that_says_nothing_is_refused(values, words):
    with pytest.raises(ImageError, match=words):
        check_haadf(plane(values))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.ones((20, 21)), r"\(20, 21\).*\(20, 20\)"),
        (np.zeros((20, 20)), "empty"),
        (np.full((20, 20), np.inf), "1?400 pixels|infinite"),
        (np.full((20, 20), "a"), "numbers"),
    ],
)
def test_maps_that_cannot_be_used_are_named(values, words):
    with pytest.raises(CreweError, match=words) as told:
        check_map("Co", plane(values), plane())
    assert "Co" in str(told.value)
