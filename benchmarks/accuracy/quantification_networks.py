r"""What a network does to positions, cross-sections and atom counts: raw against restored.

    python -m benchmarks.accuracy.quantification_networks --network hrstem \
        --pictures docs/images/quantification_networks \
        --markdown docs/benchmarks/quantification_networks.md

The three cases of T. Friedrich, PhD thesis, University of Antwerp 2023, section 2.3. Simulations
and fits are kept in --cache and taken up from there.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402

from benchmarks.accuracy import quantification_networks_images as images  # noqa: E402
from benchmarks.accuracy.quantification_networks_page import page, tables  # noqa: E402
from benchmarks.accuracy.quantification_networks_score import (  # noqa: E402
    BORDER,
    CORE_RADIUS,
    Reference,
)
from benchmarks.accuracy.quantification_networks_sheets import draw  # noqa: E402
from benchmarks.accuracy.quantification_networks_specimens import CASES, Truth, truth  # noqa: E402
from crewe.networks.zoo import open_network, path_of_network  # noqa: E402

KINDS = ("raw", "restored")


@dataclass(frozen=True)
class Job:
    """All realisations of one image at one dose."""

    case: str
    thickness: int
    dose: int
    """Index of the dose."""
    kind: str


def main() -> None:
    """Simulate, fit and score what is missing, then print."""
    options = _arguments()
    truths = {name: _truth(name, options) for name in options.cases}
    jobs = [
        Job(name, thickness, dose, kind)
        for name, known in truths.items()
        for thickness in range(len(known.images))
        for dose in range(len(images.doses_of(known.case)))
        for kind in KINDS
    ]
    _run(jobs, options)
    found = {job: _estimates(job, truths[job.case], options) for job in jobs}
    references = {
        (name, n): reference(known, n)
        for name, known in truths.items()
        for n in range(len(known.images))
    }
    print(tables(truths, references, found))
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
        network = open_network(options.network, threads=options.threads)
        for known in truths.values():
            draw(known, network, options.pictures / f"{known.case.name}.jpg")
    if options.markdown:
        card = open_network(options.network).card
        options.markdown.write_text(
            page(truths, references, found, card, options.realisations), encoding="utf-8"
        )


def _truth(name: str, options: argparse.Namespace) -> Truth:
    case = CASES[name]
    fewer = min(case.configurations, options.configurations or case.configurations)
    return truth(replace(case, configurations=fewer), options.cache / "multislice")


def reference(known: Truth, thickness: int) -> Reference:
    """Fit the noise-free image of one thickness."""
    case, columns = known.case, known.columns
    x, y, scs = images.fitted(case, known.images[thickness], columns)
    edge = (case.pixels - 1) * case.pixel_size
    scored = ((columns >= BORDER) & (columns <= edge - BORDER)).all(axis=1)
    if case.name == "dislocation":
        scored &= np.hypot(*(columns - edge / 2).T) <= CORE_RADIUS
    return Reference(x, y, scs, known.atoms[thickness], scored)


def _run(jobs: list[Job], options: argparse.Namespace) -> None:
    missing = [job for job in jobs if not _path(job, options).exists()]
    if not missing:
        return
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(_fit_all, job, options) for job in missing]
        for done, future in enumerate(running, 1):
            future.result()
            print(f"{done} of {len(missing)} sets of images fitted", flush=True)


_truths: dict[str, Truth] = {}


def _fit_all(job: Job, options: argparse.Namespace) -> None:
    if job.case not in _truths:
        _truths[job.case] = _truth(job.case, options)
    known = _truths[job.case]
    network = open_network(options.network, options.threads) if job.kind == "restored" else None
    rows = []
    for number in range(options.realisations):
        image = recorded(known, job.thickness, job.dose, number)
        if network is not None:
            image = images.restored(network, image)
        rows.append(images.fitted(known.case, image, known.columns))
    path = _path(job, options)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"partial-{path.name}")
    np.savez_compressed(partial, **dict(zip("xys", np.array(rows).swapaxes(0, 1), strict=True)))
    partial.rename(path)


def recorded(known: Truth, thickness: int, dose: int, number: int) -> np.ndarray:
    """Return one realisation; every one has random numbers of its own."""
    place = (list(CASES).index(known.case.name), thickness, dose, number)
    value = images.doses_of(known.case)[dose]
    return images.recorded(known.case, known.images[thickness], value, place)


def _path(job: Job, options: argparse.Namespace) -> Path:
    """Where the estimates of a job are kept: by what was asked, and by the code and network."""
    case = CASES[job.case]
    fewer = min(case.configurations, options.configurations or case.configurations)
    asked = f"{job.case}-{case.digest}-{fewer}x{options.realisations}-{job.thickness}-{job.dose}"
    return options.cache / f"{job.kind}-{options.made_by[job.kind]}" / f"{asked}.npz"


def _estimates(job: Job, known: Truth, options: argparse.Namespace) -> images.Estimates:
    with np.load(_path(job, options)) as stored:
        return images.Estimates(stored["x"], stored["y"], stored["s"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="hrstem", help="a shipped network or an ONNX file")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--realisations", type=int, default=20)
    parser.add_argument("--configurations", type=int, help="at most so many of phonons")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="threads of each network")
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks/quantification"))
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    # Once for all: the code may be edited while this runs.
    network = path_of_network(options.network).read_bytes()
    options.made_by = {
        "raw": images.code_checksum(),
        "restored": images.code_checksum(network),
    }
    return options


if __name__ == "__main__":
    main()
