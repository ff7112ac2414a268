from crewe.workflows.report_volume import _found, volume_numbers

FACTS = {
    "n_atoms": 12345,
    "elements": {"O": 3000, "Ti": 9345},
    "n_columns": 640,
    "left_out": {"without lattice": 0, "without count": 7},
    "coordination": {"4": 2000, "6": 10345},
    "surface_fraction": 0.257,
    "size_angstrom": [20.04, 31.0, 11.2],
    "most_atoms": 19,
    "coordination_radius": 2.5,
}


def test_the_model_in_numbers():
    found = _found(FACTS)
    assert found["atoms"] == "O 3,000, Ti 9,345"
    assert found["columns left out"] == "without count: 7"
    assert found["size x, y, z"] == "20.0 × 31.0 × 11.2 Å"
    nothing_left_out = {**FACTS, "left_out": {"without count": 0}}
    assert _found(nothing_left_out)["columns left out"] == "none"


def test_key_numbers():
    assert dict(volume_numbers({"volume": FACTS}))["of them at the surface"] == "26 %"
    assert volume_numbers({}) == []
