import numpy as np
import pytest
import scipy.fft
from ase import Atoms
from ase.build import bulk

from crewe.errors import CalibrationError
from crewe.physics.optics import Optics
from crewe.simulation.field import Field
from crewe.simulation.multislice import (
    AnnularDetector,
    MultisliceSettings,
    cbed,
    exit_wave,
    phonon_series,
)
from crewe.simulation.multislice_detectors import covered
from crewe.simulation.projected_phase import projected_phase

pytest.importorskip("abtem")

LENS = Optics(200, 20.0, 30.0, 0.001)
RINGS = [AnnularDetector(0, 20), AnnularDetector(30, 60)]
PLACE = (1.5, 2.1)


def crystal():
    cell = bulk("Si", "diamond", a=5.43, cubic=True) * (2, 2, 1)
    cell.translate((0.3, 0.2, 0.4))
    cell.wrap()
    return cell


def in_vacuum(z=1.0):
    return Atoms([79], [(4.0, 4.5, z)], cell=(8, 9, 2.0), pbc=False)


def ring_sum(pattern, ring):
    """Sum over a ring, pixels at its edges by their covered part."""
    axes = [pattern[name].values * LENS.wavelength * 1e3 for name in pattern.dims]
    steps = list(pattern.attrs["mrad_per_pixel"])
    inner, outer = (covered(radius, axes, steps) for radius in (ring.inner_mrad, ring.outer_mrad))
    return float(((outer - inner) * pattern).sum())


def test_a_pattern_holds_the_whole_beam_and_its_disk_in_vacuum():
    empty = Atoms([1], [(40.0, 40.0, 1.0)], cell=(80, 80, 2), pbc=False)
    pattern = cbed(empty, LENS, (10.0, 10.0), extent_angstrom=30)
    assert pattern.dims == ("ky", "kx")
    assert pattern.ky.attrs["units"] == "1/Å"
    assert float(pattern.sum()) == pytest.approx(1, abs=1e-4)
    assert ring_sum(pattern, AnnularDetector(0, 20.8)) == pytest.approx(1, abs=1e-3)
    disk = pattern.sel(ky=0, kx=slice(-0.7, 0.7)).values
    assert disk == pytest.approx(np.full(disk.shape, disk.mean()), rel=1e-3)
    assert pattern.attrs["mrad_per_pixel"][0] == pytest.approx(
        float(pattern.ky[1] - pattern.ky[0]) * LENS.wavelength * 1e3
    )


def test_energy_is_conserved_by_a_crystal_but_for_what_goes_beyond_the_edge():
    wide = cbed(crystal(), LENS, PLACE, outer_mrad=200)
    assert 0.998 < float(wide.sum()) <= 1.00001
    narrow = cbed(crystal(), LENS, PLACE, outer_mrad=40)
    assert float(narrow.sum()) < float(wide.sum())
    assert float(abs(narrow.kx[-1])) * LENS.wavelength * 1e3 <= 40


def test_rings_of_a_pattern_are_the_image_at_that_place():
    settings = MultisliceSettings(vibration_angstrom=0.1, configurations=2)
    kwargs = {"settings": settings, "field": Field(PLACE, (1, 1), True), "repeats": (2, 2)}
    image = phonon_series(crystal(), LENS, RINGS, 0.2, 5, **kwargs)["image"]
    pattern = cbed(crystal(), LENS, PLACE, outer_mrad=60, settings=settings, seed=5)
    # Where displaced, a crystal does not repeat within its cell, but at this place nothing is
    # taken from further away.
    expected = [float(image[0, number, 0, 0]) for number in range(2)]
    assert [ring_sum(pattern, ring) for ring in RINGS] == pytest.approx(expected, rel=0.01)
    plain = cbed(crystal(), LENS, PLACE, outer_mrad=60)
    assert ring_sum(pattern, RINGS[1]) > 1.02 * ring_sum(plain, RINGS[1])


