"""Real images before and after restoration, to be looked at one by one.

    python -m benchmarks.accuracy.restored_real_images --data ../shared/data \
        --pictures docs/images/restoration --markdown docs/benchmarks/restoration.md

A picture of each whole image and its restoration goes to `--folder`, for looking; the sheets with
pieces of them to `--pictures`.
"""

import argparse
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import crewe
from benchmarks.accuracy.restoration import network_of
from benchmarks.accuracy.restoration_sets import MODALITIES
from benchmarks.accuracy.restoration_tables import put_between_marks
from crewe.errors import CreweError
from crewe.networks.zoo import open_network
from crewe.plots.contact_sheet import CaptionedImage, SheetRow, contact_sheet, greys, sheet_png

SIDE, LARGEST, PAIRS_PER_LINE, QUALITY = 256, 1024, 2, 78


@dataclass(frozen=True)
class RealImage:
    """One image of the data, and how it is to be read."""

    file: str
    modality: str
    signal: str | None = None
    frame: int | None = None
    pixel_size_angstrom: float | None = None
    """Where the file does not hold it; without one the image is taken as it is."""
    swap_axes: bool = False
    """Whether the fast scan axis is stored along y."""

    @property
    def name(self) -> str:
        """File and frame."""
        stem = Path(self.file).stem
        return stem if self.frame is None else f"{stem} {self.frame}"


IMAGES = (
    RealImage("atomic/ncem_16_STOimage_1.ser", "hrstem"),
    RealImage("atomic/tkrem_hrstem_example.ser", "hrstem"),
    RealImage("atomic/BTO_crystal_1.dm4", "hrstem"),
    RealImage("atomic/hpai_PtNC_034.tif", "hrstem"),
    RealImage("atomic/sac_Ptporph0.tif", "hrstem"),
    RealImage("atomic/statstem_ExamplePtIr_old.mat", "hrstem"),
    RealImage("atomic/statstem_Example3.mat", "hrstem"),
    RealImage("atomic/atomsegnet_03_afterimage_8nm_crp.png", "hrstem", pixel_size_angstrom=0.094),
    RealImage("atomic/atomsegnet_Si110_5nmX25us_03.png", "hrstem", pixel_size_angstrom=0.098),
    *(
        RealImage("atomic/tkrem_exp_hrstem.h5", "hrstem", "x", frame, swap_axes=True)
        for frame in range(5)
    ),
    RealImage("atomic/katsuno_lowdoseTEM_0001.tif", "lrtem"),
    RealImage("atomic/graphene_flower_raw.tif", "hrtem"),
    RealImage("lowres/ncem_After_HAADF_130mm_1.ser", "lrstem"),
    RealImage("lowres/JEOL_HAADF_Image.dm4", "lrstem"),
    RealImage("lowres/ncem_STEM_HAADF-DF4-DF2-BF.emd", "lrstem"),
    RealImage("lowres/FEI_03_Scanning_Preview_1.ser", "lrstem", frame=0),
    RealImage("lowres/ncem_Ceta_Imaging.emd", "lrtem"),
    RealImage("lowres/emps_07330c8ea1.png", "lrtem"),
)


@dataclass(frozen=True)
class BeforeAfter:
    """What was given and what came out, both (y, x), or why nothing came out."""

    given: RealImage
    before: np.ndarray
    after: np.ndarray | None
    said: str
    """Trust and warnings, or the refusal."""
    pixel_size_angstrom: float | None

    @property
    def row(self) -> str:
        """One row of the table."""
        size = f"{self.pixel_size_angstrom:.3g}" if self.pixel_size_angstrom else "not known"
        return f"| {self.given.name} | {self.given.modality} | {size} | {self.said} |"


def read(data: Path, given: RealImage) -> tuple[np.ndarray, float | None]:
    """Return at most 1024 × 1024 pixels from the middle and the size of a pixel."""
    image = crewe.read_image(data / given.file, signal=given.signal, frame=given.frame)
    pixels = np.asarray(image.values, np.float32)
    units = image.coords[image.dims[-1]].attrs.get("units")
    step = float(image.coords[image.dims[-1]].attrs["step"]) if units == "Å" else None
    pixels = middle(pixels.T if given.swap_axes else pixels, LARGEST)
    return np.ascontiguousarray(pixels), given.pixel_size_angstrom or step


def middle(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return a piece from the middle of an image (y, x)."""
    top, left = ((length - min(length, side)) // 2 for length in pixels.shape)
    return pixels[top : top + side, left : left + side]


def before_after(data: Path, given: RealImage, network: str | Path) -> BeforeAfter:
    """Restore one image as `crewe restore` does."""
    pixels, step = read(data, given)
    try:
        result = crewe.restore(pixels, step, open_network(network))
    except CreweError as error:
        return BeforeAfter(given, pixels, None, f"– | refused: {error}", step)
    trust = f"{100 * result.trusted_share:.0f} / {100 * result.doubted_share:.0f} %"
    said = " | ".join(
        (
            trust,
            "; ".join(result.warnings).replace(
                "images that the network was trained on", "training"
            ),
        )
    )
    return BeforeAfter(given, pixels, np.asarray(result.image), said, step)


def keep_whole(pair: BeforeAfter, folder: Path) -> None:
    """Write the whole image beside its restoration, in the same greys."""
    if pair.after is None:
        return
    both = np.concatenate([pair.before, pair.after], axis=1)
    path = folder / f"{pair.given.modality}-{pair.given.name.replace(' ', '-')}.png"
    Image.fromarray(greys(both)).save(path)


def sheet(pairs: list[BeforeAfter], title: str) -> bytes:
    """Draw pieces of images, the measured one at the left of each pair, as JPEG."""
    cells = []
    for pair in pairs:
        step = pair.pixel_size_angstrom
        cells.append(CaptionedImage(middle(pair.before, SIDE), pair.given.name, step))
        cells.append(CaptionedImage(middle(pair.after, SIDE), "restored", step))
    png = sheet_png(contact_sheet([SheetRow(cells, title)], 2 * PAIRS_PER_LINE))
    with io.BytesIO() as jpeg:
        Image.open(io.BytesIO(png)).convert("L").save(jpeg, "JPEG", quality=QUALITY, optimize=True)
        return jpeg.getvalue()


def main() -> None:
    """Restore all, draw the sheets and put table and pictures into the page."""
    given = _arguments()
    for folder in (given.folder, given.pictures):
        folder.mkdir(parents=True, exist_ok=True)
    rows = ["| image | network | Å per pixel | trust / doubt | warnings |", "| --- " * 5 + "|"]
    pictures = []
    for modality in MODALITIES:
        network = network_of(given.networks, modality)
        chosen = [one for one in IMAGES if one.modality == modality]
        if network is None or not chosen:
            continue
        pairs = [before_after(given.data, one, network) for one in chosen]
        for pair in pairs:
            rows.append(pair.row)
            print(pair.row, flush=True)
            keep_whole(pair, given.folder)
        shown = [pair for pair in pairs if pair.after is not None]
        if shown:
            (given.pictures / f"{modality}.jpg").write_bytes(sheet(shown, modality))
            pictures.append(f"![{modality}](../images/{given.pictures.name}/{modality}.jpg)")
    if given.markdown:
        text = "\n".join(rows) + "\n\n" + "\n\n".join(pictures)
        put_between_marks(given.markdown, "restored real images", text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--networks", type=Path, help="folder of ONNX files instead of ours")
    parser.add_argument("--folder", type=Path, default=Path("build/restored_real_images"))
    parser.add_argument("--pictures", type=Path, default=Path("build/restored_real_images/sheets"))
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
