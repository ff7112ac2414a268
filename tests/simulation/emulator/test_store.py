import json

import numpy as np
import pytest
from known_polynomial import pairs, smooth_image

from crewe.errors import ReadError, WriteError
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.fit import fit_emulator
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.store import load_emulator, save_emulator


@pytest.fixture(scope="module")
def emulator():
    plan = EmulatorPlan(size=3, register=False, ridge=1e-9)
    return fit_emulator(pairs(), plan, convolution=Convolution(0.1), about={"system": "test"})


def test_a_saved_emulator_answers_the_same(emulator, tmp_path):
    found = load_emulator(save_emulator(tmp_path / "a.emulator", emulator))
    image = smooth_image(99)
    assert np.array_equal(found.predict(image), emulator.predict(image))
    assert found.standard_error(image) == pytest.approx(emulator.standard_error(image), rel=1e-3)
    assert found.plan == emulator.plan
    assert found.convolution == emulator.convolution
    assert found.about["system"] == "test"
    assert found.check(image).share_outside == emulator.check(image).share_outside


def test_it_is_small_and_not_overwritten(emulator, tmp_path):
    path = save_emulator(tmp_path / "a.emulator", emulator)
    assert path.stat().st_size < 40_000
    with pytest.raises(WriteError):
        save_emulator(path, emulator)
    save_emulator(path, emulator, overwrite=True)


def with_header(path, **changes):
    stored = dict(np.load(path))
    header = json.loads(str(stored["header"])) | changes
    stored["header"] = np.array(json.dumps(header))
    with path.open("wb") as file:
        np.savez(file, **stored)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 99}, "version 99"),
        ({"format": "poem"}, "not an emulator"),
        ({"plan": {"wings": 2}}, "damaged"),
        ({"plan": {"size": 5}}, "do not fit its plan"),
        ({"convolution": {"colour": "red"}}, "damaged"),
        ({"image_scale": 0.0}, "scales"),
        ({"image_scale": "wide"}, "damaged"),
        ({"shift_px": [float("nan"), 0.0]}, "shift"),
        ({"shift_px": 3}, "damaged"),
        ({"residual_variance": -1.0}, "not positive"),
        ({"about": 3}, "damaged"),
    ],
)
def test_another_version_or_a_damaged_file_is_refused(emulator, tmp_path, changes, message):
    path = save_emulator(tmp_path / "a.emulator", emulator)
    with_header(path, **changes)
    with pytest.raises(ReadError, match=message):
        load_emulator(path)


def test_what_is_no_emulator_is_refused(emulator, tmp_path):
    whole = save_emulator(tmp_path / "a.emulator", emulator).read_bytes()
    (tmp_path / "cut.emulator").write_bytes(whole[:900])
    (tmp_path / "text.emulator").write_text("not an archive")
    np.savez(tmp_path / "other.npz", image=np.eye(3))
    for name in ("cut.emulator", "text.emulator", "other.npz", "none.emulator"):
        with pytest.raises(ReadError, match=name):
            load_emulator(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("coefficients", np.full(66, np.nan)),
        ("covariance_factor", np.eye(3)),
        ("domain_inverse_covariance", np.eye(2)),
        ("deviations", np.zeros(10)),
    ],
)
def test_arrays_that_could_not_answer_are_refused(emulator, tmp_path, name, values):
    path = save_emulator(tmp_path / "a.emulator", emulator)
    stored = dict(np.load(path)) | {name: values}
    with path.open("wb") as file:
        np.savez(file, **stored)
    with pytest.raises(ReadError, match="damaged"):
        load_emulator(path)
