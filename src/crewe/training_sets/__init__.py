"""Training sets: labelled images from a recipe and a seed, as a stream or as a store.

`load_recipe` reads a recipe, `stream` makes its samples without end, `crewe.workflows` and the
command `crewe training-set make` write them to a store, `open_training_set` reads it.
"""

from __future__ import annotations

import importlib
from typing import Any

_FILE_OF = {
    "Augmentation": "augmentation",
    "Sample": "sample",
    "SampleMaker": "sample",
    "TrainingSet": "store",
    "augment": "augmentation",
    "check_training_set": "check",
    "export_training_set": "export",
    "find_samples": "catalogue",
    "load_recipe": "recipe",
    "make_sample": "making",
    "open_training_set": "store",
    "recipe_from_text": "recipe",
    "shipped_recipes": "recipe",
    "stream": "streaming",
}
__all__ = list(_FILE_OF)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, its libraries with it."""
    if name not in _FILE_OF:
        raise AttributeError(f"module 'crewe.training_sets' has no attribute {name!r}")
    return getattr(importlib.import_module(f"crewe.training_sets.{_FILE_OF[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
