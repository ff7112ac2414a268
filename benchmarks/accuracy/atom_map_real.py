"""Atom maps of real images: the silicon of paper 001's figure 11, and all others at hand."""

from pathlib import Path

import numpy as np

from benchmarks.accuracy import silicon_110
from benchmarks.accuracy.atom_map_methods import (
    Method,
    after_denoising,
    after_restoring,
    methods_for,
)
from benchmarks.accuracy.matching import match
from benchmarks.accuracy.real_images import LEFT_OUT, SAMPLING, frames_of, labelled
from crewe import axes, io, plots
from crewe.atoms import find_columns, map_atoms
from crewe.atoms.by_network import columns_of
from crewe.errors import CreweError
from crewe.networks.zoo import TrainedNetwork


def silicon_rows(
    networks: dict[str, TrainedNetwork], restoring: dict[str, TrainedNetwork], data: Path
) -> list[list[str]]:
    """Spread of the spacings along a and b for every method, beside the paper's."""
    image = io.read_image(data / silicon_110.IMAGE, sampling=silicon_110.SAMPLING)
    methods = _silicon_methods(networks)
    if "hrstem" in restoring and "gaussian-mask" in networks:
        name = "hrstem, then gaussian-mask, then fit"
        methods[name] = after_restoring(restoring["hrstem"], networks["gaussian-mask"])
    rows = [_silicon_row(name, method, image) for name, method in methods.items()]
    for name, (a, b) in silicon_110.PUBLISHED.items():
        rows.append([name, "", f"{a:.2f}", f"{b:.2f}"])
    return rows


def _silicon_methods(networks: dict[str, TrainedNetwork]) -> dict[str, Method]:
    methods = methods_for(networks)
    masks = {name: one for name, one in networks.items() if one.card.output == "mask"}
    for first in ("denoise", "denoise-background"):
        if first in networks and "gaussian-mask" in masks:
            name = f"{first}, then gaussian-mask, centroids"
            methods[name] = after_denoising(networks[first], masks["gaussian-mask"])
    return methods


def _silicon_row(name: str, method: Method, image) -> list[str]:
    positions = method(image)
    high = (np.array(image.shape[::-1]) - 1) * silicon_110.SAMPLING - silicon_110.BORDER
    inside = ((positions > silicon_110.BORDER) & (positions < high)).all(axis=1)
    found = silicon_110.precision(positions[inside])
    return [name, f"{inside.sum():,}", *(f"{found[axis][0]:.2f}" for axis in ("a", "b"))]


def real_rows(network: TrainedNetwork, data: Path, pictures: Path | None) -> list[list[str]]:
    """What the network and find_columns make of every calibrated image at hand."""
    rows = []
    for path in sorted((data / "atomic").iterdir()):
        if path.suffix == ".csv" or path.name in LEFT_OUT:
            continue
        for where in frames_of(path):
            rows.append(_real_row(network, path, where, pictures))
            print(" | ".join(rows[-1]), flush=True)
    return rows


def _real_row(
    network: TrainedNetwork, path: Path, where: tuple, pictures: Path | None
) -> list[str]:
    signal, frame = where
    name = " ".join([path.stem, *(str(one) for one in where if one is not None)])
    try:
        image = io.read_image(path, signal=signal, frame=frame, sampling=SAMPLING.get(path.name))
        if axes.length_unit(image) == "px":
            image, name = calibrated_by_width(image), f"{name} *"
        mapped = map_atoms(image, network)
        marked = columns_of(image, mapped)
    except CreweError as error:
        return [name, f"refused: {str(error).split(':')[0]}", *[""] * 5]
    if pictures:
        title = network.card.name
        figure = plots.atom_map_figure(image, mapped.image, marked, map_title=title, title=name)
        pictures.mkdir(parents=True, exist_ok=True)
        plots.save_png(figure, pictures / f"{name.replace('/', '-').replace(' ', '_')}.png", 200)
    try:
        found = find_columns(image)
    except CreweError:
        found = marked.iloc[:0]
    here, there = (table[["x", "y"]].to_numpy() for table in (marked, found))
    shared = int((match(here, there, 0.6) >= 0).sum())
    return [
        name,
        f"{len(here):,}",
        f"{(marked['certainty'] < 0.5).sum():,}",
        f"{len(there):,}",
        f"{shared:,}",
        labelled(path, image, marked),
        "; ".join(_short(warning) for warning in mapped.warnings),
    ]


def calibrated_by_width(image):
    """Give an image without a pixel size one that makes its columns 0.45 Å wide."""
    width = float(find_columns(image)["width"].median())
    return axes.with_sampling(image, 0.45 / width)


def _short(warning: str) -> str:
    return warning.split(" (")[0].split(": ")[-1]
