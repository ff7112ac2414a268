import pytest

from crewe.errors import SpecimenError
from crewe.specimens.elements import atomic_mass_da, atomic_masses_da, atomic_radii


def test_masses_and_radii_of_known_elements():
    assert atomic_mass_da(6) == pytest.approx(12.011, abs=1e-3)
    assert atomic_mass_da(78) == pytest.approx(195.084, abs=1e-2)
    assert atomic_radii()[78] == pytest.approx(1.36)


def test_every_element_up_to_lawrencium_has_both():
    assert len(atomic_masses_da()) == len(atomic_radii()) == 104
    assert (atomic_masses_da()[1:] > 1).all()
    assert (atomic_radii()[1:] > 0.25).all()
    assert atomic_radii()[103] == atomic_radii()[96]


@pytest.mark.parametrize("element", [0, -1, 104])
def test_other_elements_do_not_exist(element):
    with pytest.raises(SpecimenError, match="from 1 to 103"):
        atomic_mass_da(element)