def test_an_atom_deflects_the_pattern_towards_itself():
    # The atom lies at +x, +y of the probe: electrons are drawn to it.
    pattern = cbed(in_vacuum(), LENS, (3.7, 4.1), outer_mrad=40)
    assert float((pattern * pattern.kx).sum()) > 1e-3
    assert float((pattern * pattern.ky).sum()) > 1e-3
    mirrored = cbed(in_vacuum(), LENS, (4.3, 4.1), outer_mrad=40)
    assert float((mirrored * mirrored.kx).sum()) == pytest.approx(
        -float((pattern * pattern.kx).sum()), rel=0.02
    )


def test_a_plane_wave_behind_a_weak_object_is_one_plus_i_times_the_phase():
    atoms = Atoms([1], [(2.0, 2.6, 0.05)], cell=(6, 5, 0.1), pbc=True)
    wave = exit_wave(atoms, beam_energy_kev=200, outer_mrad=60)
    assert wave.dims == ("configuration", "y", "x")
    assert np.iscomplexobj(wave)
    step_y, step_x = float(wave.y[1] - wave.y[0]), float(wave.x[1] - wave.x[0])
    assert (wave.sizes["y"] * step_y, wave.sizes["x"] * step_x) == pytest.approx((5, 6))
    fine = projected_phase([1], atoms.positions, (250, 300), 0.02, 200)
    # Both at low frequencies, where no grid cuts anything.
    found = scipy.fft.fft2(wave[0].values - 1, norm="forward")
    expected = scipy.fft.fft2(1j * fine, norm="forward")
    indices = [(0, 1), (2, 0), (3, 2), (-1, 4)]
    assert [found[i] for i in indices] == pytest.approx([expected[i] for i in indices], rel=0.02)
    peak = abs(wave[0]).where(abs(wave[0] - 1) == abs(wave[0] - 1).max(), drop=True)
    assert float(peak.y[0]) == pytest.approx(2.6, abs=step_y)
    assert float(peak.x[0]) == pytest.approx(2.0, abs=step_x)


def test_the_far_field_of_a_probe_is_its_pattern():
    wave = exit_wave(in_vacuum(), optics=LENS, place=PLACE, outer_mrad=40)
    far = scipy.fft.fftshift(np.abs(scipy.fft.fft2(wave[0].values, norm="ortho")) ** 2)
    pattern = cbed(in_vacuum(), LENS, PLACE, outer_mrad=40)
    # Zero frequency is pixel n // 2 of both.
    rows, columns = (a // 2 - b // 2 for a, b in zip(far.shape, pattern.shape, strict=True))
    part = far[rows : rows + pattern.shape[0], columns : columns + pattern.shape[1]]
    assert np.abs(part - pattern.values).max() < 1e-6 * part.max()
    assert float((abs(wave) ** 2).sum()) == pytest.approx(1, abs=1e-3)


def test_waves_come_one_for_each_configuration():
    settings = MultisliceSettings(vibration_angstrom=0.1, configurations=2)
    waves = exit_wave(in_vacuum(), beam_energy_kev=200, settings=settings, seed=(1, 2))
    assert waves.sizes["configuration"] == 2
    assert float(abs(waves[0] - waves[1]).max()) > 0.05
    assert float(abs(abs(waves.isel(x=0, y=0)) - 1).max()) < 0.05
    first = MultisliceSettings(vibration_angstrom=0.1)
    again = exit_wave(in_vacuum(), beam_energy_kev=200, settings=first, seed=(1, 2))
    assert np.array_equal(again[0], waves[0])
    assert float(waves.x[0]) < 0 < 8 < float(waves.x[-1])


def test_what_has_no_single_wave_is_refused():
    wide = Optics(200, 20, source_fwhm_angstrom=0.8)
    with pytest.raises(CalibrationError, match="no single wave"):
        cbed(in_vacuum(), wide, PLACE)
    with pytest.raises(CalibrationError, match="too small for a probe"):
        cbed(in_vacuum(), LENS, PLACE, extent_angstrom=3)
    for wrong in ({}, {"optics": LENS}, {"optics": LENS, "place": PLACE, "beam_energy_kev": 200}):
        with pytest.raises(CalibrationError, match="plane wave, or optics and place"):
            exit_wave(in_vacuum(), **wrong)
