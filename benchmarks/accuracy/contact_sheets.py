r"""Samples of every recipe beside images that others took or made, and how their noise compares.

    python -m benchmarks.accuracy.contact_sheets --data ../shared/data \
        --pictures docs/images/training_sets --markdown docs/benchmarks/training_sets.md

The pairs are those that Lobato et al. (2024) publish; the real images stand in the data's index.
"""

import argparse
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import crewe
from benchmarks.accuracy.tables import environment
from crewe.plots.contact_sheet import CaptionedImage, SheetRow, contact_sheet, sheet_png
from crewe.training_sets import load_recipe

SEED, SHOWN, COMPARED, SIDE, PER_LINE = 11, 21, 200, 192, 7
MODALITIES = ("hrstem", "hrtem", "hrsem", "lrstem", "lrtem", "lrsem")
REAL = {
    "hrstem": (
        "atomic/ncem_16_STOimage_1.ser",
        "atomic/tkrem_hrstem_example.ser",
        "atomic/BTO_crystal_1.dm4",
    ),
    "hrtem": ("atomic/katsuno_lowdoseTEM_0001.tif", "atomic/graphene_flower_raw.tif"),
    "lrstem": (
        "lowres/JEOL_HAADF_Image.dm4",
        "lowres/ncem_After_HAADF_130mm_1.ser",
        "lowres/mrc_HAADFscan.mrc",
    ),
    "lrtem": ("lowres/emps_07330c8ea1.png", "lowres/ncem_Ceta_Imaging.emd"),
    "lrsem": (),
    "hrsem": (),
    "atom-maps": (
        "atomic/temimagenet_11133.png",
        "atomic/temimagenet_12028.png",
        "atomic/atomsegnet_Si110_5nmX25us_03.png",
        "atomic/atomsegnet_03_afterimage_8nm_crp.png",
        "atomic/ncem_16_STOimage_1.ser",
        "atomic/BTO_crystal_1.dm4",
    ),
}


@dataclass(frozen=True)
class Likeness:
    """Three numbers of one pair."""

    contrast: float
    """Standard deviation over mean of the ideal image."""
    noise: float
    """Standard deviation of degraded less ideal, over the ideal's mean."""
    along_line: float
    """Correlation of that residual between neighbours along the scan line."""
    across: float
    """The same between lines."""


def likeness(degraded: np.ndarray, ideal: np.ndarray) -> Likeness:
    """Compare a pair (y, x) with the fast scan axis along x."""
    residual = degraded.astype(float) - ideal
    residual -= residual.mean()
    variance = np.square(residual).mean()
    return Likeness(
        float(ideal.std() / ideal.mean()),
        float(residual.std() / ideal.mean()),
        float((residual[:, 1:] * residual[:, :-1]).mean() / variance),
        float((residual[1:] * residual[:-1]).mean() / variance),
    )


def theirs(data: Path, name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the published pairs; they are stored with the fast axis first."""
    with np.load(data / "restore_pairs" / f"{name}.npz") as file:
        pairs = zip(file["degraded"], file["ideal"], strict=True)
        return [(degraded.squeeze().T, ideal.squeeze().T) for degraded, ideal in pairs]


def ours(name: str, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return pairs of our recipe, none chosen."""
    maker = load_recipe(name)
    samples = (maker.sample(SEED, index).arrays for index in range(count))
    return [(arrays["degraded"], arrays["ideal"]) for arrays in samples]


def real_images(data: Path, name: str) -> list[CaptionedImage]:
    """Return a piece of each real image."""
    found = []
    for file in REAL[name]:
        image = crewe.read_image(data / file)
        pixels = np.asarray(image.values, float)
        top, left = ((n - min(n, SIDE)) // 2 for n in pixels.shape)
        found.append(CaptionedImage(pixels[top : top + SIDE, left : left + SIDE], Path(file).stem))
    return found


def sheet(data: Path, name: str) -> bytes:
    """Draw others' images above, ours below; 192 pixels wide pieces of each."""
    piece = (slice(0, SIDE), slice(0, SIDE))
    if name == "atom-maps":
        maker = load_recipe(name)
        samples = [maker.sample(SEED, index) for index in range(SHOWN)]
        above = []
        below = [
            CaptionedImage(
                sample.arrays["image"][piece],
                f"{sample.facts['material']} {sample.facts['zone_axis']}",
                float(sample.facts["pixel_size_angstrom"]),
            )
            for sample in samples
        ]
    else:
        above = [CaptionedImage(pair[0][piece], "published") for pair in theirs(data, name)]
        below = [CaptionedImage(degraded[piece]) for degraded, _ in ours(name, SHOWN)]
    others = [*real_images(data, name), *above]
    rows = [SheetRow(others, f"{name}: others'"), SheetRow(below, "ours, the first of seed 11")]
    return sheet_png(contact_sheet(rows, PER_LINE))


def label_sheet() -> bytes:
    """Draw some samples of atom-maps with all their labels."""
    maker = load_recipe("atom-maps", {"size_px": SIDE})
    rows = []
    for index in (2, 5, 9):
        sample = maker.sample(SEED, index)
        title = f"{sample.facts['material']} {sample.facts['zone_axis']}"
        images = [
            CaptionedImage(array[: 2 * SIDE : max(1, len(array) // SIDE)], name.replace("_", " "))
            if array.shape[0] == SIDE
            else CaptionedImage(array[:SIDE, :SIDE], name.replace("_", " "))
            for name, array in sample.arrays.items()
        ]
        rows.append(SheetRow(images, title))
    return sheet_png(contact_sheet(rows, 5))


def table(data: Path) -> str:
    """Return medians and quartiles of the likeness, theirs beside ours."""
    lines = [
        "| recipe | whose | pairs | contrast | noise | along line | across |",
        "| --- " * 7 + "|",
    ]
    for name in MODALITIES:
        for whose, pairs in (("published", theirs(data, name)), ("ours", ours(name, COMPARED))):
            numbers = np.array([list(vars(likeness(*pair)).values()) for pair in pairs])
            quartiles = np.percentile(numbers, [50, 25, 75], axis=0).T
            cells = " | ".join(f"{m:.2f} ({low:.2f}–{high:.2f})" for m, low, high in quartiles)
            lines.append(f"| {name} | {whose} | {len(pairs)} | {cells} |")
    return "\n".join(lines)


def save(png: bytes, path: Path) -> None:
    """Keep a sheet as JPEG: noise does not compress otherwise."""
    Image.open(io.BytesIO(png)).convert("L").save(path, quality=82, optimize=True)


def main() -> None:
    """Draw the sheets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--pictures", type=Path, default=Path("build/contact_sheets"))
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    options.pictures.mkdir(parents=True, exist_ok=True)
    for name in (*MODALITIES, "atom-maps"):
        save(sheet(options.data, name), options.pictures / f"{name}.jpg")
    save(label_sheet(), options.pictures / "labels.jpg")
    found = table(options.data)
    print(found)
    if options.markdown:
        text = options.markdown.read_text()
        before, _, rest = text.partition("<!-- table -->")
        _, _, after = rest.partition("<!-- end of table -->")
        marked = f"<!-- table -->\n\n{found}\n\n{environment('numpy', 'scipy', 'numba')}\n\n"
        options.markdown.write_text(f"{before}{marked}<!-- end of table -->{after}")


if __name__ == "__main__":
    main()
