"""Checkpoints of a training run: tensors and plain numbers, never code.

A checkpoint is what `torch.save` makes of nested dictionaries of tensors, numbers and text. It is
read with `weights_only=True`, which refuses every other object: no pickle is run.
"""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import torch

from crewe.errors import ReadError
from crewe.io.atomic import atomic_path

FORMAT, FORMAT_VERSION = "crewe training checkpoint", 1
Contents = dict[str, Any]
"""Nested dictionaries and lists of tensors, numbers and text."""


def write_checkpoint(path: Path, contents: Contents) -> None:
    """Write a checkpoint in one piece: the one before it stays until the new one is whole.

    Raises WriteError.
    """
    with atomic_path(path, overwrite=True) as temporary:
        try:
            torch.save({"format": FORMAT, "format_version": FORMAT_VERSION, **contents}, temporary)
        except RuntimeError as error:  # what torch makes of a full disk
            raise OSError(str(error)) from error


def read_checkpoint(path: Path) -> Contents:
    """Read a checkpoint, its tensors on the CPU.

    Raises ReadError for a file that is missing, damaged, of another kind, or holds more than
    tensors, numbers and text.
    """
    if not path.is_file():
        raise ReadError(f"{path} does not exist: give the folder of a run that wrote one")
    try:
        with warnings.catch_warnings():
            # torch warns of pickles that are none of its own; they are refused anyway.
            warnings.simplefilter("ignore")
            contents = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError) as error:
        said = str(error).split("\n")[0][:200]
        raise ReadError(
            f"{path} cannot be read as a checkpoint: it is damaged, or no checkpoint ({said})"
        ) from error
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise ReadError(f"{path} is no training checkpoint of crewe")
    if contents.get("format_version") != FORMAT_VERSION:
        version = contents.get("format_version")
        raise ReadError(f"{path} has format {version}, not {FORMAT_VERSION}: use a newer crewe")
    return contents
