"""Phonon configurations kept apart: their mean, its standard error, and work that can be resumed.

Frozen phonons: R. F. Loane, P. Xu and J. Silcox, Acta Cryst. A 47 (1991) 267,
doi:10.1107/S0108767391000375. Each configuration has a generator of its own, so that it is the
same whichever process simulates it, and when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.errors import CalibrationError, CreweError
from crewe.physics.optics import Optics
from crewe.simulation.field import Field
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.simulation.multislice_run import Run, prepare
from crewe.simulation.multislice_settings import MultisliceSettings
from crewe.simulation.multislice_store import SampleFolder

if TYPE_CHECKING:
    import xarray as xr
    from ase import Atoms

    from crewe.specimens.cloud import AtomCloud

Array = NDArray[np.float64]
Seed = int | Sequence[int]
Progress = Callable[[int, int], None]


def configuration_generator(seed: Seed, configuration: int) -> Generator:
    """Generator of one configuration, numbered from 0: `default_rng([*seed, configuration])`.

    Raises CalibrationError for a seed that is no non-negative integer or several of them.
    """
    return np.random.default_rng([*_seeds(seed), configuration])


def phonon_series(
    atoms: Atoms | AtomCloud,
    optics: Optics,
    detectors: Sequence[AnnularDetector],
    pixel_size_angstrom: float,
    seed: Seed,
    *,
    settings: MultisliceSettings | None = None,
    thicknesses_angstrom: Sequence[float] | None = None,
    field: Field | None = None,
    repeats: tuple[int, int] = (1, 1),
    folder: Path | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Images of frozen phonons with what is uncertain about their mean.

    `image` (thickness, detector, y, x) is the mean over the configurations, in fractions of the
    beam, `phonon_error` its standard error (NaN for a single configuration), `each`
    (configuration, thickness, detector, y, x) the images themselves. Configuration n of `seed` is
    what `annular_series` gives for one configuration and `configuration_generator(seed, n)`; all
    other arguments are explained there.

    With a `folder`, every configuration is kept as soon as it is simulated; the same call goes on
    where an earlier one stopped, or adds configurations, and gives the same numbers. `workers`
    processes on this machine share the configurations, or `executor` runs them, such as that of a
    Dask client: `client.get_executor(pure=False)`; numbers do not depend on them. `progress` hears
    blocks of places done and all, a configuration at a time where others work.

    Raises what `annular_series` raises, WriteError for a folder of another simulation, ReadError
    for a damaged file in it, CreweError for a worker that was ended.
    """
    seeds = _seeds(seed)
    run = prepare(
        atoms,
        optics,
        detectors,
        pixel_size_angstrom,
        settings,
        thicknesses_angstrom,
        field,
        repeats,
    )
    store = None if folder is None else SampleFolder(folder, run, seeds)
    numbers = range(run.settings.configurations)
    held = {n: store.load(n) for n in numbers} if store else {}
    samples = {n: found for n, found in held.items() if found is not None}
    missing = [n for n in numbers if n not in samples]
    hear = _Hearing(progress, len(run.blocks), len(numbers), len(samples))
    for n, found in _simulated(run, seeds, missing, workers, executor, hear):
        if store is not None:
            store.save(n, found)
        samples[n] = found
    return _dataset(run, np.stack([run.images(samples[n]) for n in numbers]))


class _Hearing:
    """Turns blocks and configurations done into what `progress` hears."""

    def __init__(self, progress: Progress | None, blocks: int, number: int, held: int) -> None:
        self.progress, self.blocks, self.whole = progress, blocks, blocks * number
        self.done = 0
        if held:
            self.add(blocks * held)

    def add(self, blocks: int = 1) -> None:
        self.done += blocks
        if self.progress is not None:
            self.progress(self.done, self.whole)


def _simulated(
    run: Run,
    seeds: tuple[int, ...],
    missing: list[int],
    workers: int,
    executor: Executor | None,
    hear: _Hearing,
) -> Iterator[tuple[int, Array]]:
    """Yield configurations as they are finished."""
    processes = min(workers, len(missing))
    if executor is None and processes <= 1:
        for n in missing:
            yield n, run.samples(configuration_generator(seeds, n), hear.add)
        return
    # Forking a process that has started threads can deadlock it.
    pool = ProcessPoolExecutor(processes, get_context("spawn")) if executor is None else None
    with pool or nullcontext(executor) as lent:
        assert lent is not None
        futures = {lent.submit(_one, run, seeds, n): n for n in missing}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
                hear.add(hear.blocks)
        except BrokenProcessPool as error:
            raise CreweError(
                "a process that simulated a configuration was ended: is there enough memory? Use "
                "fewer workers or a smaller window"
            ) from error
        finally:
            for future in futures:
                future.cancel()


def _one(run: Run, seeds: tuple[int, ...], number: int) -> Array:
    return run.samples(configuration_generator(seeds, number))


def _dataset(run: Run, images: Array) -> xr.Dataset:
    import xarray as xr

    number = len(images)
    mean = images.mean(axis=0)
    error = np.full(mean.shape, np.nan)
    if number > 1:
        error = images.std(axis=0, ddof=1) / np.sqrt(number)
    image = run.calibrated(mean, "multislice image")
    each = xr.concat([run.calibrated(one, "each") for one in images], "configuration")
    found = {"image": image, "phonon_error": run.calibrated(error, "phonon error"), "each": each}
    return xr.Dataset(found, attrs=image.attrs)


def _seeds(seed: Seed) -> tuple[int, ...]:
    given = (seed,) if isinstance(seed, (int, np.integer)) else tuple(seed)
    if not given or not all(isinstance(one, (int, np.integer)) and one >= 0 for one in given):
        raise CalibrationError(f"a seed is an integer from 0 on or several of them, not {seed!r}")
    return tuple(int(one) for one in given)
