import numpy as np
import pytest
from fuse_data import ELEMENTS, QUICK, measured, write_field, write_stack

from crewe.errors import PlanError
from crewe.workflows import fuse_stack
from crewe.workflows.fuse_inputs import open_inputs
from crewe.workflows.fuse_plan import fuse_plan
from crewe.workflows.fuse_stack import fit_inputs
from crewe.workflows.fuse_store import Unfinished
from crewe.workflows.observer import Recorder

TILED = {"tile_px": 80, "overlap_px": 40}


def fitted(settings, folder, **more):
    plan = fuse_plan({**settings, "align": False, **more})
    heard = Recorder()
    store = Unfinished(folder / "parts", plan.settings())
    return fit_inputs(plan, open_inputs(plan), store, heard), heard


def planes(result, suffix=""):
    return np.stack([np.asarray(result.maps[f"{name}{suffix}"]) for name in ELEMENTS])


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    made = measured(128, snr=3.0)
    return write_field(tmp_path_factory.mktemp("field"), made), made


@pytest.mark.parametrize(("prior", "most"), [("composition", 0.15), ("spectra", 0.6)])
def test_tiles_agree_with_the_whole(field, tmp_path, prior, most):
    settings, made = field
    chosen = {**QUICK, "prior": prior}
    whole, _ = fitted(settings, tmp_path / "whole", **chosen, repeats=6)
    tiled, _ = fitted(settings, tmp_path / "tiled", **chosen, **TILED, standard_error="none")
    assert (whole.parts, tiled.parts) == (1, 9)
    errors = planes(whole, "_standard_error")
    here = planes(whole) > 0.5
    off = (planes(tiled) - planes(whole))[here] / errors[here]
    assert np.sqrt(np.square(off).mean()) < most
    # Neither is nearer to the truth.
    truth = made.truth.values
    distances = [np.linalg.norm(planes(one) - truth) for one in (tiled, whole)]
    assert distances[0] == pytest.approx(distances[1], rel=0.05)
    assert tiled.maps["Co"].dims == ("y", "x")


def test_eq_1_as_printed_takes_no_tiles(field, tmp_path):
    settings, _ = field
    fixed = {**QUICK, "prior": "amounts", "standard_error": "none"}
    with pytest.raises(PlanError, match="give --tile 128"):
        fitted(settings, tmp_path, **fixed, **TILED)
    assert fitted(settings, tmp_path, **fixed)[0].chosen.prior == "amounts"


def test_settings_are_chosen_once_and_hold_for_all_tiles(field, tmp_path):
    settings, _ = field
    tiled, _ = fitted(settings, tmp_path, **TILED, standard_error="none")
    assert len(tiled.chosen.tried) > 5
    assert tiled.chosen.maps.shape[1:] != (128, 128)
    whole, _ = fitted(settings, tmp_path, standard_error="none")
    # Offset and strength are those of the frame, not of the tile that happened to be brightest.
    scale = float(whole.chosen.haadf.max())
    assert tiled.chosen.haadf_offset == pytest.approx(whole.chosen.haadf_offset, abs=0.01 * scale)


def test_frames_are_fused_with_the_settings_of_the_middle_one(tmp_path):
    fields = [measured(seed=seed) for seed in range(3)]
    settings = write_stack(tmp_path, fields)
    stack, _ = fitted(settings, tmp_path, repeats=3)
    assert (stack.frame, stack.parts) == (1, 3)
    assert stack.maps["Co"].dims == ("z", "y", "x")
    alone, _ = fitted(write_field(tmp_path / "alone", fields[1]), tmp_path / "a", repeats=3)
    assert stack.chosen.strength == alone.chosen.strength
    spread = float(planes(alone).std())
    np.testing.assert_allclose(planes(stack)[:, 1], planes(alone), atol=1e-3 * spread)
    for number, field in enumerate(fields):
        off = np.linalg.norm(planes(stack)[:, number] - field.truth.values)
        assert off < 0.5 * np.linalg.norm(field.maps.values - field.truth.values)
    assert (planes(stack, "_standard_error") > 0).any(axis=(0, 2, 3)).all()


def test_a_part_that_is_done_is_not_done_again(tmp_path, monkeypatch):
    settings = write_stack(tmp_path, [measured(seed=seed) for seed in range(4)])
    chosen = {**QUICK, "standard_error": "none"}
    begun = []
    real = fuse_stack.fit_part

    def interrupted(result, field, balance):
        if len(begun) == 2:
            raise KeyboardInterrupt
        begun.append(field)
        return real(result, field, balance)

    monkeypatch.setattr(fuse_stack, "fit_part", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fitted(settings, tmp_path, **chosen)
    calls = []
    monkeypatch.setattr(fuse_stack, "fit_part", lambda *given: calls.append(1) or real(*given))
    result, heard = fitted(settings, tmp_path, **chosen)
    assert len(calls) == 2
    assert ("message", "2 of 4 parts were done before") in heard.heard
    fresh, _ = fitted(settings, tmp_path / "fresh", **chosen)
    np.testing.assert_array_equal(planes(result), planes(fresh))
