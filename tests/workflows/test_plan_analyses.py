import pytest

from crewe.errors import PlanError
from crewe.workflows import load_plan, plan_from, save_plan

CELL = {"a": 3.9, "b": 3.9, "sites": [["Sr", 0, 0], ["Ti", 0.5, 0.5]]}
HEIGHTS = {"repeat_angstrom": 3.905, "atoms": [[["Sr", 0.0]], [["Ti", 0.5], ["O", 0.0]]]}
LIBRARY = {"scs": [0.1, 0.19, 0.27], "name": "pt.csv"}


def test_a_plan_with_analyses_comes_back_from_yaml_as_it_was(tmp_path):
    plan = plan_from(
        {
            "image": tmp_path / "gold.dm4",
            "count": {"library": LIBRARY, "types": [0, "Sr"]},
            "lattice": {"cells": [{**CELL, **HEIGHTS}], "most_lattices": 2},
            "strain": {"shifts": [["Ti", "Sr"]], "burgers": [[10.0, 12.5, 8.0]]},
            "volume": {},
        }
    )
    save_plan(plan, tmp_path / "plan.yaml")
    assert load_plan(tmp_path / "plan.yaml") == plan


@pytest.mark.parametrize(
    ("given", "way"),
    [
        ({}, "curve"),
        ({"library": LIBRARY}, "hybrid"),
        ({"library": LIBRARY, "by": "library"}, "library"),
        ({"by": "mixture", "components": 3}, "mixture"),
    ],
)
def test_the_way_of_counting_follows_from_what_is_given(given, way):
    assert plan_from({"image": "a", "count": given}).count.way == way


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"count": {"by": "library"}}, "needs a library"),
        ({"count": {"by": "mixture", "library": LIBRARY}}, "takes no library"),
        ({"count": {"single_atom_scs": 0.1, "library": LIBRARY}}, "leave out --scale"),
        ({"count": {"scale_std": 0.1}}, "needs a scale"),
        ({"count": {"components": 4}}, "add --by mixture"),
        ({"count": {"by": "mixture", "width": "measured"}}, "by curve or hybrid"),
        ({"count": {"dose_e_per_angstrom2": 1e4}}, "add --width dose"),
        ({"count": {"least_count": 9, "most_count": 3}}, "above most_count"),
        (
            {"count": {"library": {"scs": [0.1, -0.2]}}},
            r"library\.scs = -0\.2 should be greater than 0",
        ),
        ({"count": {"least_probability": 1.0}}, "less than 1"),
        ({"strain": {}}, "give --cell"),
        ({"volume": {}}, "needs counts and a unit cell"),
        ({"count": {}, "lattice": {"cells": [CELL]}, "volume": {}}, "at which heights"),
        ({"lattice": {"cells": []}}, "at least 1 item"),
        ({"lattice": {"cells": [{**CELL, "atoms": [[["Sr", 0]]]}]}}, "1 sites of 2"),
        ({"lattice": {"cells": [CELL]}, "sampling": "pixel"}, "needs lengths in Å"),
        ({"strain": {"radios": 1}}, r"unknown key 'strain\.radios'; did you mean 'radius'"),
    ],
)
def test_wrong_analyses_say_what_is_wrong(settings, said):
    with pytest.raises(PlanError, match=said):
        plan_from({"image": "a", **settings})
