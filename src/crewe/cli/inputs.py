"""Which images are meant, and which folder each result goes to."""

import glob
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from crewe.errors import PlanError, ReadError


def expand(patterns: Sequence[str]) -> list[Path]:
    """Return the files that names and glob patterns mean, in order, each once.

    Shells expand patterns themselves, except on Windows and inside quotes.
    Raises ReadError for a pattern that matches nothing; a missing file is left
    for the run to report.
    """
    found: list[Path] = []
    for pattern in patterns:
        path = Path(pattern)
        if path.exists() or not glob.has_magic(pattern):
            found.append(path)
            continue
        matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
        if not matches:
            raise ReadError(f"no file matches '{pattern}': check the folder and the pattern")
        found += [Path(match) for match in matches]
    return list(dict.fromkeys(found))


def output_folders(images: Sequence[Path], output: Path | None) -> list[Path]:
    """Return one folder for each image: `output`, or one below it when there are several.

    Without `output` it is `<stem>_quantified` in the working folder. Raises
    PlanError when two images would share a folder.
    """
    if output is not None and len(images) == 1:
        return [output]
    if output is not None:
        folders = [output / image.stem for image in images]
    else:
        folders = [Path(f"{image.stem}_quantified") for image in images]
    folder, times = Counter(folders).most_common(1)[0]
    if times > 1:
        raise PlanError(
            f"{times} of the images would be written to {folder}: "
            "run those of the same name one by one, each with its own -o"
        )
    return folders
