"""How long emulated images take, beside the bare arithmetic and beside abTEM for the same image.

    python -m benchmarks.speed.emulator --pairs ../shared/data/emulator/pt_mo5.npz \
        --markdown docs/benchmarks/emulator_speed.md

Each part runs in a process of its own: predictions on one core, the fit on all of them.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.accuracy.tables import environment

ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
PIXELS, PIXEL_ANGSTROM, ATOMS = 250, 0.1, 561
REPEATS = 200
FITTED_IMAGES = 10
PHONONS = 16
PLACES = 64
# The default grid of abTEM for this detector; its scan is one place per pixel of the image.
POTENTIAL_STEP_ANGSTROM = 0.0417
PAPER = {"image_ms": 10.0, "fit_s": 100.0, "speed_up": 1e6}


def particle():
    """Return the atoms of a Pt particle along [110] in the middle of the image, (x, y, z) in Å."""
    from crewe.specimens.nanoparticles import nanoparticle
    from crewe.specimens.orientation import along_zone_axis

    turn = along_zone_axis(np.eye(3), (1, 1, 0))
    cloud = nanoparticle({78: ATOMS}, np.random.default_rng(1), rotation=turn)
    middle = 0.5 * (PIXELS - 1) * PIXEL_ANGSTROM
    places = cloud.positions - cloud.positions.mean(axis=0) + [middle, middle, 0]
    places[:, 2] -= places[:, 2].min() - 1.0
    return cloud.numbers, places


def plans():
    """Return the emulators that are timed."""
    from crewe.simulation.emulator.plan import EmulatorPlan

    return {
        "neighbourhood, 378 terms": EmulatorPlan(),
        "smoothed, 78 terms": EmulatorPlan(features="smoothed", degree=2),
        "smoothed, 364 terms": EmulatorPlan(features="smoothed", degree=3, ridge=1e-8),
    }


def predictions(pairs: Path) -> dict[str, object]:
    """Time an image of atoms on one core, its parts, and the least it can cost."""
    import scipy.fft

    from crewe.simulation.convolution import Convolution
    from crewe.simulation.emulator.fit import fit_emulator
    from crewe.simulation.emulator.pairs import read_pairs

    few = read_pairs(pairs)[:3]
    numbers, places = particle()
    shape = (PIXELS, PIXELS)
    convolution = Convolution(PIXEL_ANGSTROM, scale=few[0].linear.mean() / 400.0)
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    found: dict[str, object] = {
        "transform there and back": _times(lambda: scipy.fft.irfft2(scipy.fft.rfft2(image))),
        "convolution image": _times(lambda: convolution.image(numbers, places, shape)),
    }
    for name, plan in plans().items():
        emulator = fit_emulator(few, plan, convolution=convolution)
        linear = convolution.image(numbers, places, shape)
        found[f"prediction from it, {name}"] = _times(lambda e=emulator, i=linear: e.predict(i))
        whole = lambda e=emulator: e.image_of(numbers, places, shape)  # noqa: E731
        found[f"whole image, {name}"] = _times(whole)
    return found


def fit(pairs: Path) -> dict[str, float]:
    """Time the fit of 378 terms to ten images of files, and the memory of the process."""
    from crewe.simulation.emulator.fit import fit_emulator
    from crewe.simulation.emulator.pairs import read_pairs

    stored = read_pairs(pairs)
    fit_emulator(stored[:2], plans()["neighbourhood, 378 terms"])
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    fit_emulator(stored[:FITTED_IMAGES], plans()["neighbourhood, 378 terms"])
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": after.ru_maxrss / 1024,
        "cores": os.cpu_count() or 1,
    }


def multislice() -> dict[str, float]:
    """Time abTEM, run plainly on the whole particle, for some places of the probe."""
    import abtem
    from ase import Atoms

    numbers, places = particle()
    edge = PIXELS * PIXEL_ANGSTROM
    height = float(places[:, 2].max()) + 1.0
    atoms = Atoms(numbers, places, cell=(edge, edge, height), pbc=True)
    probe = abtem.Probe(energy=200e3, semiangle_cutoff=24.5, C30=0.0012e7)
    potential = abtem.Potential(atoms, sampling=POTENTIAL_STEP_ANGSTROM, slice_thickness=2.0)
    ring = abtem.AnnularDetector(50, 150)
    at = np.random.default_rng(2).uniform(5, edge - 5, (PLACES, 2))
    with abtem.config.set({"diagnostics.progress_bar": False}):
        built = potential.build(lazy=False)
        probe.grid.match(built)
        scan = lambda: probe.scan(  # noqa: E731
            scan=abtem.CustomScan(at), potential=built, detectors=ring, lazy=False
        )
        scan()
        start = time.perf_counter()
        scan()
        seconds = time.perf_counter() - start
    return {"seconds_per_place": seconds / PLACES, "places": PLACES}


def reduced() -> dict[str, float]:
    """Time one phonon configuration of the same image by crewe's own use of abTEM."""
    from ase import Atoms

    from crewe.physics.optics import Optics
    from crewe.simulation.field import Field
    from crewe.simulation.multislice import AnnularDetector, MultisliceSettings, annular_image

    numbers, places = particle()
    edge = PIXELS * PIXEL_ANGSTROM
    atoms = Atoms(numbers, places, cell=(edge, edge, float(places[:, 2].max()) + 1.0), pbc=False)
    lens = Optics(200, 24.5, 0.0, 0.0012, source_fwhm_angstrom=0.88)
    settings = MultisliceSettings(2.0, 0.064, 1, window_angstrom=8.0)
    field = Field((0.0, 0.0), (PIXELS, PIXELS), False)
    start = time.perf_counter()
    annular_image(
        atoms,
        lens,
        AnnularDetector(50, 150),
        PIXEL_ANGSTROM,
        np.random.default_rng(0),
        settings=settings,
        field=field,
    )
    return {"seconds": time.perf_counter() - start}


