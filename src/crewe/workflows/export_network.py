"""From a training run to an ONNX file with its card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crewe.errors import PlanError
from crewe.networks.zoo import SUFFIX
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.train import require_torch

if TYPE_CHECKING:
    from crewe.networks.card import Card


def export_network(
    run: Path,
    path: Path,
    description: str = "",
    fails: tuple[str, ...] = (),
    samples: int = 500,
    overwrite: bool = False,
    observer: Observer | None = None,
) -> Card:
    """Write the best network of a run for `crewe.restore`, and return its card.

    See `crewe.networks.publishing.publish`. Raises PlanError for a path that does not end in
    .onnx or without torch, ReadError for a folder without a run, WriteError.
    """
    require_torch()
    if path.suffix != SUFFIX:
        raise PlanError(f"{path}: the file of a network ends in {SUFFIX}")
    from crewe.networks.publishing import Words, publish

    told = observer or Silent()
    told.started(str(path))
    stage = f"looking at {samples} training samples"
    told.stage_started(stage)
    card = publish(
        run,
        path,
        Words(path.stem, description, fails),
        samples,
        overwrite,
        lambda done, all_: told.advanced(stage, done / all_),
    )
    told.finished(
        f"{card.parameters} parameters, validation {card.validation.psnr_db:.2f} dB, card in "
        f"{path.with_suffix('.yaml')}"
    )
    return card
