"""Keeps each estimate on disk, so that a run can be stopped and taken up again.

An estimate is filed under a checksum of the code that made it: change crewe.atoms,
and its old estimates are no longer found.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from benchmarks.accuracy.estimate import Estimate
from benchmarks.accuracy.methods import ATOMAP_SCRIPT

HERE = Path(__file__).parent


def code_checksum(method: str) -> str:
    """Return eight digits that change with the code that the method runs."""
    sources = [HERE / "synthetic.py", HERE / "methods.py"]
    if method.startswith("atomap"):
        sources.append(ATOMAP_SCRIPT)
    else:
        sources += sorted(Path(find_spec("crewe.atoms").origin).parent.rglob("*.py"))
    if method == "per-column":
        sources.append(HERE / "per_column.py")
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    return digest.hexdigest()[:8]


def path_of(folder: Path, method: str, dose: float, realisation: int) -> Path:
    """Return where the estimate of one realisation is kept."""
    return folder / f"{method}-{code_checksum(method)}" / f"{dose:.0f}-{realisation:03d}.npz"


def load(folder: Path, method: str, dose: float, number: int) -> list[Estimate]:
    """Return all stored estimates of one method at one dose."""
    paths = (path_of(folder, method, dose, index) for index in range(number))
    return [Estimate.load(path) for path in paths if path.exists()]
