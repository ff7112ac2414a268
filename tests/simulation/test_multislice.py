import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from crewe.errors import CalibrationError, CreweError, SpecimenError
from crewe.physics.cross_sections import annular_cross_section
from crewe.physics.optics import Optics, probe
from crewe.simulation.field import Field
from crewe.simulation.linear import linear_image
from crewe.simulation.multislice import (
    AnnularDetector,
    MultisliceSettings,
    annular_image,
    annular_series,
)
from crewe.simulation.multislice_abtem import lens_of
from crewe.specimens.cloud import AtomCloud

pytest.importorskip("abtem")

LENS = Optics(300, 21.1, 88.74, 0.04, 10.0)
DARK = AnnularDetector(40, 80)
CELL = 5.43
PIXEL = CELL / 18


def generator():
    return np.random.default_rng(7)


def silicon(layers=1):
    crystal = bulk("Si", "diamond", a=CELL, cubic=True) * (1, 1, layers)
    crystal.translate((0.3, 0.2, 0.4))
    crystal.wrap()
    return crystal


def one_atom(number=6, x=5.0, y=5.0):
    return Atoms([number], [(x, y, 1.0)], cell=(10, 10, 2), pbc=False)


def around(pixels=20, corner=3.0):
    """A field of 4 Å about the one atom."""
    return Field((corner, corner), (pixels + 1, pixels + 1), False)


def repeating(pixels=18):
    return Field((0.0, 0.0), (pixels, pixels), True)


def test_detectors_that_share_all_angles_share_the_whole_beam():
    rings = [AnnularDetector(0, 21.1), AnnularDetector(21.1, 60), AnnularDetector(60, 180)]
    depths = [3.62, 5.43]
    kwargs = {"field": repeating(), "thicknesses_angstrom": depths}
    found = annular_series(silicon(), LENS, rings, PIXEL, generator(), **kwargs)
    assert found.dims == ("thickness", "detector", "y", "x")
    assert found.sum("detector").values == pytest.approx(np.ones((2, 18, 18)), abs=3e-3)
    assert (found.sel(detector="60–180 mrad").mean(("y", "x")).diff("thickness") > 0).all()
    assert found.thickness.values == pytest.approx(depths)


def test_an_exit_plane_is_the_exit_of_a_thinner_crystal():
    kwargs = {"settings": MultisliceSettings(slice_thickness_angstrom=1.36), "field": repeating()}
    depths = [CELL, 2 * CELL]
    series = annular_series(
        silicon(2), LENS, [DARK], PIXEL, generator(), thicknesses_angstrom=depths, **kwargs
    )
    thin = annular_image(silicon(), LENS, DARK, PIXEL, generator(), **kwargs)
    assert series[0, 0].values == pytest.approx(thin.values, rel=1e-4)


def test_a_single_atom_is_round():
    image = annular_image(one_atom(79), LENS, DARK, 0.2, generator(), field=around()).values
    assert np.unravel_index(image.argmax(), image.shape) == (10, 10)
    assert image == pytest.approx(image.T, abs=5e-3 * image.max())
    assert image == pytest.approx(image[::-1], abs=5e-3 * image.max())


def test_a_single_atom_is_as_bright_wherever_it_lies_in_a_pixel():
    sums = [
        annular_image(
            one_atom(79, x, 5.0), LENS, DARK, 0.5, generator(), field=around(8, 3.0)
        ).values.sum()
        for x in (5.0, 5.02, 5.035)
    ]
    assert sums == pytest.approx([sums[0]] * 3, rel=5e-3)


def test_the_integral_over_an_atom_is_its_cross_section_in_the_born_approximation():
    # A small aperture: the angles at which the atom is met do not blur the detector's rim.
    field = Field((0.0, 0.0), (21, 21), False)
    image = annular_image(
        one_atom(), Optics(300, 8), AnnularDetector(30, 80), 0.5, generator(), field=field
    )
    assert float(image.sum()) * 0.5**2 == pytest.approx(
        annular_cross_section(6, 300, 30, 80), rel=0.06
    )


def test_a_light_atom_looks_as_the_linear_model_says():
    found = annular_image(one_atom(), LENS, DARK, 0.2, generator(), field=around()).values
    # An atom scatters to 40 mrad and more from within about λ / 40 mrad / 2π of its nucleus.
    atom = Atoms([6], [(2.0, 2.0, 1.0)], cell=(4, 4, 2))
    linear = linear_image(atom, 0.2, probe=LENS, shape=(21, 21), vibration_angstrom=0.08).values
    scaled = linear * found.sum() / linear.sum()
    assert np.abs(found - scaled).max() < 0.06 * found.max()


def test_coma_and_astigmatism_point_the_way_of_our_optics():
    abtem = pytest.importorskip("abtem")
    optics = Optics(
        300, 21.1, 50, 0.02, 5, c12_angstrom=30, phi12_deg=20, c21_angstrom=400, phi21_deg=50,
        c23_angstrom=300, phi23_deg=-30, c32_angstrom=1e4, phi32_deg=10, c34_angstrom=2e4,
        phi34_deg=33,
    )  # fmt: skip
    ours = np.abs(probe(optics, (256, 256), 0.08)) ** 2
    theirs = lens_of(abtem, optics, (20.48, 20.48), (256, 256), "cpu")
    wave = theirs.build(scan=abtem.CustomScan([[10.24, 10.24]]), lazy=False).array
    intensity = np.abs(np.asarray(wave).reshape(256, 256).T) ** 2
    assert intensity / intensity.sum() == pytest.approx(ours, abs=1e-4 * ours.max())


