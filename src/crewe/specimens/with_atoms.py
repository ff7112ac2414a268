"""The functions on plain arrays, for those who hold `ase.Atoms`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from crewe.specimens.cloud import AtomCloud


@functools.cache
def with_atoms(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes and gives `ase.Atoms` where this one has an AtomCloud."""

    @functools.wraps(function)
    def on_atoms(*given: Any, **named: Any) -> Any:
        result = function(
            *(_cloud(value) for value in given),
            **{name: _cloud(value) for name, value in named.items()},
        )
        return _atoms(result)

    return on_atoms


def _cloud(value: Any) -> Any:
    from ase import Atoms

    return AtomCloud.from_atoms(value) if isinstance(value, Atoms) else value


def _atoms(value: Any) -> Any:
    if isinstance(value, AtomCloud):
        return value.to_atoms()
    return tuple(_atoms(part) for part in value) if type(value) is tuple else value
