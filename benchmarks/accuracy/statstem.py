"""Compares crewe, column by column, with StatSTEM's own fits stored in its example files.

python -m benchmarks.accuracy.statstem --data ../shared/data
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import loadmat

from benchmarks.accuracy.matching import match

EXAMPLES = ("statstem_ExamplePtIr_old.mat", "statstem_Example3.mat")
NEAR = 0.5
SAME_MODEL = {"noise": "uniform", "background": "constant", "width": "type"}
COMPARISONS = (
    ("Our own columns, no option set", "crewe", {}),
    ("StatSTEM's columns, no option set", "StatSTEM", {}),
    ("StatSTEM's columns, its own model", "StatSTEM", SAME_MODEL),
)
POSITION_LIMIT, SCS_LIMIT = 0.05, 0.03


@dataclass(frozen=True)
class Stored:
    """An image with StatSTEM's fit of it; positions as crewe counts them."""

    image: np.ndarray
    sampling: float
    positions: np.ndarray
    """(columns, 2), x and y in Å from the centre of pixel (0, 0)."""
    scs: np.ndarray
    height: np.ndarray
    width: np.ndarray
    background: float
    types: np.ndarray
    origin: float
    """Where StatSTEM's model puts the centre of the first pixel, in pixels."""
    squared_residual: float
    """Sum of squares that StatSTEM's stored model leaves over."""


def main() -> None:
    """Fit both examples from our own and from StatSTEM's starting positions."""
    options = _arguments()
    sections = []
    for name in EXAMPLES:
        stored = read_example(options.data / "atomic" / name)
        sections.append(_describe(name, stored))
        for title, start, settings in COMPARISONS:
            sections.append(compare(stored, _fit(stored, start, settings), title))
    page = "\n\n".join([INTRODUCTION, *sections]) + "\n"
    print(page)
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(page)


def read_example(path: Path) -> Stored:
    """Read image and fit, and find StatSTEM's origin by redrawing its stored model."""
    content = loadmat(path, squeeze_me=True, struct_as_record=False)
    given, fit = content["input"], content["output"]
    step = float(given.dx)
    redrawn = {origin: _draw(fit, step, origin) for origin in (0.0, 0.5, 1.0)}
    origin = min(redrawn, key=lambda o: np.abs(redrawn[o] - fit.model).sum())
    return Stored(
        image=np.asarray(given.obs, dtype=float),
        sampling=step,
        positions=fit.coordinates - origin * step,
        scs=fit.volumes,
        height=fit.eta,
        width=fit.rho,
        background=float(fit.zeta),
        types=given.coordinates[:, 2].astype(int),
        origin=origin,
        squared_residual=float(((given.obs - fit.model) ** 2).sum()),
    )


def _draw(fit, step: float, origin: float) -> np.ndarray:
    height, width = fit.model.shape
    x, y = (np.arange(width) + origin) * step, (np.arange(height) + origin) * step
    image = np.full((height, width), float(fit.zeta))
    for (at_x, at_y), eta, rho in zip(fit.coordinates, fit.eta, fit.rho, strict=True):
        across, down = (np.exp(-((c - m) ** 2) / (2 * rho**2)) for c, m in ((x, at_x), (y, at_y)))
        image += eta * np.outer(down, across)
    return image


def _fit(stored: Stored, start: str, options: dict[str, str]):
    from crewe.atoms import find_columns, fit_columns
    from crewe.axes import calibrated_image

    step = stored.sampling
    image = calibrated_image(stored.image, step)
    if start == "crewe":
        return fit_columns(image, find_columns(image), **options)
    # One of StatSTEM's columns lies outside its image, which crewe refuses.
    x, y = stored.positions.T
    given = pd.DataFrame({"x": x, "y": y, "height": stored.height, "type": stored.types})
    within = np.abs(stored.positions - _extent(stored) / 2) < _extent(stored) / 2 + step / 2
    inside = within.all(axis=1)
    return fit_columns(image, given[inside], **options)


