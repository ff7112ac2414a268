import numpy as np
import pytest
import yaml
from fuse_data import ELEMENTS, QUICK, measured, write_field, write_stack

from crewe import io
from crewe.axes import sampling
from crewe.errors import ImageError, PlanError, ReadError, WriteError
from crewe.workflows import fuse_stack
from crewe.workflows.fuse import fuse_unless_finished, run_fusion
from crewe.workflows.fuse_plan import fuse_plan
from crewe.workflows.observer import Recorder, Silent

PICTURES = {"maps", "overlay", "fractions", "standard_error", "convergence"}


@pytest.fixture(scope="module")
def made():
    return measured()


@pytest.fixture
def settings(tmp_path, made):
    return {**write_field(tmp_path, made), **QUICK, "repeats": 3}


@pytest.fixture(scope="module")
def result(tmp_path_factory, made):
    """A result that is there, and its plan."""
    folder = tmp_path_factory.mktemp("fused")
    plan = fuse_plan({**write_field(folder, made), **QUICK, "repeats": 3})
    return run_fusion(plan), plan


def test_maps_come_out_on_the_scale_and_grid_of_the_input(result, made):
    _, plan = result
    for element in ELEMENTS:
        fused = io.read(plan.output / f"{element}.tif")
        raw = made.maps.sel(element=element)
        assert fused.dtype == np.float32
        assert fused.attrs["units"] == "counts"
        assert sampling(fused) == pytest.approx((0.213, 0.213))
        assert float(fused.sum()) == pytest.approx(float(raw.sum()), rel=0.02)
        truth = made.truth.sel(element=element).values
        assert np.linalg.norm(fused - truth) < 0.6 * np.linalg.norm(raw - truth)
        errors = io.read(plan.output / f"{element}_standard_error.tif")
        assert errors.shape == fused.shape
        assert float(errors.mean()) > 0


def test_pictures_tables_and_note_lie_beside(result):
    fusion, plan = result
    names = {path.name for path in plan.output.iterdir()}
    assert {f"{name}.png" for name in PICTURES} <= names
    assert {"report.html", "fusion.yaml", "phases.csv", "convergence.csv"} <= names
    assert ".unfinished" not in names
    note = yaml.safe_load(plan.note.read_text("utf-8"))
    assert note["plan"] == plan.settings()
    assert set(note["sha256"]) == {"haadf", *ELEMENTS}
    assert note["paths"]["Co"] == "../map_Co.tif"
    assert note["result"] == fusion.summary
    assert note["result"]["strength"] == 3.0
    assert len(note["files"]) == 6
    assert "crewe" in note["versions"]


def test_the_same_result_is_not_made_twice(result):
    fusion, plan = result
    heard = Recorder()
    again = fuse_unless_finished(plan, heard)
    assert again.skipped
    assert again.summary == fusion.summary
    assert "skipped" in heard.heard[-1][1]


def test_other_settings_are_not_mixed_into_a_folder(settings):
    run_fusion(fuse_plan(settings))
    other = fuse_plan({**settings, "strength": 5.0, "standard_error": "none"})
    with pytest.raises(WriteError, match="--overwrite"):
        fuse_unless_finished(other, Silent())
    assert not fuse_unless_finished(other, Silent(), overwrite=True).skipped
    assert not list(other.output.glob("*_standard_error.tif"))
    assert yaml.safe_load(other.note.read_text("utf-8"))["result"]["strength"] == 5.0


def test_an_input_is_never_replaced(settings, tmp_path):
    maps = {}
    for element, path in settings["maps"].items():
        maps[element] = path.rename(tmp_path / f"{element}.tif")
    plan = fuse_plan({**settings, "maps": maps, "output": tmp_path})
    before = maps["Co"].read_bytes()
    for overwrite in (False, True):
        with pytest.raises(PlanError, match=r"Co.tif is an input"):
            run_fusion(plan, overwrite=overwrite)
    assert maps["Co"].read_bytes() == before


def test_somebody_elses_file_is_not_replaced(settings, tmp_path):
    plan = fuse_plan(settings)
    plan.output.mkdir()
    (plan.output / "S.tif").write_text("mine")
    with pytest.raises(WriteError, match=r"S.tif exists"):
        run_fusion(plan)
    assert (plan.output / "S.tif").read_text() == "mine"


def test_bad_input_leaves_nothing_behind(settings):
    broken = {**settings, "maps": {**settings["maps"], "S": settings["haadf"].with_name("no.tif")}}
    with pytest.raises(ReadError, match=r"no.tif"):
        run_fusion(fuse_plan(broken))
    empty = io.read(settings["maps"]["S"]) * 0
    io.write(settings["maps"]["S"], empty.astype(np.uint16), overwrite=True)
    with pytest.raises(ImageError, match="map of S is empty"):
        run_fusion(fuse_plan(settings))
    assert not settings["output"].exists()


def test_a_sensitivity_without_a_map_is_found_before_the_work(tmp_path, made):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "both.h5", "w") as file:
        file["HAADF"] = made.haadf.values
        file["Co"] = made.maps.sel(element="Co").values
    given = {"haadf": tmp_path / "both.h5", "output": tmp_path / "out", "sensitivity": {"S": 2}}
    with pytest.raises(PlanError, match="no map of it, the maps are of Co"):
        run_fusion(fuse_plan({**given, **QUICK}))
    assert not (tmp_path / "out").exists()


def test_an_interrupted_stack_goes_on(tmp_path, monkeypatch):
    settings = write_stack(tmp_path, [measured(seed=seed) for seed in range(3)])
    plan = fuse_plan({**settings, **QUICK, "standard_error": "hessian"})
    real, done = fuse_stack.fit_part, []

    def fails_once(chosen, field, balance):
        done.append(1)
        if len(done) == 2:
            raise KeyboardInterrupt
        return real(chosen, field, balance)

    monkeypatch.setattr(fuse_stack, "fit_part", fails_once)
    with pytest.raises(KeyboardInterrupt):
        run_fusion(plan)
    assert not plan.note.exists()
    fusion = run_fusion(plan)
    assert len(done) == 4
    assert io.read(plan.output / "Co.tif").dims == ("z", "y", "x")
    assert not (plan.output / ".unfinished").exists()
    assert fusion.summary["frames"] == 3
    # The maps are still there although the parts that they were put together from are not.
    np.testing.assert_array_equal(fusion.maps["Co"], io.read(plan.output / "Co.tif"))


@pytest.mark.parametrize("suffix", ["hspy", "zarr", "npz"])
def test_other_formats(settings, suffix):
    run_fusion(fuse_plan({**settings, "format": suffix, "standard_error": "none"}))
    fused = io.read(settings["output"] / f"O.{suffix}")
    assert fused.shape == (48, 48)
    assert sampling(fused) == pytest.approx((0.213, 0.213))


def test_what_a_reader_should_know_is_said(settings, made):
    noise = np.random.default_rng(4).permutation(made.haadf.values.ravel()).reshape(48, 48)
    io.write(settings["haadf"], made.haadf.copy(data=noise).astype(np.float32), overwrite=True)
    heard = Recorder()
    fusion = run_fusion(fuse_plan(settings), heard)
    said = [text for kind, text in heard.heard if kind == "warning"]
    assert any("HAADF was not laid on the maps" in text for text in said)
    assert fusion.summary["warnings"] == said
    assert "not laid on the maps" in (settings["output"] / "report.html").read_text("utf-8")
