import numpy as np
import pytest
from small_networks import matched_filter

from crewe.networks.card import read_card
from crewe.restoration.pixel_size import Resampling
from crewe.restoration.remarks import counted, resampling_for, unlike_training


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    path = matched_filter(tmp_path_factory.mktemp("networks") / "blobs.onnx")
    card = read_card(path.with_suffix(".yaml"))
    return card.model_copy(update={"likeness": {"noise_share": (0.2, 0.6)}})


def noise(shape=(64, 64), seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_an_unknown_pixel_size_is_left_alone_and_said(card):
    resampling, (warning,) = resampling_for(None, card)
    assert resampling == Resampling()
    assert "0.1 to 0.3 Å" in warning
    assert resampling_for(0.2, card) == (Resampling(), [])


def test_likeness_is_judged_as_the_network_sees_the_image(card):
    (noisier,) = unlike_training(noise(), Resampling(), card)
    assert "noisier" in noisier
    (smoother,) = unlike_training(noise(), Resampling(parts=4), card)
    assert "less noisy" in smoother


def test_what_has_no_features_is_passed_over(card):
    for image in (noise((4, 90)), np.full((64, 64), np.nan, np.float32)):
        assert unlike_training(image, Resampling(), card) == []
    assert unlike_training(noise((20, 20)), Resampling(binned=4), card) == []


def test_each_kind_of_warning_is_said_once_with_its_frames():
    one, other, third = "it is noisy (0.3 of 0.1)", "it is noisy (0.4 of 0.1)", "it is flat"
    assert counted([[one, third]]) == [one, third]
    assert counted([[one], [], [third, other]]) == [
        "it is noisy (0.3 of 0.1), in 2 of 3 frames",
        "it is flat, in 1 of 3 frames",
    ]
