import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

from typer.testing import CliRunner  # noqa: E402

from crewe.cli.main import app  # noqa: E402
from crewe.errors import PlanError, ReadError  # noqa: E402
from crewe.networks.training_plan import TrainingPlan  # noqa: E402
from crewe.networks.zoo import card_of, open_network  # noqa: E402
from crewe.workflows.export_network import export_network  # noqa: E402
from crewe.workflows.train import run_training  # noqa: E402

PLAN = {
    "name": "mine",
    "recipe": {"name": "hrstem", "changes": {"size_px": 32}},
    "network": {"kind": "cgrdn", "size": "small"},
    "batch_size": 2,
    "stages": [{"losses": {"l1": 1.0}, "learning_rate": 1e-4, "steps": 2}],
    "validation": {"count": 2, "every_steps": 2},
    "device": "cpu",
}


def test_a_run_becomes_a_network_that_restores(tmp_path):
    run, path = tmp_path / "run", tmp_path / "mine.onnx"
    run_training(TrainingPlan.read(PLAN), run)
    arguments = ["networks", "export", str(run), "-o", str(path), "--samples", "12", "--quiet"]
    result = CliRunner().invoke(app, [*arguments, "--fails", "everywhere"])
    assert result.exit_code == 0, result.output
    card = card_of(path)
    assert (card.training.steps, card.training.samples, card.fails) == (2, 4, ("everywhere",))
    sample = torch.rand(40, 40).numpy()
    assert open_network(path, threads=1).run(sample).shape == (40, 40)


def test_what_is_no_run_or_no_network_is_refused(tmp_path):
    with pytest.raises(PlanError, match=r"ends in \.onnx"):
        export_network(tmp_path, tmp_path / "mine.pt")
    with pytest.raises(ReadError, match=r"best\.pt"):
        export_network(tmp_path, tmp_path / "mine.onnx")
