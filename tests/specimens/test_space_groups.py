import numpy as np
import pytest
from ase.geometry import cell_to_cellpar

from crewe.errors import SpecimenError
from crewe.specimens.space_groups import cell_vectors, crystal_system, draw_cell, operations


def test_multiplicity_of_the_general_position():
    for group, multiplicity in ((1, 1), (2, 2), (14, 4), (62, 8), (166, 36), (194, 24), (225, 192)):
        rotations, shifts = operations(group)
        assert len(rotations) == len(shifts) == multiplicity


@pytest.mark.parametrize("group", [2, 15, 74, 142, 155, 167, 194, 206, 227, 230])
def test_operations_form_a_group(group):
    rotations, shifts = operations(group)
    known = {
        (*r.ravel().round().astype(int), *np.round(t % 1 * 24).astype(int) % 24)
        for r, t in zip(rotations, shifts, strict=True)
    }
    rng = np.random.default_rng(group)
    for _ in range(50):
        i, j = rng.integers(len(rotations), size=2)
        product = rotations[i] @ rotations[j]
        shift = rotations[i] @ shifts[j] + shifts[i]
        found = (*product.ravel().round().astype(int), *np.round(shift % 1 * 24).astype(int) % 24)
        assert found in known


@pytest.mark.parametrize("group", [1, 3, 15, 16, 74, 75, 142, 143, 167, 168, 194, 195, 230])
def test_the_group_leaves_the_metric_of_its_cells_alone(group):
    """Rᵀ G R = G: every operation is a rotation or reflection in the cell that was drawn."""
    rng = np.random.default_rng(group)
    for _ in range(5):
        cell = draw_cell(group, lambda: rng.uniform(3.1, 25), lambda: rng.uniform(45, 120))
        metric = cell @ cell.T
        for rotation in operations(group)[0]:
            np.testing.assert_allclose(rotation.T @ metric @ rotation, metric, atol=1e-9)


def test_drawn_cells_are_real_and_within_the_ranges():
    rng = np.random.default_rng(0)
    for _ in range(200):
        cell = draw_cell(1, lambda: rng.uniform(3.1, 25), lambda: rng.uniform(45, 120))
        parameters = cell_to_cellpar(cell)
        assert (parameters[:3] >= 3.1).all()
        assert (parameters[:3] <= 25).all()
        assert (parameters[3:] >= 45).all()
        assert (parameters[3:] <= 120).all()
        assert np.linalg.det(cell) > 0.19 * parameters[:3].prod()


def test_cell_vectors_have_the_parameters_they_were_made_from():
    wanted = (4.0, 5.0, 6.0, 70.0, 85.0, 105.0)
    np.testing.assert_allclose(cell_to_cellpar(cell_vectors(*wanted)), wanted)


def test_systems_and_impossible_requests():
    assert [crystal_system(n) for n in (1, 3, 62, 136, 166, 194, 225)] == [
        "triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic",
    ]  # fmt: skip
    with pytest.raises(SpecimenError, match="no space group 231"):
        operations(231)
    with pytest.raises(SpecimenError, match="no cell has the angles"):
        cell_vectors(1, 1, 1, 45, 45, 120)
    with pytest.raises(SpecimenError, match="widen their range"):
        draw_cell(1, lambda: 5.0, lambda: 120.0)
