"""How well single images are restored: crewe, filters and tk_r_em's networks side by side.

    python -m benchmarks.accuracy.restoration peers --bm3d-python P --tk-r-em-python P \
        --tk-r-em-archive FOLDER
    python -m benchmarks.accuracy.restoration tables --markdown docs/benchmarks/restoration.md
    python -m benchmarks.accuracy.restoration pairs --tk-r-em-archive FOLDER --markdown …

`peers` is slow; what it has done stays in `--folder`, under a checksum of the recipe, and is not
done again. `tables` is for the validation sets of our recipes, `pairs` for those that Lobato et
al. (2024) publish. Sheets with every pair go to `--folder`.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.accuracy.restoration_methods import (
    Peers,
    restored,
    run_peers,
    run_tk_r_em_as_stored,
)
from benchmarks.accuracy.restoration_scores import Scores, matched, scores
from benchmarks.accuracy.restoration_sets import (
    MODALITIES,
    ImageSet,
    published_pairs,
    validation_set,
)
from benchmarks.accuracy.restoration_tables import (
    condition_table,
    each_pair_table,
    lead_text,
    pairs_table,
    put_between_marks,
    validation_table,
)
from benchmarks.accuracy.tables import environment
from crewe.networks.validation import psnr
from crewe.networks.zoo import shipped_networks
from crewe.plots.contact_sheet import CaptionedImage, SheetRow, contact_sheet, sheet_png

BM3D_COUNT, TK_R_EM_COUNT = 40, 60
"""Images of every modality but hrstem that the slow peers restore."""
METHODS = ("input", "wiener", "bm3d", "tk_r_em", "crewe")


def network_of(folder: Path | None, modality: str) -> str | Path | None:
    """Return the shipped network of a modality, or one in a folder; None where there is none."""
    if folder is None:
        return modality if modality in shipped_networks() else None
    path = folder / f"{modality}.onnx"
    return path if path.exists() else None


def peers(given: argparse.Namespace) -> None:
    """Run the slow methods where they have not run yet."""
    there = Peers(given.bm3d_python, given.tk_r_em_python, given.tk_r_em_archive)
    for modality in given.modalities:
        images = validation_set(given.folder, modality)
        every = len(images.images)
        some = (every, every) if modality == "hrstem" else (BM3D_COUNT, TK_R_EM_COUNT)
        run_peers(images, there, *some)
        pairs = published_pairs(given.folder, given.data, modality, given.tk_r_em_archive)
        run_peers(pairs, there, len(pairs.images), len(pairs.images))
        run_tk_r_em_as_stored(pairs, there)
        print(f"{modality} done", flush=True)


def tables(given: argparse.Namespace) -> str:
    """Measure every method on the validation sets."""
    found, conditions = {}, []
    for modality in given.modalities:
        images = validation_set(given.folder, modality)
        found[modality] = _measured(images, METHODS, network_of(given.networks, modality))
        if modality == "hrstem":
            conditions = ["On hrstem, mean PSNR in dB:", condition_table(images, found[modality])]
        print(validation_table({modality: found[modality]}), flush=True)
    parts = [validation_table(found), lead_text(found), *conditions]
    return "\n\n".join(part for part in parts if part)


def pairs(given: argparse.Namespace) -> str:
    """Measure every method on the published pairs and draw them."""
    found = {}
    for modality in given.modalities:
        images = published_pairs(given.folder, given.data, modality, given.tk_r_em_archive)
        network = network_of(given.networks, modality)
        found[modality] = _measured(images, (*METHODS, "tk_r_em-stored"), network)
        draw_pairs(images, network, given.folder / f"pairs_{modality}.png")
        print(pairs_table({modality: found[modality]}), flush=True)
    return f"{pairs_table(found)}\n\nEach pair, matched:\n\n{each_pair_table(found)}"


def draw_pairs(images: ImageSet, network: str | Path | None, path: Path) -> None:
    """Draw every pair: what is given, what becomes of it, and the ideal."""
    methods = ["input", *(["crewe"] if network else []), "tk_r_em"]
    made = {method: restored(images, method, network) for method in methods}
    cells = []
    for index, ideal in enumerate(images.ideals):
        for method in methods:
            image = made[method][index]
            if image is not None:
                level = psnr(matched(image, ideal), ideal)
                cells.append(CaptionedImage(image, f"{index + 1} {method} {level:.1f} dB"))
        cells.append(CaptionedImage(ideal, f"{index + 1} ideal"))
    per_line = len(cells) // len(images.ideals)
    path.write_bytes(sheet_png(contact_sheet([SheetRow(cells, images.modality)], per_line)))


def _measured(
    images: ImageSet, methods: tuple[str, ...], network: str | Path | None
) -> dict[str, Scores]:
    chosen = [method for method in methods if method != "crewe" or network is not None]
    # One of the published pairs is no pair: its two images are equal.
    same = np.array(
        [np.array_equal(*pair) for pair in zip(images.images, images.ideals, strict=True)]
    )
    found = {}
    for method in chosen:
        made = restored(images, method, network)
        made = [None if equal else image for equal, image in zip(same, made, strict=True)]
        found[method] = scores(made, images.ideals)
    return found


def main() -> None:
    """Do what is asked for; put the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["peers", "tables", "pairs"])
    parser.add_argument("--modalities", nargs="+", choices=MODALITIES, default=list(MODALITIES))
    parser.add_argument("--networks", type=Path, help="folder of ONNX files instead of ours")
    parser.add_argument("--folder", type=Path, default=Path("build/restoration"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--bm3d-python", type=Path)
    parser.add_argument("--tk-r-em-python", type=Path)
    parser.add_argument("--tk-r-em-archive", type=Path)
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    if given.what == "peers":
        peers(given)
        return
    text = tables(given) if given.what == "tables" else pairs(given)
    text = f"{text}\n\n{environment('numpy', 'scipy', 'onnxruntime')}"
    print(text)
    if given.markdown:
        put_between_marks(given.markdown, f"restoration {given.what}", text)


if __name__ == "__main__":
    main()
