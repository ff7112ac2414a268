"""A restored image is quantified with the measured one beside it."""

import numpy as np
import pytest
import yaml
from small_networks import matched_filter

from crewe import io
from crewe.errors import CalibrationError, PlanError
from crewe.testing.lattices import count_electrons, square_lattice
from crewe.workflows import load_plan, plan_from, rerun, run
from crewe.workflows.observer import Recorder
from crewe.workflows.result_folder import FILES, RESTORED_FILES, is_finished

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A counted lattice in a file, a network that smooths and one that marks columns."""
    folder = tmp_path_factory.mktemp("restored")
    phantom = square_lattice((96, 96))
    counted = count_electrons(phantom.image, 2e4 * 0.15**2, seed=1).assign_attrs(units="e")
    io.write(folder / "gold.tif", counted)
    matched_filter(folder / "blobs.onnx")
    matched_filter(folder / "smooth.onnx", output="intensity", task="restoration")
    return folder, phantom.truth


def settings_for(folder, **more):
    return {
        "image": folder / "gold.tif",
        "intensity": {"counts": True},
        "restore": str(folder / "smooth.onnx"),
        "find": {"by": str(folder / "blobs.onnx")},
        **more,
    }


@pytest.fixture(scope="module")
def result(place):
    """One restored quantification, written."""
    folder, _ = place
    return run(plan_from(settings_for(folder, output=folder / "out")))


def test_both_fits_stand_in_the_table(result, place):
    columns, truth = result.fit.columns, place[1]
    assert len(columns) == len(truth)
    measured = result.restoration.measured_fit
    np.testing.assert_array_equal(columns["x_measured"], measured.columns["x"])
    np.testing.assert_array_equal(columns["scs_measured_std"], measured.columns["scs_std"])
    assert measured.summary["noise"] == "counts"
    assert result.fit.summary["noise"] == "auto"
    fine = columns["flag"] == ""
    # the smoothed image's residual scatter claims far too much, the counts do not
    assert (columns["x_std"] < 0.6 * columns["x_measured_std"])[fine].all()
    order = np.lexsort((truth["x"].round(0), truth["y"].round(0)))
    by_place = columns.iloc[np.lexsort((columns["x"].round(0), columns["y"].round(0)))]
    pulls = []
    for axis in "xy":
        miss = by_place[f"{axis}_measured"].to_numpy() - truth[axis].to_numpy()[order]
        pulls.append((miss / by_place[f"{axis}_measured_std"])[fine])
    assert np.sqrt(np.mean(np.square(np.concatenate(pulls)))) == pytest.approx(1, abs=0.25)
    assert result.summary["units"]["x_measured_std"] == "Å"


def test_what_was_restored_and_how_far_to_trust_it_is_told(result):
    facts = result.summary["restoration"]
    assert facts["model"] == "smooth"
    assert 0 <= facts["doubted_share"] <= facts["trusted_share"] <= 1
    first, *others = result.summary["warnings"]
    assert "restored" in first
    assert "not from electron counts" in first
    # smoothing broadens columns, cut at the mesh of the background, so that volumes change
    changed = abs(facts["scs_ratio_median"] - 1) > 0.03
    assert any("cross-sections" in said for said in others) == changed
    assert result.summary["find"]["certainty_median"] > 0.5


def test_the_folder_holds_the_restored_image_its_trust_and_the_report(result, place):
    folder = place[0] / "out"
    assert {path.name for path in folder.iterdir()} == {*FILES, *RESTORED_FILES}
    restored = io.read_image(folder / "restored.tif")
    np.testing.assert_allclose(restored.values, result.image.values, rtol=1e-6)
    trust = io.read_image(folder / "trust.tif")
    assert 0 <= float(trust.min()) <= float(trust.max()) <= 1
    report = (folder / "report.html").read_text("utf-8")
    assert report.count("data:image/png;base64,") == 3
    assert "The restored image" in report
    assert "measured image" in report
    assert result.restoration.facts["sha256"] in report


def test_the_plan_repeats_the_result_and_knows_its_networks(result, place):
    folder = place[0]
    stored = yaml.safe_load((folder / "out" / "plan.yaml").read_text("utf-8"))
    assert stored["restore"] == "../smooth.onnx"
    assert stored["find"]["by"] == "../blobs.onnx"
    assert set(stored["provenance"]["networks"]) == {"restore", "find"}
    assert "onnxruntime" in stored["provenance"]["versions"]
    assert rerun(folder / "out").equal
    assert is_finished(load_plan(folder / "out" / "plan.yaml"))


def test_another_network_of_that_name_is_noticed(place, tmp_path):
    folder, _ = place
    for name in ("gold.tif", "blobs.onnx", "blobs.yaml"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    plan = plan_from(
        {
            "image": tmp_path / "gold.tif",
            "find": {"by": str(tmp_path / "blobs.onnx")},
            "output": tmp_path / "out",
        }
    )
    run(plan)
    assert is_finished(plan)
    matched_filter(tmp_path / "blobs.onnx", output="mask", gain=0.8)
    assert not is_finished(plan)
    heard = Recorder()
    rerun(tmp_path / "out", heard)
    assert any("another one" in text for kind, text in heard.heard if kind == "warning")


def test_found_by_a_network_fitted_as_measured(place):
    folder, truth = place
    plan = settings_for(folder, restore=None)
    done = run(plan_from(plan))
    assert done.restoration is None
    assert "x_measured" not in done.fit.columns
    assert len(done.fit.columns) == len(truth)
    assert done.fit.summary["noise"] == "counts"
    assert done.fit.columns["certainty"].between(0, 1).all()


def test_what_cannot_be_is_told(place):
    folder, _ = place
    with pytest.raises(PlanError, match="spacing"):
        plan_from({"image": "a.tif", "find": {"by": "network", "spacing": 2.0}})
    with pytest.raises(PlanError, match="no network"):
        run(plan_from({"image": folder / "gold.tif", "restore": "no-such-network"}))
    with pytest.raises(PlanError, match=r"marks no columns|atom maps"):
        run(plan_from(settings_for(folder, find={"by": str(folder / "smooth.onnx")})))
    with pytest.raises(PlanError, match="restor"):
        run(plan_from(settings_for(folder, restore=str(folder / "blobs.onnx"))))
    with pytest.raises(CalibrationError, match="pixel size"):
        run(plan_from(settings_for(folder, sampling="pixel", restore=None)))
