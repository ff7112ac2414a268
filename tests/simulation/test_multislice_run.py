import itertools
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from crewe.physics.optics import Optics
from crewe.simulation.field import Field
from crewe.simulation.multislice import AnnularDetector, MultisliceSettings, annular_image
from crewe.simulation.multislice_run import prepare

pytest.importorskip("abtem")

LENS = Optics(200, 24.5, 20.0, 0.001)
DARK = AnnularDetector(50, 150)
ATOMS = Atoms([79, 14], [(3.0, 3.0, 1.0), (3.9, 3.3, 3.0)], cell=(6, 6, 4), pbc=False)
FIELD = Field((2.6, 2.6), (2, 3), False)


def generator():
    return np.random.default_rng([561, 3, 1, 0])


def prepared(detectors=(DARK,), **settings):
    return prepare(ATOMS, LENS, detectors, 0.8, MultisliceSettings(**settings), field=FIELD)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (6.0, [[0.002305609, 0.002058005, 0.000405686], [0.007648505, 0.003239230, 0.000958633]]),
        (None, [[0.002210015, 0.002010248, 0.00043459], [0.007461959, 0.003113458, 0.000963009]]),
    ],
)
def test_coarse_fidelity_repeats_the_first_numbers(window, expected):
    # Made by the code before there was another fidelity.
    settings = MultisliceSettings(
        vibration_angstrom=0.08, window_angstrom=window, fidelity="coarse"
    )
    image = annular_image(ATOMS, LENS, DARK, 0.8, generator(), settings=settings, field=FIELD)
    assert image.values == pytest.approx(np.array(expected), rel=3e-6)
    assert image.attrs["fidelity"] == "coarse"


def test_a_heavy_atom_is_as_bright_in_any_window():
    atoms = Atoms([79], [(3.0, 3.0, 1.0)], cell=(6, 6, 2), pbc=False)
    lens, field = Optics(200, 24.5), Field((3.0, 3.0), (1, 1), False)
    kwargs = {"field": field, "rng": generator()}
    found = {
        fidelity: np.array([
            float(annular_image(atoms, lens, DARK, 0.5, settings=MultisliceSettings(
                window_angstrom=window, fidelity=fidelity), **kwargs)[0, 0])
            for window in (5.5, 6.0, 6.7, 7.4)
        ])
        for fidelity in ("fine", "coarse")
    }  # fmt: skip
    spread = {name: np.ptp(values) / values.mean() for name, values in found.items()}
    assert spread["fine"] < 0.012
    assert spread["fine"] < 0.6 * spread["coarse"]
    # Blunt cores scatter too much.
    assert found["coarse"].mean() > 1.1 * found["fine"].mean()


def test_rings_share_the_whole_beam_in_a_window_too():
    edges = [0, 24.5, 50, 400]
    rings = [AnnularDetector(a, b) for a, b in itertools.pairwise(edges)]
    run = prepared(rings, window_angstrom=6.0)
    samples = run.samples(generator())
    assert samples.shape == run.sample_shape
    assert samples.sum(axis=1) == pytest.approx(np.ones(samples.shape[2:])[None], abs=4e-3)
    assert samples.min() > 0


def test_blocks_hold_every_place_once_and_each_is_told():
    run = prepared(window_angstrom=6.0)
    seen = np.zeros(run.sample_shape[2:], int)
    for rows, columns in run.blocks:
        seen[rows, columns] += 1
    assert (seen == 1).all()
    told = []
    run.samples(generator(), lambda: told.append(1))
    assert len(told) == len(run.blocks)
    assert len(prepared().blocks) == 1


def test_small_batches_give_what_one_large_one_does():
    run = prepared(window_angstrom=6.0)
    small = replace(run, settings=MultisliceSettings(window_angstrom=6.0, memory_mb=2.0))
    assert small.samples(generator()) == pytest.approx(run.samples(generator()), rel=1e-5)
