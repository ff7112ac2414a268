import hashlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

from crewe.errors import ReadError, WriteError  # noqa: E402
from crewe.networks.card import read_card  # noqa: E402
from crewe.networks.checkpoints import write_checkpoint  # noqa: E402
from crewe.networks.likeness import features  # noqa: E402
from crewe.networks.publishing import Words, hours_of, publish  # noqa: E402
from crewe.networks.training_parts import build_networks  # noqa: E402
from crewe.networks.training_plan import TrainingPlan, maker_of_plan  # noqa: E402
from crewe.networks.zoo import open_network  # noqa: E402
from crewe.recipes import to_yaml  # noqa: E402

PLAN = {
    "name": "mine",
    "description": "A network of a test.",
    "recipe": {"name": "hrstem", "changes": {"size_px": 32}},
    "network": {"kind": "cgrdn", "size": "small"},
    "validation": {"count": 3},
    "device": "cpu",
}
LOG = "step,stage,learning_rate,samples_per_second\n100,1,0.1,4\n200,1,0.1,8\n300,1,0.1,1\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run whose best weights are those that it began with."""
    folder = tmp_path_factory.mktemp("run")
    plan = TrainingPlan.read(PLAN)
    weights = build_networks(plan).generator.state_dict()
    write_checkpoint(folder / "best.pt", {"plan": to_yaml(plan), "step": 200, "generator": weights})
    (folder / "log.csv").write_text(LOG)
    return folder


@pytest.fixture(scope="module")
def published(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "mine.onnx"
    told = []
    words = Words("mine", fails=("everywhere",), device="abacus")
    card = publish(run, path, words, samples=40, progress=lambda *counts: told.append(counts))
    assert told[-1] == (40, 40)
    return path, card


def test_the_card_says_what_was_trained(published):
    path, card = published
    assert read_card(path.with_suffix(".yaml")) == card
    assert card.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (card.training.started_from, card.training.stored_samples) == ("", None)
    assert (card.task, card.target, card.output, card.multiple_px) == (
        "restoration", "ideal", "intensity", 2
    )  # fmt: skip
    assert card.parameters == 364_673
    assert (card.training.plan, card.training.steps, card.training.samples) == ("mine", 200, 800)
    assert (card.training.device, card.fails) == ("abacus", ("everywhere",))


def test_its_hours_are_those_up_to_the_best_step(run):
    # 100 steps of 4 samples at 4 per second, 100 at 8 per second.
    assert hours_of(run / "log.csv", 4, 200) == pytest.approx((100 + 50) / 3600)


def test_its_figures_are_those_of_hardly_any_restoration(published):
    """An untrained network is the identity to a percent."""
    figures = published[1].validation
    assert (figures.count, figures.seed) == (64, 1_000_004)
    assert figures.psnr_db == pytest.approx(figures.input_psnr_db, abs=0.5)


def test_its_ranges_hold_nearly_all_training_inputs(published):
    _, card = published
    maker, outside = maker_of_plan(TrainingPlan.read(PLAN)), 0
    for index in range(40):
        sample = maker.sample(0, index)
        found = features(sample.arrays["degraded"])
        assert found.keys() == card.likeness.keys()
        outside += sum(
            not low <= found[name] <= high for name, (low, high) in card.likeness.items()
        )
    assert outside <= 2 * len(card.likeness)
    low, high = card.pixel_size_angstrom
    assert 0.025 <= low < high <= 0.90


def test_a_published_network_runs_on_counts(published):
    network = open_network(published[0], threads=1)
    image = np.random.default_rng(3).poisson(20, (40, 50)).astype(np.uint16)
    restored = network.run(image)
    assert restored.shape == image.shape
    assert restored.mean() == pytest.approx(image.mean(), rel=1e-5)


def test_nothing_is_overwritten_and_nothing_made_of_nothing(published, run, tmp_path):
    with pytest.raises(WriteError, match=r"mine\.onnx"):
        publish(run, published[0], Words("mine"), samples=1)
    with pytest.raises(ReadError, match=r"best\.pt"):
        publish(tmp_path, tmp_path / "no.onnx", Words("no"), samples=1)


def test_a_plan_that_stands_beside_is_no_card_to_replace(run, tmp_path):
    (tmp_path / "mine.yaml").write_text("name: mine\n")
    with pytest.raises(WriteError, match="where the card belongs"):
        publish(run, tmp_path / "mine.onnx", Words("mine"), samples=1, overwrite=True)
    assert (tmp_path / "mine.yaml").read_text() == "name: mine\n"
    assert not (tmp_path / "mine.onnx").exists()
