from crewe.workflows.report_lattice import _burgers_table, _medians_table, lattice_numbers

LATTICE = {"name": "Pt 1", "columns": 60, "a": 3.80861, "a_std": 0.0073, "b": 2.6, "b_std": None}


def test_edges_are_told_to_the_digits_that_are_known():
    said = dict(lattice_numbers({"lattice": {"lattices": [{**LATTICE, "b_std": 0.1}]}}))
    assert said["edges of the lattice"] == "3.8086 × 2.60 Å"
    assert said["columns in a lattice"] == "60"
    assert lattice_numbers({}) == []


def test_strain_is_in_percent_and_rotation_in_degrees():
    one = {"columns": 5, "median": 0.0123, "spread": 0.002, "std": 0.001}
    table = _medians_table({"eps_xx": one, "omega_xy_deg": one}, "units")
    assert "<td>1.23</td>" in table
    assert "<td>0.0123</td>" in table
    assert "not known" in _medians_table({"eps_xx": {**one, "median": None}}, "units")


def test_the_scatter_between_neighbours_stands_beside_the_standard_error():
    one = {"columns": 5, "median": 0.0123, "spread": 0.002, "std": 0.001}
    table = _medians_table({"eps_xx": {**one, "neighbour_scatter": 0.0047}}, "units")
    assert "scatter between neighbours" in table
    assert "<td>0.47</td>" in table
    assert "neighbours" not in _medians_table({"eps_xx": one}, "units")


def test_burgers_vectors_are_listed_with_their_place():
    circuit = {"around": [30.5, 42.0], "radius": 12.0, "fractions": [0.5, -0.5]}
    circuit |= {"vector": [1.9, -1.3], "length": 2.345, "length_std": 0.012}
    table = _burgers_table([circuit])
    for words in ("30.5, 42", "0.5, -0.5", "2.345 ± 0.012"):
        assert words in table
    assert _burgers_table([]) == ""
