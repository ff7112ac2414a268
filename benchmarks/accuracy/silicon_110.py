"""Spacing precision on a real image of Si [110], as in figure 11 of the AtomSegNet paper.

Lin et al., Scientific Reports 11, 5386 (2021), doi:10.1038/s41598-021-84499-w.

    python -m benchmarks.accuracy.silicon_110 --data ../shared/data
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

IMAGE = Path("atomic") / "atomsegnet_03_afterimage_8nm_crp.png"
SAMPLING = 0.094
LATTICE = 5.431
ACROSS, ALONG = LATTICE / np.sqrt(8), LATTICE / 2
"""A primitive translation (3.33 Å) across and along the dumbbells, [1-10] and [001], in Å."""
TOLERANCE = 0.6
BORDER = 16 * SAMPLING
PUBLISHED = {
    "paper, 2D Gaussian": (7.57, 8.25),
    "paper, network": (7.14, 6.78),
}


def main() -> None:
    """Fit the image by the default call and print the precision along a and b."""
    options = _arguments()
    table = default_columns(options.data / IMAGE)
    height, width = table.attrs["extent"]
    x, y = table["x"].to_numpy(), table["y"].to_numpy()
    inside = (x > BORDER) & (x < width - BORDER) & (y > BORDER) & (y < height - BORDER)
    positions = np.stack([x, y], axis=1)[inside]
    page = silicon_page(precision(positions), len(positions))
    print(page)
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(page)


def default_columns(path: Path):
    """Return crewe's table for the image, every option left alone but the sampling."""
    from crewe import read_image
    from crewe.atoms import find_columns, fit_columns

    image = read_image(path, sampling=SAMPLING)
    table = fit_columns(image, find_columns(image)).columns
    table.attrs["extent"] = tuple((size - 1) * SAMPLING for size in image.shape)
    return table


def precision(positions: np.ndarray) -> dict[str, tuple[float, int]]:
    """Return the spread of the spacings along a and b in pm, and how many there are.

    Spacings join like column to like column one primitive translation apart. Both
    columns of a dumbbell are pooled about their own medians, clipped at four
    median absolute deviations; no drift is taken out.
    """
    axis, upper = _dumbbells(positions)
    pairs = KDTree(positions).query_pairs(ACROSS + ALONG, output_type="ndarray")
    steps = positions[pairs[:, 1]] - positions[pairs[:, 0]]
    lengths = np.hypot(*steps.T)
    away = np.abs(np.abs(steps) - np.where(np.arange(2) == axis, ALONG, ACROSS))
    like = (upper[pairs[:, 0]] == upper[pairs[:, 1]]) & (away < TOLERANCE).all(axis=1)
    rising = steps[:, 0] * steps[:, 1] > 0
    return {
        name: _pooled(lengths, [like & side & (upper[pairs[:, 0]] == u) for u in (True, False)])
        for name, side in (("a", rising), ("b", ~rising))
    }


def _dumbbells(positions: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the axis along which dumbbells lie, and for each column which end it is."""
    _, nearest = KDTree(positions).query(positions, k=2)
    to_partner = positions[nearest[:, 1]] - positions
    axis = int(np.argmax(np.abs(to_partner).mean(axis=0)))
    return axis, to_partner[:, axis] > 0


def _pooled(lengths: np.ndarray, groups: list[np.ndarray]) -> tuple[float, int]:
    away = np.concatenate([lengths[group] - np.median(lengths[group]) for group in groups])
    deviation = 1.4826 * np.median(np.abs(away))
    kept = away[np.abs(away) < 4 * deviation]
    return 100 * float(kept.std(ddof=1)), kept.size


def silicon_page(measured: dict[str, tuple[float, int]], columns: int) -> str:
    """Return the table that goes into the documentation."""
    (a, number_a), (b, number_b) = measured["a"], measured["b"]
    rows = {"crewe, no option": (a, b), **PUBLISHED}
    lines = [f"| {name} | {one:.2f} | {other:.2f} |" for name, (one, other) in rows.items()]
    return "\n".join(
        [
            "# Spacing precision on Si [110]",
            "",
            "<!-- Written by `python -m benchmarks.accuracy.silicon_110`; do not edit by hand. -->",
            "",
            f"{columns} columns at least 16 pixels from the border, {number_a} spacings along a",
            f"and {number_b} along b. The image is AtomSegNet's `03_afterimage_8nm_crp.png` at",
            "9.4 pm per pixel; the paper is Lin et al., doi:10.1038/s41598-021-84499-w, figure 11.",
            "A spacing joins like columns one primitive translation (3.33 Å)",
            "apart; both columns of a dumbbell are pooled about their medians, clipped at four",
            "median absolute deviations, without taking out drift. Standard deviation in pm:",
            "",
            "| | a | b |",
            "| --- | --- | --- |",
            *lines,
            "",
        ]
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