def test_a_shifted_specimen_shifts_the_image_along_x():
    plain = annular_image(silicon(), LENS, DARK, PIXEL, generator(), field=repeating()).values
    moved = silicon()
    moved.translate((3 * PIXEL, 0, 0))
    found = annular_image(moved, LENS, DARK, PIXEL, generator(), field=repeating()).values
    assert found == pytest.approx(np.roll(plain, 3, axis=1), abs=2e-3 * plain.max())


def test_places_at_the_nyquist_step_give_what_a_fine_scan_by_abtem_alone_gives():
    abtem = pytest.importorskip("abtem")
    crystal = silicon()
    field = Field((0.0, 0.0), (8, 8), True)
    ours = annular_image(crystal, LENS, DARK, 0.19, generator(), field=field).values
    # abTEM's own superposition of atoms needs a finer grid to be right at high angles.
    potential = abtem.Potential(crystal, sampling=0.03, slice_thickness=1.81)
    lens = abtem.Probe(
        energy=300e3, semiangle_cutoff=21.1, C10=-88.74, C30=0.04e7, C50=10e7
    )  # fmt: skip
    lens.grid.match(potential)
    places = 0.19 * np.stack(np.meshgrid(range(8), range(8)), axis=-1).reshape(-1, 2)
    with abtem.config.set({"diagnostics.progress_bar": False}):
        theirs = lens.scan(
            scan=abtem.CustomScan(places),
            potential=potential,
            detectors=abtem.AnnularDetector(40, 80),
            lazy=False,
        )
    expected = np.asarray(theirs.array).reshape(8, 8)
    assert np.abs(ours - expected).max() < 0.03 * expected.max()


def test_a_window_around_the_probe_shows_what_the_whole_specimen_does():
    places = np.array([[6, 6, 1], [8, 7, 3], [10, 5, 2.0]])
    cloud = AtomCloud(np.array([79, 79, 14], np.uint8), places, (16.0, 14.0, 4.0))
    kwargs = {"field": Field((5.0, 4.5), (15, 24), False)}
    whole = annular_image(cloud, LENS, DARK, 0.25, generator(), **kwargs).values
    kwargs["settings"] = MultisliceSettings(window_angstrom=10.0)
    part = annular_image(cloud, LENS, DARK, 0.25, generator(), **kwargs).values
    assert np.abs(part - whole).max() < 0.02 * whole.max()
    y, x = np.unravel_index(whole.argmax(), whole.shape)
    assert (5.0 + 0.25 * x, 4.5 + 0.25 * y) == pytest.approx((6.0, 6.0), abs=0.3)


def test_a_frozen_phonon_is_the_atom_elsewhere_and_configurations_are_averaged():
    settings = MultisliceSettings(vibration_angstrom=0.2, configurations=2)
    told = []
    kwargs = {"field": around()}
    found = annular_image(
        one_atom(), LENS, DARK, 0.2, generator(), settings=settings,
        progress=lambda done, whole: told.append((done, whole)), **kwargs,
    )  # fmt: skip
    rng = generator()
    moves = [0.2 * rng.standard_normal((1, 2))[0] for _ in range(2)]
    still = [
        annular_image(one_atom(6, 5 + x, 5 + y), LENS, DARK, 0.2, generator(), **kwargs).values
        for x, y in moves
    ]
    assert found.values == pytest.approx(np.mean(still, axis=0), rel=1e-3, abs=1e-7)
    assert told == [(1, 2), (2, 2)]
    assert found.attrs["units"] == "fraction of beam"
    assert found.attrs["configurations"] == 2


def test_the_source_blurs_and_keeps_the_mean():
    small = annular_image(silicon(), LENS, DARK, PIXEL, generator(), field=repeating())
    wide = Optics(300, 21.1, 88.74, 0.04, 10.0, source_fwhm_angstrom=1.0)
    blurred = annular_image(silicon(), wide, DARK, PIXEL, generator(), field=repeating())
    assert blurred.values.mean() == pytest.approx(small.values.mean(), rel=1e-6)
    assert blurred.values.std() < 0.7 * small.values.std()


def test_an_image_that_repeats_is_scanned_once():
    crystal = silicon() * (2, 1, 1)
    field = Field((0.0, 0.0), (12, 40), True)
    whole = annular_image(crystal, LENS, DARK, PIXEL, generator(), field=field).values
    told = []
    part = annular_image(
        crystal, LENS, DARK, PIXEL, generator(), field=field, repeats=(2, 1),
        progress=lambda *counts: told.append(counts),
    ).values  # fmt: skip
    assert part == pytest.approx(whole, abs=2e-3 * whole.max())
    assert part[:, 18:36] == pytest.approx(part[:, :18], rel=1e-4)
    assert told == [(1, 1)]


def test_an_absent_abtem_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "abtem", None)
    with pytest.raises(CreweError, match=r"crewe\[multislice\]"):
        annular_image(one_atom(), LENS, DARK, 0.5, generator(), field=around())


def test_what_cannot_be_simulated_is_refused():
    coarse = MultisliceSettings(potential_step_angstrom=0.15)
    with pytest.raises(CalibrationError, match="does not scatter to 80 mrad"):
        annular_image(one_atom(), LENS, DARK, 0.5, generator(), settings=coarse)
    with pytest.raises(CalibrationError, match="holds nothing"):
        AnnularDetector(60, 60)
    with pytest.raises(CalibrationError, match="1 or more"):
        MultisliceSettings(configurations=0)
    with pytest.raises(CalibrationError, match="window_angstrom must be positive"):
        MultisliceSettings(window_angstrom=-3.0)
    with pytest.raises(CalibrationError, match="must not be negative"):
        MultisliceSettings(vibration_angstrom=float("nan"))
    slanted = bulk("Si", "diamond", a=CELL)
    with pytest.raises(SpecimenError, match="right angles"):
        annular_image(slanted, LENS, DARK, 0.5, generator(), field=repeating())
