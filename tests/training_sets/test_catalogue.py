import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.errors import PlanError
from crewe.training_sets.catalogue import find_samples, main_columns, parse_query
from crewe.training_sets.store import open_training_set

MANIFEST = pd.DataFrame(
    {
        "index": [0, 1, 2, 3],
        "block": [0, 0, 1, 1],
        "material": ["SrTiO3", "Pt", "PtFe", "carbon black"],
        "elements": ["O,Sr,Ti", "Pt", "Fe,Pt", "C"],
        "zone_axis": ["[001]", "[110]", "[1-10]", "[001]"],
        "field_of_view_angstrom": [20.0, 50.0, 80.5, 40.0],
        "dose_e_per_angstrom2": [1e3, 500.0, 2e4, 1e2],
        "layers": [3, 4, 5, 6],
        "tilted": [True, False, True, False],
    }
)


def found(query):
    return list(find_samples(MANIFEST, query)["index"])


@pytest.mark.parametrize(
    ("query", "indices"),
    [
        ("", [0, 1, 2, 3]),
        ("element=Pt", [1, 2]),
        ("elements=pt", [1, 2]),
        ("element=Pt,Fe", [2]),
        ("element!=Pt", [0, 3]),
        ("element=P", []),
        ("element=T", []),
        ("fov<50", [0, 3]),
        ("fov<=50", [0, 1, 3]),
        ("fov > 50", [2]),
        ("fov>=50 element=Pt dose<1e3", [1]),
        ("field_of_view_angstrom=80.5", [2]),
        ("layers!=4 layers<6", [0, 2]),
        ("zone=[001]", [0, 3]),
        ("zone=[1-10]", [2]),
        ("zone=110", [1]),
        ("zone!=001", [1, 2]),
        ("material~pt", [1, 2]),
        ("material=PT", [1]),
        ('material="carbon black"', [3]),
        ("material~'n b' fov=40", [3]),
        ("tilted=true", [0, 2]),
        ("tilted!=yes FOV<45", [3]),
        ("index>=1 index<3", [1, 2]),
        ("layers==3", [0]),
    ],
)
def test_queries_find_what_they_say(query, indices):
    assert found(query) == indices


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("elemnt=Pt", "no 'elemnt'; did you mean 'element'"),
        ("field=3", "did you mean"),
        ("mineral=rutile", "^this set has no mineral; its keys are block, .*, zone, zone_axis$"),
        ("Morphology=flake", "^this set has no morphology; its keys are block, dose, "),
        ("pixel<1", "^this set has no pixel; "),
        ("fov<big", "fov is a number, 'big' is not.*Å"),
        ("fov<50Å", "without the unit"),
        ("fov~5", "not ~"),
        ("material<5", "material is text"),
        ("element>Pt", "element is text"),
        ("tilted=maybe", "tilted=true"),
        ("tilted<true", "tilted=true"),
        ("Pt", "cannot be read from 'Pt' on"),
        ("fov<50 and dose>3", "cannot be read from 'and dose>3' on"),
        ("fov<", "cannot be read"),
        ("fov=<3", "cannot be read"),
        ('material="open', "cannot be read"),
    ],
)
def test_bad_queries_are_told_what_to_do(query, said):
    with pytest.raises(PlanError, match=said):
        find_samples(MANIFEST, query)


@given(st.text(max_size=30))
def test_any_text_is_a_query_or_a_plan_error(text):
    try:
        rows = find_samples(MANIFEST, text)
    except PlanError:
        return
    assert set(rows["index"]) <= set(MANIFEST["index"])


@given(st.lists(st.sampled_from(["fov<60", "dose>=400", "element=Pt", "tilted=true"]), max_size=4))
def test_terms_are_joined_by_and(terms):
    each = [set(found(term)) for term in terms]
    assert set(found(" ".join(terms))) == set(MANIFEST["index"]).intersection(*each)
    assert len(parse_query("  ".join(terms))) == len(terms)


def test_a_table_for_people_shows_what_was_asked_about():
    assert main_columns(MANIFEST, "layers>2") == [
        "index",
        "material",
        "elements",
        "zone_axis",
        "field_of_view_angstrom",
        "dose_e_per_angstrom2",
        "layers",
    ]
    assert "layers" not in main_columns(MANIFEST, "fov<50")


def test_a_stored_set_is_searched_by_its_manifest(made_set):
    stored = open_training_set(made_set)
    rows = find_samples(stored.manifest, "element=Fe fov<5 layers>2")
    truth = [
        index
        for index in range(len(stored))
        if "Fe" in (facts := stored.facts(index))["elements"].split(",")
        and facts["field_of_view_angstrom"] < 5
        and facts["layers"] > 2
    ]
    assert truth
    np.testing.assert_array_equal(rows["index"], truth)
