import numpy as np
import pytest
from fields import CENTRE, gaussian_phase, moments_of

from crewe.errors import CalibrationError
from crewe.physics.electron import interaction_constant
from crewe.sources import Scan
from crewe.stem4d.com import CentreOfMass
from crewe.stem4d.field import ElectricField, FieldDivergence, difference

SHAPE, STEP, WIDTH = (60, 50), (0.1, 0.12), 0.7
ATOM = (3.0, 3.0)


def atom(energy=200.0, calibrated=True, angle=0.0):
    """Potential (V·Å) of an atom at ATOM, and its centre of mass at a beam energy."""
    sigma = interaction_constant(energy)
    phase, shift = gaussian_phase(SHAPE, STEP, ATOM, WIDTH, 10 * sigma)
    com = CentreOfMass(
        moments_of(shift),
        scan=Scan(SHAPE, step_angstrom=STEP),
        sampling_inverse_angstrom=(1.0, 1.0) if calibrated else None,
        reference=tuple(CENTRE),
    )
    return phase / sigma, com


@pytest.mark.parametrize("energy", [60.0, 300.0])
def test_the_field_is_minus_the_gradient_of_the_potential_at_any_energy(energy):
    potential, com = atom(energy)
    images = ElectricField(com, energy).images()
    y, x = np.arange(SHAPE[0]) * STEP[0] - ATOM[0], np.arange(SHAPE[1]) * STEP[1] - ATOM[1]
    expected = (potential * y[:, None] / WIDTH**2, potential * x / WIDTH**2)
    for name, component in zip(("field_y", "field_x"), expected, strict=True):
        np.testing.assert_allclose(images[name].values, component, rtol=1e-9, atol=1e-9)
        assert images[name].attrs["units"] == "V"


def test_the_field_points_away_from_atoms():
    _, com = atom()
    angle = ElectricField(com, 200.0).images()["field_angle"]
    row, column = 30, 25
    assert float(angle[row, column + 9]) == pytest.approx(0, abs=1e-6)
    assert float(angle[row - 9, column]) == pytest.approx(90, abs=1e-6)
    assert float(angle[row + 9, column]) == pytest.approx(-90, abs=1e-6)
    assert abs(float(angle[row, column - 9])) == pytest.approx(180, abs=1e-6)
    assert angle.attrs["units"] == "deg"


def test_the_magnitude_is_that_of_both_components():
    _, com = atom()
    images = ElectricField(com, 200.0).images()
    squares = images["field_y"].values ** 2 + images["field_x"].values ** 2
    np.testing.assert_allclose(images["field_magnitude"].values ** 2, squares, rtol=1e-12)


def test_the_divergence_is_that_of_a_gaussian_and_positive_at_the_core():
    potential, com = atom()
    image = FieldDivergence(com, 200.0).images()["divergence"]
    y, x = np.arange(SHAPE[0]) * STEP[0] - ATOM[0], np.arange(SHAPE[1]) * STEP[1] - ATOM[1]
    square = (y[:, None] ** 2 + x**2) / WIDTH**2
    expected = potential * (2 - square) / WIDTH**2
    np.testing.assert_allclose(image.values[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1.0)
    assert image.attrs["units"] == "V/Å"
    assert float(image[30, 25]) == pytest.approx(20 / WIDTH**2, rel=0.025)


def test_no_charge_without_a_source():
    """Gauss: the divergence of the field of an isolated atom sums to zero."""
    _, com = atom()
    image = FieldDivergence(com, 200.0).images()["divergence"].values
    assert abs(image.sum()) < 0.01 * np.abs(image).sum()


def test_without_energy_or_calibration_it_is_minus_the_centre_of_mass():
    _, com = atom()
    field = ElectricField(com).images()["field_x"]
    np.testing.assert_allclose(field.values, -com.images()["com_x"].values)
    assert field.attrs["units"] == "1/Å"
    assert FieldDivergence(com).images()["divergence"].attrs["units"] == "1/Å/Å"
    _, com = atom(calibrated=False)
    assert ElectricField(com, 200.0).images()["field_x"].attrs["units"] == "px"
    com.scan = Scan(SHAPE)
    assert FieldDivergence(com, 200.0).images()["divergence"].attrs["units"] == "px/px"


def test_differences_of_a_slope_are_the_slope_beside_what_is_unknown_too():
    values = 3.0 * np.arange(7)[:, None] + np.zeros(5)
    values[3, 2] = np.nan
    found = difference(values, 0)
    assert np.isnan(found[3, 2])
    np.testing.assert_allclose(np.delete(found.ravel(), 17), 3.0)
    alone = np.full((3, 3), np.nan)
    alone[1, 1] = 1.0
    assert np.isnan(difference(alone, 1)).all()


def test_energies_that_cannot_be_are_refused():
    _, com = atom()
    for make in (ElectricField, FieldDivergence):
        with pytest.raises(CalibrationError, match="beam energy"):
            make(com, -1.0)
        maker = make(com, 200.0)
        with pytest.raises(CalibrationError, match="beam energy"):
            maker.beam_energy_kev = float("nan")
        assert maker.beam_energy_kev == 200.0
