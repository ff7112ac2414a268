from pathlib import Path

import pytest

from crewe.cli.fuse_words import by_element, element_maps, elements
from crewe.errors import PlanError


def test_maps_keep_their_order_and_may_hold_equals_signs():
    read = element_maps(["s=maps/a=b.tif", "CO= co.tif"])
    assert list(read.items()) == [("S", Path("maps/a=b.tif")), ("Co", Path("co.tif"))]
    assert element_maps(None) == {}


@pytest.mark.parametrize("text", ["co.tif", "Co=", "=co.tif", ""])
def test_what_is_no_map_is_told(text):
    with pytest.raises(PlanError, match="give ELEMENT=FILE"):
        element_maps([text])


def test_an_element_has_one_map():
    with pytest.raises(PlanError, match="a map of Co already"):
        element_maps(["Co=a.tif", "co=b.tif"])


def test_elements_are_given_one_by_one_or_together():
    assert elements(["co", "S,O"]) == elements(["Co, s ,o,"]) == ["Co", "S", "O"]
    assert elements(None) == []


def test_values_by_element():
    assert by_element(["pt=La", "Co = Ka"], "--line", "Pt=La") == {"Pt": "La", "Co": "Ka"}
    with pytest.raises(PlanError, match="--line Pt: give ELEMENT=VALUE, as in --line Pt=La"):
        by_element(["Pt"], "--line", "Pt=La")
