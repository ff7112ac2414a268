import json

import numpy as np
import pytest
from small_networks import matched_filter

from crewe import io
from crewe.cli.main import main
from crewe.cli.rerun import as_object
from crewe.workflows.repeat_comparison import Comparison


@pytest.fixture
def phased(folder):
    """Phase images in the working folder, beside their data."""
    patterns = np.random.default_rng(1).poisson(4, (8, 9, 16, 16)).astype(np.uint8)
    np.save(folder / "scan.npy", patterns)
    assert main(["phase", "scan.npy", "-m", "total", "--threads", "1", "-q"]) == 0
    return folder / "scan_phase"


def test_phase_images_are_the_same_again(phased, capsys):
    assert main(["rerun", "scan_phase"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == "scan_phase: equal: total, bit for bit"


def test_the_answer_as_json(phased, capsys):
    total = io.read(phased / "total.tif")
    deviation = float(total.std())
    total[2, 3] += 4 * deviation
    io.write(phased / "total.tif", total, overwrite=True)
    assert main(["rerun", "scan_phase/phase.yaml", "--json", "-q"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["equal"], answer["identical"]) == (False, False)
    assert answer["images"]["total"] == pytest.approx(4, rel=0.3)
    assert answer["largest_difference_in_standard_deviations"] == answer["images"]["total"]


def test_moved_data_are_named_and_the_result_kept(phased, folder, capsys):
    (folder / "scan.npy").rename(folder / "old.npy")
    assert main(["rerun", "scan_phase", "-q"]) == 1
    assert "scan.npy is no longer there" in capsys.readouterr().err
    for option in ("--image", "--data"):
        command = ["rerun", "scan_phase", option, "old.npy", "-o", f"again{option}", "-q"]
        assert main(command) == 0
        assert (folder / f"again{option}" / "total.tif").exists()


def test_damaged_and_unknown_results_are_wrong_use(phased, folder, capsys):
    (phased / "phase.yaml").write_text("plan: [")
    for given, words in (("scan_phase", "is damaged"), (".", "is no result of crewe quantify")):
        assert main(["rerun", given, "-q"]) == 2
        said = capsys.readouterr().err
        assert words in said
        assert said.count("\n") == 1


def test_a_restored_image_is_the_same_again(image, folder, capsys):
    pytest.importorskip("onnxruntime")
    matched_filter(folder / "smoothing.onnx", output="intensity", task="restoration")
    made = ["restore", "gold.tif", "--model", "smoothing.onnx", "--threads", "1", "-q"]
    assert main(made) == 0
    assert main(["rerun", "gold_restored.yaml", "--json", "-q"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["identical"]
    assert answer["images"] == {"restored": 0, "trust": 0}


def test_no_number_stands_for_what_cannot_be_compared():
    nowhere = {"adf": float("nan"), "bf": float("inf"), "total": 0.5}
    found = Comparison(False, False, float("nan"), "different", "standard deviations", nowhere)
    answer = json.loads(json.dumps(as_object(found), allow_nan=False))
    assert answer["largest_difference_in_standard_deviations"] is None
    assert answer["images"] == {"adf": None, "bf": None, "total": 0.5}
    table = as_object(Comparison(True, False, 1e-3, "equal"))
    assert table["largest_difference_in_standard_errors"] == 1e-3
    assert "images" not in table
