import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ase import Atoms

from crewe.errors import CalibrationError, ReadError, WriteError
from crewe.physics.optics import Optics
from crewe.simulation.field import Field
from crewe.simulation.multislice import (
    AnnularDetector,
    MultisliceSettings,
    annular_series,
    configuration_generator,
    phonon_series,
)

pytest.importorskip("abtem")

LENS = Optics(300, 21.1)
DARK = AnnularDetector(40, 80)
SEED = (561, 3, 1)
FIELD = Field((2.5, 2.5), (4, 5), False)
ATOMS = Atoms([14, 6], [(3.0, 3.0, 1.0), (3.5, 2.7, 3.0)], cell=(6, 6, 4), pbc=False)


def settings(configurations=3, **others):
    return MultisliceSettings(
        vibration_angstrom=0.1, configurations=configurations, window_angstrom=5.0, **others
    )


def series(configurations=3, seed=SEED, atoms=ATOMS, **options):
    chosen = options.pop("settings", settings(configurations))
    return phonon_series(atoms, LENS, [DARK], 0.3, seed, settings=chosen, field=FIELD, **options)


def test_each_configuration_is_what_its_own_generator_gives():
    found = series()
    assert found["each"].dims == ("configuration", "thickness", "detector", "y", "x")
    for n in range(3):
        rng = np.random.default_rng([561, 3, 1, n])
        alone = annular_series(ATOMS, LENS, [DARK], 0.3, rng, settings=settings(1), field=FIELD)
        assert np.array_equal(found["each"][n], alone)
    again = configuration_generator(SEED, 2).random(3)
    assert np.array_equal(again, np.random.default_rng([561, 3, 1, 2]).random(3))


def test_the_error_is_that_of_a_mean():
    found = series()
    each = found["each"].values
    assert found["image"].values == pytest.approx(each.mean(axis=0))
    variance = sum((one - each.mean(axis=0)) ** 2 for one in each) / 2
    assert found["phonon_error"].values == pytest.approx(np.sqrt(variance / 3))
    assert found["image"].attrs["configurations"] == 3
    assert found["image"].attrs["units"] == "fraction of beam"
    assert np.isnan(series(1)["phonon_error"]).all()


def test_an_interrupted_run_goes_on_and_gives_equal_numbers(tmp_path):
    def stop(done, whole):
        if done > whole / 2:
            raise KeyboardInterrupt

    whole = series()
    with pytest.raises(KeyboardInterrupt):
        series(folder=tmp_path / "run", progress=stop)
    kept = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert kept == ["configuration-0000.npy", "simulation.json"]
    told = []
    found = series(folder=tmp_path / "run", progress=lambda *counts: told.append(counts))
    assert found.identical(whole)
    blocks = told[-1][1] // 3
    assert told[0] == (blocks, 3 * blocks)
    assert told[-1] == (3 * blocks, 3 * blocks)
    assert len(told) == 1 + 2 * blocks


def test_configurations_are_added_to_a_folder(tmp_path):
    series(1, folder=tmp_path)
    before = (tmp_path / "configuration-0000.npy").stat().st_mtime_ns
    more = series(2, folder=tmp_path)
    assert (tmp_path / "configuration-0000.npy").stat().st_mtime_ns == before
    assert more["image"].identical(series(2)["image"])


def test_a_folder_of_another_simulation_is_refused(tmp_path):
    series(1, folder=tmp_path)
    moved = ATOMS.copy()
    moved.positions[0, 0] += 0.01
    with pytest.raises(WriteError, match="differs in atoms"):
        series(1, folder=tmp_path, atoms=moved)
    with pytest.raises(WriteError, match="differs in seed"):
        series(1, folder=tmp_path, seed=(561, 3, 2))
    with pytest.raises(WriteError, match="differs in settings"):
        series(1, folder=tmp_path, settings=settings(1, fidelity="coarse"))
    told = json.loads((tmp_path / "simulation.json").read_text("utf-8"))
    assert told["detectors_mrad"] == [[40, 80]]
    assert told["optics"]["beam_energy_kev"] == 300


def test_a_damaged_file_is_named(tmp_path):
    series(1, folder=tmp_path)
    path = tmp_path / "configuration-0000.npy"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ReadError, match=r"configuration-0000\.npy is damaged"):
        series(1, folder=tmp_path)
    np.save(path, np.zeros(3))
    with pytest.raises(ReadError, match="no samples of this simulation"):
        series(1, folder=tmp_path)


def test_numbers_do_not_depend_on_who_works(tmp_path):
    alone, told = series(2), []
    spread = series(2, workers=2, folder=tmp_path, progress=lambda *counts: told.append(counts))
    assert spread.identical(alone)
    assert [done for done, _ in told] == [told[0][1] // 2, told[0][1]]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".npy", ".npy"]
    with ThreadPoolExecutor(1) as executor:
        assert series(2, executor=executor).identical(alone)


def test_seeds_that_are_none_are_refused():
    for wrong in (-1, (), (1, 2.5), "x"):
        with pytest.raises(CalibrationError, match="a seed is an integer"):
            series(1, seed=wrong)