def compare(stored: Stored, fit, title: str) -> str:
    """Return one paragraph and the list of columns outside the limits."""
    table = fit.columns
    left_over = float((fit.residual.to_numpy() ** 2).sum()) / stored.squared_residual
    found = table[["x", "y"]].to_numpy()
    partner = match(stored.positions, found, NEAR)
    both = partner >= 0
    away = np.hypot(*(found[partner[both]] - stored.positions[both]).T)
    ratio = table["scs"].to_numpy()[partner[both]] / stored.scs[both]
    relative = ratio / np.median(ratio)
    far, other = away > POSITION_LIMIT, np.abs(ratio - 1) > SCS_LIMIT
    lines = [
        f"**{title}.** {both.sum()} of {both.size} columns matched,",
        f"{len(found) - both.sum()} of ours without a partner. Position difference median",
        f"{np.median(away):.4f} Å, 95 % below {np.percentile(away, 95):.4f} Å, largest",
        f"{away.max():.4f} Å, {far.sum()} above {POSITION_LIMIT} Å. SCS ratio ours/theirs median",
        f"{np.median(ratio):.4f}, from {ratio.min():.3f} to {ratio.max():.3f};",
        f"{other.sum()} columns differ by more than 3 %,",
        f"{(np.abs(relative - 1) > SCS_LIMIT).sum()} after the median ratio is taken out. Width",
        f"{_listed(table['width'].to_numpy())} Å here, {_listed(stored.width)} Å there.",
        f"Our residual has {left_over:.4f} times the sum of squares of StatSTEM's.",
    ]
    outside = np.flatnonzero(both)[far | other]
    return "\n".join(lines) + "\n\n" + _outside(stored, outside, away, ratio, both)


def _outside(
    stored: Stored, outside: np.ndarray, away: np.ndarray, ratio: np.ndarray, both: np.ndarray
) -> str:
    """Return where the columns outside the limits lie: edge, brightness, neighbours."""
    if outside.size == 0:
        return "Every column lies within the limits."
    place = np.cumsum(both) - 1
    edge = np.min([stored.positions.T, _extent(stored)[:, None] - stored.positions.T], axis=(0, 1))
    brightness = stored.scs / np.median(stored.scs)
    head = "| x Å | y Å | to the edge Å | SCS / median | difference Å | SCS ratio |\n"
    rule = "| --- | --- | --- | --- | --- | --- |\n"
    worst = outside[np.argsort(-np.abs(ratio[place[outside]] - 1))][:12]
    rows = [
        f"| {stored.positions[i, 0]:.2f} | {stored.positions[i, 1]:.2f} | {edge[i]:.2f} "
        f"| {brightness[i]:.2f} | {away[place[i]]:.3f} | {ratio[place[i]]:.3f} |"
        for i in worst
    ]
    near = (edge[outside] < 2 * stored.width[outside]).sum()
    summary = f"{near} of the {outside.size} columns outside the limits lie within two widths of"
    return f"{summary} the border. The worst:\n\n" + head + rule + "\n".join(rows)


def _extent(stored: Stored) -> np.ndarray:
    height, width = stored.image.shape
    return np.array([width - 1, height - 1]) * stored.sampling


def _listed(widths: np.ndarray) -> str:
    return " and ".join(f"{width:.4f}" for width in np.unique(np.round(widths, 4))[:4])


def _describe(name: str, stored: Stored) -> str:
    return (
        f"## {name}\n\n{stored.scs.size} columns, {stored.sampling} Å per pixel. StatSTEM's stored "
        f"model puts the centre of the first pixel at {stored.origin:g} pixel; positions are "
        f"shifted by that. Its background is {stored.background:g}."
    )


INTRODUCTION = """# StatSTEM's own fits

<!-- Written by `python -m benchmarks.accuracy.statstem`; do not edit by hand. -->

The example files of StatSTEM hold an image and StatSTEM's fit of it. crewe fits the same
image three times: from the columns that it finds itself and from StatSTEM's, with no option
set, and from StatSTEM's with its model: a constant background, one width per type of
column, and equal weights for all pixels. Where the last agrees and the others do not, the
difference is one of model. StatSTEM took the background of the PtIr image as zero, where
crewe fits it. Columns are paired within 0.5 Å."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