def _times(work: Callable[[], object]) -> dict[str, float]:
    for _ in range(5):
        work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return {"median_ms": float(np.median(times)), "least_ms": float(np.min(times))}


def page(found: dict[str, dict]) -> str:
    """Return the page that goes into the documentation."""
    rows = found["predictions"]
    image = rows["whole image, neighbourhood, 378 terms"]["median_ms"]
    lines = [
        "# Speed of the emulator",
        "",
        "<!-- Written by `python -m benchmarks.speed.emulator`; do not edit by hand. -->",
        "",
        f"An image of {PIXELS} × {PIXELS} pixels of a particle of {ATOMS} Pt atoms, from atoms to "
        "fractions of the beam, on one core, compiled code warm. *Prediction from it* first moves",
        "a given convolution image by the shift of the training pairs, with a spline of 3 ms;",
        "atoms stand where they are.",
        "",
        "| what | median ms | least ms |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {k} | {v['median_ms']:.2f} | {v['least_ms']:.2f} |" for k, v in rows.items()]
    lines += ["", *_fit_words(found["fit"]), "", *_multislice_words(found, image), ""]
    return "\n".join([*lines, environment("numpy", "scipy", "numba", "abtem")]) + "\n"


def _fit_words(fitted: dict[str, float]) -> list[str]:
    return [
        f"The 378 terms were fitted to {FITTED_IMAGES} of the paper's images in "
        f"{fitted['seconds']:.1f} s on {fitted['cores']} cores ({fitted['cpu_seconds']:.1f} s of "
        f"processor time; wanted 5 s, the paper about {PAPER['fit_s']:.0f} s); the whole process, "
        f"libraries included, took at most {fitted['peak_mb']:.0f} MB."
    ]


def _multislice_words(found: dict[str, dict], image_ms: float) -> list[str]:
    plain = found["multislice"]["seconds_per_place"] * PIXELS**2
    ours = found["reduced"]["seconds"]
    return [
        f"abTEM, run plainly on the whole particle with the probe at every pixel, takes "
        f"{1e3 * found['multislice']['seconds_per_place']:.0f} ms for each place of the probe "
        f"(mean of {PLACES}), {plain / 60:.0f} min for the image of one phonon configuration and "
        f"{PHONONS * plain / 3600:.1f} h for {PHONONS} (both extrapolated). crewe's own use of it, "
        f"with the probe at the Nyquist step in windows of 8 Å, takes {ours:.0f} s for one "
        f"configuration (measured whole). The emulated image of 378 terms took {image_ms:.2f} ms: "
        f"{_power(PHONONS * plain / image_ms * 1e3)} times as quick as {PHONONS} plain "
        f"configurations, {_power(PHONONS * ours / image_ms * 1e3)} times as quick as "
        f"{PHONONS} of crewe's. All of it on one core. The paper tells of 10⁶."
    ]


def _power(value: float) -> str:
    digits = "⁰¹²³⁴⁵⁶⁷⁸⁹"
    exponent = int(np.floor(np.log10(value)))
    return f"{value / 10**exponent:.1f} · 10{''.join(digits[int(d)] for d in str(exponent))}"


def _measured(part: str, pairs: Path) -> dict:
    command = [sys.executable, "-m", "benchmarks.speed.emulator", "--part", part]
    environ = {**os.environ, **({} if part == "fit" else ONE_CORE)}
    if part == "fit":
        for name in ONE_CORE:
            environ.pop(name, None)
    found = subprocess.check_output([*command, "--pairs", str(pairs)], env=environ)
    return json.loads(found.decode().splitlines()[-1])


def main() -> None:
    """Measure, print the page and keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, default=Path("../shared/data/emulator/pt_mo5.npz"))
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--part", choices=("predictions", "fit", "multislice", "reduced"))
    options = parser.parse_args()
    if options.part:
        takes_pairs = options.part in ("predictions", "fit")
        print(json.dumps(globals()[options.part](*([options.pairs] if takes_pairs else []))))
        return
    parts = ("predictions", "fit", "multislice", "reduced")
    text = page({part: _measured(part, options.pairs) for part in parts})
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()
