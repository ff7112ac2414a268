import json
from dataclasses import replace

import numpy as np
import pytest
from fuse_data import ELEMENTS, QUICK, measured, stack_of, write_field

from crewe.chemistry.registration import Registration
from crewe.workflows import fuse_preview, fuse_result
from crewe.workflows.fuse_inputs import open_inputs
from crewe.workflows.fuse_plan import fuse_plan
from crewe.workflows.fuse_result import fusion_of, in_words
from crewe.workflows.fuse_stack import fit_inputs
from crewe.workflows.fuse_store import Unfinished
from crewe.workflows.observer import Silent


@pytest.fixture(scope="module")
def made():
    return measured(64, snr=6.0)


@pytest.fixture(scope="module")
def parts(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp("fused")
    plan = fuse_plan({**write_field(folder, made), **QUICK, "standard_error": "hessian"})
    inputs = open_inputs(plan)
    return plan, inputs, fit_inputs(plan, inputs, Unfinished(folder / "parts", {}), Silent())


def test_fractions_are_those_of_the_truth(parts, made):
    shown = fusion_of(*parts).shown
    truth = made.truth / made.truth.sum("element").clip(min=1e-9)
    core = np.hypot(*(np.indices((64, 64)) - 31.5)) < 10
    fractions = shown.fractions.values[:, core].mean(axis=1)
    np.testing.assert_allclose(fractions, truth.values[:, core].mean(axis=1), atol=0.02)
    assert np.isnan(shown.fractions.values[:, 0, 0]).all()
    cobalt = shown.phases[shown.phases["element"] == "Co"]
    assert cobalt["mean"].iloc[0] == pytest.approx(0.5, abs=0.02)


def test_sensitivities_change_fractions_and_not_maps(parts):
    plan, inputs, fitted = parts
    half = fusion_of(plan.model_copy(update={"sensitivity": {"Co": 0.5}}), inputs, fitted)
    whole = fusion_of(*parts)
    middle = (0, 32, 32)
    ratio = half.shown.fractions.values[middle] / whole.shown.fractions.values[middle]
    fraction = whole.shown.fractions.values[middle]
    assert ratio == pytest.approx(2 / (1 + fraction), rel=1e-3)
    assert half.maps is whole.maps


def test_the_summary_is_json_and_tells_what_was_chosen(parts):
    fusion = fusion_of(*parts)
    json.dumps(fusion.summary, allow_nan=False)
    assert fusion.elements == list(ELEMENTS)
    assert fusion.summary["prior"] == "composition"
    assert sum(fusion.summary["elastic_share"].values()) == pytest.approx(1)
    assert fusion.summary["mean"]["Co"] == pytest.approx(float(fusion.maps["Co"].mean()), rel=1e-5)
    assert set(fusion.summary["mean_standard_error"]) == set(ELEMENTS)
    assert in_words(fusion.summary) == "prior composition, strength 3, "
    assert in_words({**fusion.summary, "prior": "spectra"}).startswith("without HAADF")


def test_large_maps_are_shown_in_blocks(parts, monkeypatch):
    small = lambda image: fuse_preview.thinned(image, 32)  # noqa: E731
    for room in ("fuse_result", "fuse_inputs"):
        monkeypatch.setattr(f"crewe.workflows.{room}.thinned", small)
    fusion, whole = fusion_of(*parts), parts[2].maps["Co"].values
    assert fusion.shown.fused.shape == fusion.shown.raw.shape == (3, 32, 32)
    blocks = whole.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(fusion.shown.fused.values[0], blocks, rtol=1e-5)


def test_maps_too_few_for_phases_are_still_a_result(parts, monkeypatch):
    def refused(*given, **more):
        raise fuse_result.ImageError("too few pixels")

    monkeypatch.setattr(fuse_result, "phases", refused)
    fusion = fusion_of(*parts)
    assert fusion.shown.phases.empty
    assert "too few pixels" in fusion.summary["warnings"]


def found(trusted):
    return Registration((1.0, 0.0), (0.1, 0.1), 0.5, trusted, "shift +1.00, +0.00 px")


def test_of_many_frames_those_that_were_not_registered_are_counted(parts):
    inputs = parts[1]
    stacks = {name: stack_of([one] * 3) for name, one in inputs.maps.items()}
    several = replace(inputs, maps=stacks)
    several.elastic.registrations.update({0: found(True), 1: found(False), 2: found(False)})
    known, doubts = fuse_result._registered(several)
    assert known == ["frame 0: HAADF: shift +1.00, +0.00 px"]
    said = (
        "HAADF was not laid on the maps in 2 of 3 frames, such as: frame 1: shift +1.00, +0.00 px"
    )
    assert doubts == [said]
