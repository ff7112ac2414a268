import numpy as np
import pytest
import yaml
from phase_data import phantom, plan_of

from crewe.errors import ImageError
from crewe.sources import Frames
from crewe.stem4d.moments import Moments
from crewe.workflows.observer import Recorder
from crewe.workflows.phase import make_images, run_phase
from crewe.workflows.phase_centres import patterns_without_centre


def warnings_of(heard):
    return [text for kind, text in heard.heard if kind == "warning"]


def test_only_measured_patterns_are_counted():
    moments = Moments((3, 4), (5, 6))
    patterns = np.ones((7, 5, 6))
    patterns[0], patterns[1], patterns[2, 3, 3] = 0, -1, np.nan
    patterns[3, 0, 0], patterns[4, 1, 1], patterns[4, 2, 2] = np.inf, np.inf, -np.inf
    moments.add(moments.measure(Frames(np.arange(7), patterns)))
    assert patterns_without_centre(moments) == {
        "without_intensity": 1,
        "below_zero": 1,
        "not_finite": 3,
    }


def test_patterns_without_a_centre_are_counted_apart_and_told(tmp_path):
    patterns = phantom().astype(np.float32)
    patterns[4, 5:8] = 0
    patterns[9, 9] = np.nan
    np.save(tmp_path / "set.npy", patterns)
    heard = Recorder()
    plan = plan_of(tmp_path / "set.npy", mirrored=False, methods=("com", "icom"))
    run_phase(plan, heard)
    note = yaml.safe_load((plan.output / "phase.yaml").read_text())
    counted = {"without_intensity": 3, "below_zero": 0, "not_finite": 1}
    assert note["patterns_without_centre_of_mass"] == counted
    (said,) = warnings_of(heard)
    assert said.startswith("of 1,020 patterns 3 have no intensity and 1 are not finite: no centre")
    heard = Recorder()
    total = plan_of(tmp_path / "set.npy", methods=("total",))
    assert make_images(total, heard).summary["patterns_without_centre_of_mass"] == counted
    (said,) = warnings_of(heard)
    assert "not usable" in said


def test_sound_data_are_not_warned_of(tmp_path):
    np.save(tmp_path / "set.npy", phantom())
    heard = Recorder()
    make_images(plan_of(tmp_path / "set.npy", mirrored=False), heard)
    assert not warnings_of(heard)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda patterns: 0 * patterns, "1,020 have no intensity"),
        (lambda patterns: -1.0 * patterns, "1,020 have a sum below zero"),
        # Each pattern has a damaged pixel, and no pixel is damaged in many.
        (
            lambda patterns: np.where(
                np.arange(24 * 26).reshape(24, 26)
                == np.arange(30 * 34).reshape(30, 34, 1, 1) % (24 * 26),
                np.nan,
                patterns,
            ),
            "1,020 are not finite",
        ),
    ],
)
def test_no_centre_at_all_is_an_error(fault, said, tmp_path):
    np.save(tmp_path / "set.npy", fault(phantom().astype(float)))
    settings = {"centre": (11.5, 12), "radius_px": 6.0, "rotation_degrees": "auto"}
    with pytest.raises(
        ImageError, match=f"no pattern has a centre of mass: of 1,020 patterns {said}"
    ):
        make_images(plan_of(tmp_path / "set.npy", methods=("ricom",), **settings))
