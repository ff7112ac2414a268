"""Settings and notes as they are read from YAML: keys and values, or an error that helps."""

from pathlib import Path
from typing import Any

import yaml

from crewe.errors import PlanError

LARGEST_FILE_BYTES = 32 * 2**20
LARGEST_SETTINGS_BYTES = 2**20
"""For files that people write by hand."""


def read_mapping(path: Path, expected: str, largest_bytes: int | None = None) -> dict[str, Any]:
    """Read a YAML file that holds keys and values.

    Raises PlanError for a file that cannot be read, is larger than `largest_bytes` (32 MiB), is no
    YAML or holds something else than what was `expected`.
    """
    try:
        if path.stat().st_size > (largest_bytes or LARGEST_FILE_BYTES):
            raise PlanError(f"{path} is far too large for a text of settings")
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise PlanError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(settings, dict):
        raise PlanError(f"{path} holds no keys: expected {expected}")
    return settings
