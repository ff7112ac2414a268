import shutil
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from blob_sets import COUNT, SEED, blobs

from crewe.workflows.training_set import TrainingSetPlan, make_training_set


@pytest.fixture(scope="session")
def made_set(tmp_path_factory):
    """The path of a set that tests only read."""
    path = tmp_path_factory.mktemp("sets") / "blobs.zarr"
    plan = TrainingSetPlan(blobs.BlobMaker(), COUNT, path, SEED)
    make_training_set(plan, recall=blobs.recall)
    return path


@pytest.fixture
def copied_set(made_set, tmp_path):
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(made_set, tmp_path / "copy.zarr"))
