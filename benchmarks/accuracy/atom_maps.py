"""Atom maps by networks: how precise, what is missed and invented, what becomes of real images.

    python -m benchmarks.accuracy.atom_maps --data ../shared/data

R. Lin et al., Sci. Rep. 11, 5386 (2021), doi:10.1038/s41598-021-84499-w, figures 6, 7 and 11.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.accuracy import atom_map_specimens as specimens
from benchmarks.accuracy.atom_map_methods import (
    Method,
    Tally,
    methods_for,
    networks_of,
    per_column_fit,
    positions_by,
)
from benchmarks.accuracy.atom_map_real import real_rows, silicon_rows
from benchmarks.accuracy.tables import environment
from crewe.errors import CreweError
from crewe.networks.zoo import TrainedNetwork

PSNR_DB = 20.4
ELECTRONS = (20, 50, 200, 1000)
SPECIMENS: dict[str, Callable[[int], specimens.Known]] = {
    "Pt [110] polyhedron": specimens.platinum_110,
    "Pt [001] sphere": specimens.platinum_sphere,
    "Si [110] wedge": specimens.silicon_wedge,
}
PARTS = ("particle", "doses", "srtio3", "silicon", "real")


def main() -> None:
    """Measure the parts asked for, print them and write the page."""
    options = _arguments()
    networks = networks_of(options.networks)
    if not any(one.card.output == "mask" for one in networks.values()):
        raise SystemExit("no network that marks columns: ship one or give --networks FOLDER")
    parts = {
        "particle": lambda: particle_part(methods_for(networks), options.images),
        "doses": lambda: doses_part(methods_for(networks), options.images),
        "srtio3": lambda: srtio3_part(methods_for(networks), options.cache),
        "silicon": lambda: silicon_part(networks, options),
        "real": lambda: real_part(networks, options.data, options.pictures),
    }
    sections = [_head(networks)]
    for name in options.parts:
        sections.append(parts[name]())
        print(sections[-1], flush=True)
    page = "\n\n".join([*sections, environment("numpy", "scipy", "onnxruntime")]) + "\n"
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(page, encoding="utf-8")


def particle_part(methods: dict[str, Method], images: int) -> str:
    """Figure 6: the error of positions on a platinum particle."""
    methods = {**methods, "2D Gaussian, column by column": per_column_fit}
    tallies = {name: Tally() for name in methods}
    rng = np.random.default_rng(6)
    for seed in range(images):
        known = specimens.platinum_110(seed)
        image = specimens.at_psnr(known, PSNR_DB, rng)
        for name, method in methods.items():
            tallies[name].add(known, positions_by(method, image))
    rows = []
    for name, tally in tallies.items():
        x, y = tally.spread_pm()
        missed = tally.missed_inside + tally.missed_surface
        rows.append([name, f"{x:.2f}", f"{y:.2f}", f"{tally.beyond():.2f}"])
        rows[-1] += [f"{missed}", f"{tally.invented}"]
    total = next(iter(tallies.values())).columns
    text = (
        f"{images} truncated octahedra along [110], turned and placed at random, {total:,} "
        "columns;\nlinear images, probe of 1 Å, 0.15 Å per pixel, Poisson noise to a PSNR of "
        f"{PSNR_DB} dB.\nStandard deviation of found minus true position in pm; matched columns "
        "farther off than\n0.3 Å in percent; columns missed and invented."
    )
    heads = ["", "σx", "σy", "> 0.3 Å", "missed", "invented"]
    return _section("Precision on a particle (figure 6)", text, heads, rows)


def doses_part(methods: dict[str, Method], images: int) -> str:
    """Columns missed and invented, at surfaces and inside, at several doses."""
    methods = {name: one for name, one in methods.items() if not name.endswith("then fit")}
    sections = []
    for title, make in SPECIMENS.items():
        rows = [row for dose in ELECTRONS for row in _dose_rows(make, dose, methods, images)]
        sections.append(f"### {title}\n\n{_table(_DOSE_HEADS, rows)}")
    text = (
        f"{images} specimens each, turned and placed at random, {specimens.DARK_ELECTRONS:g} dark "
        "electrons per pixel. Missed: of the columns\nat the surface (an angle of more than 150° "
        "without a neighbour) and of the others; invented:\nmarks farther than 0.7 Å from any "
        "column, both in percent of the columns. σ: of the positions\nalong x and y, in pm."
    )
    return "\n\n".join(["## Missed and invented columns", text, *sections])


_DOSE_HEADS = ["e per column", "", "missed, surface %", "missed, inside %", "invented %", "σ pm"]


def _dose_rows(make, dose: int, methods: dict[str, Method], images: int) -> list[list[str]]:
    tallies = {name: Tally() for name in methods}
    rng = np.random.default_rng(dose)
    for seed in range(images):
        known = make(seed)
        image = specimens.at_dose(known, dose, rng)
        for name, method in methods.items():
            tallies[name].add(known, positions_by(method, image))
    return [
        [
            f"{dose:,}",
            name,
            f"{tally.missed_surface_percent:.2f}",
            f"{tally.missed_inside_percent:.2f}",
            f"{tally.invented_percent:.2f}",
            f"{np.sqrt(np.mean(np.square(tally.spread_pm()))):.1f}",
        ]
        for name, tally in tallies.items()
    ]


def srtio3_part(methods: dict[str, Method], cache: Path) -> str:
    """Figure 7: what the halo of a defocused multislice image makes of the marks."""
    title = "SrTiO3 [001] by multislice (figure 7)"
    try:
        known, oxygen = specimens.srtio3_multislice(cache)
    except CreweError as error:
        return f"## {title}\n\nNot measured: {error}"
    rng = np.random.default_rng(3)
    images = {"no noise": known.image(known.clean)}
    images |= {f"{psnr} dB": specimens.at_psnr(known, psnr, rng) for psnr in (20, 15)}
    rows = []
    for noise, image in images.items():
        for name, method in methods.items():
            found = positions_by(method, image)
            tally = Tally()
            tally.add(known, found)
            gaps = np.linalg.norm(found[:, None] - oxygen[None], axis=2).min(axis=0)
            rows.append(
                [
                    noise,
                    name,
                    f"{tally.missed_inside} of {tally.columns}",
                    f"{tally.invented}",
                    f"{(gaps < specimens.PIXEL * 3).sum()}",
                    f"{np.sqrt(np.mean(np.square(tally.spread_pm()))):.2f}",
                ]
            )
    text = (
        "200 keV, 20 mrad, 80 Å underfocus, C3 0.0257 mm, 98 to 196 mrad as in the paper; 78 Å\n"
        "thick, four phonon configurations, a source of 0.8 Å. Sr and Ti are to be marked; oxygen\n"
        "alone hardly shows and counts as invented."
    )
    heads = ["noise", "", "Sr and Ti missed", "invented", "of these on oxygen", "σ pm"]
    return _section(title, text, heads, rows)


def silicon_part(networks: dict[str, TrainedNetwork], options: argparse.Namespace) -> str:
    """Figure 11: the regularity of a real crystal."""
    text = (
        "AtomSegNet's `03_afterimage_8nm_crp.png`, 9.4 pm per pixel; standard deviation in pm of "
        "the\nspacings along the primitive translations, as defined on the page of silicon."
    )
    heads = ["", "columns", "a", "b"]
    restoring = networks_of(options.networks, "restoration")
    rows = silicon_rows(networks, restoring, options.data)
    return _section("Si [110], a real image (figure 11)", text, heads, rows)


def real_part(networks: dict[str, TrainedNetwork], data: Path, pictures: Path | None) -> str:
    """All real images."""
    name = "gaussian-mask" if "gaussian-mask" in networks else next(iter(networks))
    text = (
        f"Columns that {name} marks, those of a certainty below one half, those that find_columns\n"
        "finds, and those that both agree on within 0.6 Å. Labels: single atoms that an expert\n"
        "marked, found within eight pixels. Then in what the image is unlike the training images.\n"
        "A star: the file holds no pixel size, and one was taken that makes columns 0.45 Å wide."
    )
    heads = ["image", "marked", "uncertain", "find_columns", "both", "labels", "warnings"]
    return _section("Real images", text, heads, real_rows(networks[name], data, pictures))


def _head(networks: dict[str, TrainedNetwork]) -> str:
    listed = "\n".join(
        f"- `{name}`: {one.card.parameters:,} parameters, {one.card.training.steps:,} steps, "
        f"validation {one.card.validation.psnr_db:.2f} dB"
        for name, one in networks.items()
    )
    return (
        "# Atom maps\n\n"
        "<!-- Written by `python -m benchmarks.accuracy.atom_maps`; do not edit by hand. -->\n\n"
        "Networks that mark atomic columns, their marks centred, or taken as a start by the fit,\n"
        "beside crewe's own search for columns. The published networks are those of Lin et al.,\n"
        f"doi:10.1038/s41598-021-84499-w.\n\n{listed}"
    )


def _section(title: str, text: str, heads: list[str], rows: list[list[str]]) -> str:
    return f"## {title}\n\n{text}\n\n{_table(heads, rows)}"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=Path, help="folder of ONNX files; default: shipped ones")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--images", type=int, default=8, help="specimens of each kind and dose")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--cache", type=Path, default=Path("build/atom_maps"))
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each real image")
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
