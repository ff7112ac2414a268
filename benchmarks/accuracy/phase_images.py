r"""How near iCOM, riCOM, SSB and ADF come to a known phase, at several doses.

python -m benchmarks.accuracy.phase_images --pictures docs/images/phase_images \
        --markdown docs/benchmarks/phase_images.md
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.accuracy.phase_images_methods import METHODS, PHASES, AllMethods, all_images
from benchmarks.accuracy.phase_images_objects import (
    CELLS,
    DETECTOR,
    OPTICS,
    POSITIONS,
    STEP_ANGSTROM,
    PhaseObject,
    light_atoms,
    zeolite,
)
from benchmarks.accuracy.phase_images_pictures import comparison, pore, pore_profile
from benchmarks.accuracy.phase_images_scores import (
    by_frequency,
    likeness,
    pore_visibility,
    visibility,
)
from benchmarks.accuracy.phase_images_words import (
    EXPLANATION,
    FAILINGS,
    PICTURE,
    PORE,
    PORES_SEEN,
    THICKNESS,
)
from benchmarks.accuracy.tables import environment

DOSES = (np.inf, 1e4, 1e3, 1e2)
PAPER_DOSES = (1.27e4, 1.27e3, 1.27e2)
EDGES = (0.04, 0.12, 0.25, 0.4, 0.55, 0.7, 0.85, 0.95)
THICKNESSES = (1, 4, 17)
PICTURE_THICKNESS = 4
PORE_SIDE_ANGSTROM = 4.0
SEED = 20

Images = dict[float, dict[str, np.ndarray]]


def table(headings: list[str], lines: list[list[str]]) -> str:
    rows = [headings, ["---"] * len(headings), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def dose_word(dose: float) -> str:
    return "no noise" if np.isinf(dose) else f"{dose:,.0f}"


def likeness_table(item: PhaseObject, images: Images) -> str:
    """Correlation, slope and error against the three truths, by dose and method."""
    headings = ["e/Å²", "method", "r smeared", "r within 2α", "r plain", "rad per rad smeared"]
    headings += ["error smeared, rad", "error within 2α, rad", "error plain, rad"]
    lines = []
    for dose, row in images.items():
        for name in METHODS:
            scores = [likeness(row[name], t) for t in (item.smeared, item.limited, item.plain)]
            line = [dose_word(dose), name, *(f"{score.correlation:.3f}" for score in scores)]
            if name in PHASES:
                line += [f"{scores[0].slope:.3f}", *(f"{score.error_rad:.4f}" for score in scores)]
            else:
                line += ["–"] * 4
            lines.append(line)
    return table(headings, lines)


def frequency_table(item: PhaseObject, images: Images, dose: float, correlation: bool) -> str:
    """Transfer (no noise) or correlation, in rings of the Fourier transform, against φ."""
    rings = [f"{low:g}–{high:g}" for low, high in pairwise(EDGES)]
    lines = []
    for name in METHODS if correlation else PHASES:
        values = by_frequency(images[dose][name], item.plain, STEP_ANGSTROM, EDGES)
        lines.append([name, *(f"{value[int(correlation)]:.2f}" for value in values)])
    return table(["1/Å", *rings], lines)


def visibility_table(item: PhaseObject, images: Images) -> str:
    """How far single atoms stand out from equal places without one."""
    lines = [
        [
            name,
            *(
                f"{visibility(row[name], item.marked, item.unmarked):.1f}"
                for row in images.values()
            ),
        ]
        for name in METHODS
    ]
    return table(["method", *(dose_word(dose) for dose in images)], lines)


def thickness_table() -> str:
    """Correlation and slope without noise for phases from weak to strong."""
    lines = []
    for cells in THICKNESSES:
        item = zeolite(cells)
        images = all_images(item, (np.inf,), SEED)[np.inf]
        for name in PHASES:
            smeared, limited = (likeness(images[name], t) for t in (item.smeared, item.limited))
            lines.append(
                [
                    f"{cells * 1.1867:.1f}",
                    f"{item.phase.max():.2f}",
                    name,
                    f"{smeared.correlation:.3f}",
                    f"{smeared.slope:.3f}",
                    f"{limited.correlation:.3f}",
                    f"{limited.slope:.3f}",
                ]
            )
    headings = ["nm", "largest φ, rad", "method", "r smeared", "rad per rad smeared"]
    return table([*headings, "r within 2α", "rad per rad within 2α"], lines)


def pore_table(profiles: dict[str, np.ndarray]) -> str:
    lines = []
    for name, values in profiles.items():
        inside = values[:41]
        rise = (values[0] - inside.min()) / np.ptp(values)
        lines.append([name, f"{100 * rise:.0f}", f"{0.1 * inside.argmin():.1f}"])
    headings = ["image", "middle above the darkest place in the pore, % of range"]
    return table([*headings, "darkest place, Å from the middle"], lines)


def object_part(title: str, item: PhaseObject) -> tuple[list[str], Images]:
    images = all_images(item, DOSES, SEED)
    parts = [
        f"## {title}",
        f"The largest phase is {item.phase.max():.2f} rad, its root mean square about its mean "
        f"{item.plain.std():.3f} rad.",
        likeness_table(item, images),
        "Transfer by frequency, without noise: rad per rad of φ (root mean square in each ring).",
        frequency_table(item, images, np.inf, correlation=False),
        "Correlation with φ by frequency at 1,000 e/Å².",
        frequency_table(item, images, 1e3, correlation=True),
    ]
    if len(item.marked):
        parts += [
            "How far single oxygen atoms stand out: mean of the image at hollow sites with an atom "
            "less that at those without, in standard deviations of the latter.",
            visibility_table(item, images),
        ]
    return parts, images


def pore_visibility_table(images: Images) -> str:
    side = round(PORE_SIDE_ANGSTROM / STEP_ANGSTROM)
    lines = [
        [name, *(f"{pore_visibility(row[name], CELLS, side):.1f}" for row in images.values())]
        for name in METHODS
    ]
    return table(["method", *(f"{dose:,.0f} e/Å²" for dose in images)], lines)


def zeolite_pictures(folder: Path | None) -> list[str]:
    item = zeolite(PICTURE_THICKNESS)
    noisy = all_images(item, PAPER_DOSES, SEED)
    profiles = {"truth smeared": pore_profile(item.smeared)}
    silent = all_images(item, (np.inf,), SEED)[np.inf]
    profiles |= {name: pore_profile(silent[name]) for name in METHODS}
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        band = AllMethods(item).band
        comparison(noisy, band, folder / "comparison.jpg")
        pore(profiles, folder / "pore.png")
    return [
        "## The comparison of Fig. 3.6",
        PICTURE.format(nm=f"{PICTURE_THICKNESS * 1.1867:.1f}"),
        "![Images by dose and method](../images/phase_images/comparison.jpg)",
        PORES_SEEN.format(side=PORE_SIDE_ANGSTROM),
        pore_visibility_table(noisy),
        "## A pore that is not as empty as it is",
        PORE,
        pore_table(profiles),
        "![Profiles about the middle of a pore](../images/phase_images/pore.png)",
    ]


def page(folder: Path | None) -> str:
    simulation = zeolite(1).simulation()
    explained = EXPLANATION.format(
        kev=OPTICS.beam_energy_kev,
        mrad=OPTICS.semi_angle_mrad,
        positions=POSITIONS,
        step=STEP_ANGSTROM,
        detector=DETECTOR[0],
        radius=simulation.radius_px,
        limit=2 * OPTICS.cutoff,
        outer=DETECTOR[0] / 2 / simulation.radius_px * OPTICS.semi_angle_mrad,
    )
    first, _ = object_part("Zeolite, one cell thick", zeolite(1))
    second, _ = object_part("A lattice with single light atoms", light_atoms())
    parts = [
        "# Phase images of known phases",
        "<!-- Written by `python -m benchmarks.accuracy.phase_images`; do not edit by hand. -->",
        explained,
        FAILINGS,
        *first,
        *second,
        "## From weak to strong phases",
        THICKNESS,
        thickness_table(),
        *zeolite_pictures(folder),
        environment("numpy", "scipy", "numba"),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    text = page(given.pictures)
    print(text)
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
