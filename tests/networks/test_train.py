import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch")

from crewe.errors import CreweError, PlanError, ReadError  # noqa: E402
from crewe.networks.batches import batches  # noqa: E402
from crewe.networks.checkpoints import read_checkpoint  # noqa: E402
from crewe.networks.train import train  # noqa: E402
from crewe.networks.training_log import read_log  # noqa: E402
from crewe.networks.training_parts import Networks, trained_network  # noqa: E402
from crewe.networks.training_parts import build_networks as shipped  # noqa: E402
from crewe.networks.training_plan import TrainingPlan, maker_of_plan  # noqa: E402


class Small(torch.nn.Module):
    """A restorer of few weights: the input plus a correction."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(1, 6, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(6, 1, 3, padding=1),
        )

    def forward(self, image):
        return image + self.layers(image)


class Judge(torch.nn.Module):
    """A discriminator of few weights."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(2, 1, 3)

    def forward(self, images):
        return self.layer(images)


def build(plan):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        return Networks(Small(), Judge())


class Ear:
    """Writes down all that it is told."""

    def __init__(self):
        self.said, self.drawn = [], []

    def stage_started(self, stage):
        self.said.append(stage)

    def advanced(self, stage, fraction):
        assert 0 < fraction <= 1

    def message(self, text):
        self.said.append(text)

    def warning(self, text):
        self.said.append(f"warning: {text}")

    def pictured(self, drawn, step):
        self.drawn.append((drawn, step))


STAGES = [
    {"losses": {"l1": 1.0}, "learning_rate": 1e-3, "warm_up_steps": 3, "steps": 6},
    {
        "losses": {"l1": 1.0, "l2": 0.5, "fourier": 0.01, "adversarial": 0.1},
        "learning_rate": 1e-3,
        "adversarial": True,
        "halve_every_steps": 2,
        "steps": 6,
    },
]


def plan_of(**settings):
    base = {
        "name": "mine",
        "recipe": {"name": "hrstem", "changes": {"size_px": 24}},
        "batch_size": 2,
        "stages": STAGES,
        "validation": {"count": 3, "every_steps": 4, "pictures": 2},
        "log_every_steps": 2,
        "checkpoint_every_steps": 3,
        "device": "cpu",
    }
    return TrainingPlan.read({**base, **settings})


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(folder, plan=None, **how):
    folder.mkdir(exist_ok=True)
    ear = Ear()
    how = {"build": build, **how}
    return train(plan or plan_of(), folder, ear, **how), ear


def equal(one, other):
    """Whether two nests of dictionaries, lists and tensors are the same bit for bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, *run(folder)


@pytest.mark.parametrize("cuts", [(5,), (3, 4, 9)])
def test_an_interrupted_run_ends_with_the_very_same_weights(tmp_path, whole, cuts):
    for cut in cuts:
        trained, _ = run(tmp_path, resume=True, steps=cut)
        assert (trained.step, trained.whole) == (cut, True)
    run(tmp_path, resume=True)
    found, expected = (read_checkpoint(path / "checkpoint.pt") for path in (tmp_path, whole[0]))
    assert expected["step"] == 12
    for part in ("generator", "discriminator", "adam", "discriminator_adam", "random"):
        assert equal(found[part], expected[part]), part


def test_a_run_that_is_killed_loses_no_more_than_since_its_checkpoint(tmp_path, whole):
    class KilledError(Exception):
        pass

    asked = []

    def stop():
        asked.append(1)
        if len(asked) == 8:
            raise KilledError
        return False

    with pytest.raises(KilledError):
        run(tmp_path, stop=stop)
    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == 6
    _, ear = run(tmp_path, resume=True)
    assert "goes on after step 6" in ear.said
    found, expected = (read_checkpoint(path / "checkpoint.pt") for path in (tmp_path, whole[0]))
    assert equal(found["generator"], expected["generator"])
    steps = [int(row["step"]) for row in read_log(tmp_path / "log.csv")]
    assert steps == sorted(set(steps)) == [2, 4, 6, 8, 10, 12]


def test_asked_to_stop_it_saves_and_ends(tmp_path):
    trained, _ = run(tmp_path, stop=lambda: True)
    assert (trained.step, trained.whole) == (1, False)
    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == 1


def test_log_and_pictures_tell_the_run(whole):
    folder, trained, ear = whole
    rows = read_log(folder / "log.csv")
    assert [int(row["stage"]) for row in rows] == [1, 1, 1, 2, 2, 2]
    # Warmed up over three steps; halved every two of the second stage.
    rates = [float(row["learning_rate"]) for row in rows]
    np.testing.assert_allclose(rates, [1e-3 * 2 / 3, 1e-3, 1e-3, 1e-3, 5e-4, 2.5e-4], rtol=1e-6)
    assert all(float(row["samples_per_second"]) > 0 for row in rows)
    assert all((row["discriminator"] != "") == (row["stage"] == "2") for row in rows)
    last = {name: float(rows[-1][name] or 0) for name in rows[-1]}
    terms = {name: weight * last[name] for name, weight in STAGES[1]["losses"].items()}
    assert last["total"] == pytest.approx(sum(terms.values()), rel=1e-4)
    measured = {int(r["step"]): r for r in rows if r["validation_psnr_db"]}
    assert list(measured) == [4, 8, 12]
    assert [step for _, step in ear.drawn] == [4, 8, 12]
    assert len(ear.drawn[0][0]) == 2
    best = float(measured[trained.best_step]["validation_psnr_db"])
    assert trained.best_psnr_db == pytest.approx(best, rel=1e-6)


def test_the_first_step_is_adam_with_clipped_gradients_and_warm_up(tmp_path):
    plan = plan_of(gradient_clip=1e-3)
    run(tmp_path, plan, steps=1)
    found = read_checkpoint(tmp_path / "checkpoint.pt")
    network = build(plan).generator
    given, wanted = map(torch.from_numpy, next(batches(plan, maker_of_plan(plan))))
    spread = wanted.std(dim=(1, 2, 3), unbiased=False, keepdim=True)
    ((network(given) - wanted).abs() / spread).mean().backward()
    for name, weight in network.named_parameters():
        gradient = weight.grad.clamp(-1e-3, 1e-3)
        # At its first step Adam's two means are those of the gradient itself.
        expected = weight - 1e-3 / 3 * gradient / (gradient.abs() + 1e-7)
        torch.testing.assert_close(found["generator"][name], expected, rtol=1e-4, atol=1e-6)


def test_it_learns(tmp_path):
    stages = [{"losses": {"l1": 1.0}, "learning_rate": 3e-3, "steps": 150}]
    validation = {"count": 8, "every_steps": 150}
    plan = plan_of(stages=stages, validation=validation, log_every_steps=10)
    trained, ear = run(tmp_path, plan)
    before = next(float(t.split("have ")[1].split()[0]) for t in ear.said if "as given" in t)
    assert trained.best_psnr_db > before + 1
    _, network = trained_network(tmp_path / "best.pt", build)
    weights = read_checkpoint(tmp_path / "checkpoint.pt")["generator"]
    assert equal(dict(network.state_dict()), dict(weights))


def test_it_says_when_it_has_stopped_learning(tmp_path):
    stages = [{"losses": {"l1": 1.0}, "learning_rate": 1e-30, "steps": 6}]
    validation = {"count": 1, "every_steps": 1, "patience": 3}
    _, ear = run(tmp_path, plan_of(stages=stages, validation=validation))
    told = [text for text in ear.said if "has stopped learning: 3 measurements" in text]
    assert len(told) == 1
    assert "of step 1, which best.pt holds" in told[0]


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_checkpoint(tmp_path):
    run(tmp_path, steps=3)
    kept = (tmp_path / "checkpoint.pt").read_bytes()
    broken = [{**STAGES[0], "learning_rate": 1.0, "steps": 40, "warm_up_steps": 0}]
    broken[0]["losses"] = {"l2": 1e38}
    with pytest.raises(CreweError, match=r"the loss of step 4 is .* Lower the learning rate"):
        run(tmp_path, plan_of(stages=broken), resume=True)
    assert (tmp_path / "checkpoint.pt").read_bytes() == kept


def test_folders_of_other_runs_are_refused(tmp_path):
    run(tmp_path, steps=1)
    with pytest.raises(PlanError, match="--resume"):
        run(tmp_path)
    with pytest.raises(PlanError, match="another batch_size, seed"):
        run(tmp_path, plan_of(seed=5, batch_size=3), resume=True)
    _, ear = run(tmp_path, plan_of(workers=1), resume=True, steps=2)
    assert "warning: the run was begun with another workers" in ear.said
    (tmp_path / "checkpoint.pt").write_bytes(b"no")
    with pytest.raises(ReadError, match="damaged"):
        run(tmp_path, resume=True)


def test_without_a_checkpoint_resume_begins_and_a_whole_run_has_nothing_to_do(tmp_path):
    _, ear = run(tmp_path, resume=True, steps=1)
    assert "no checkpoint to resume from: begins at step 0" in ear.said
    trained, ear = run(tmp_path, resume=True, steps=1)
    assert "all of 1 steps are done" in ear.said
    assert trained.whole


def test_a_gpu_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(PlanError, match="finds no GPU"):
        run(tmp_path, plan_of(device="cuda"))


def test_plans_in_checkpoints_are_whole(whole):
    contents = read_checkpoint(whole[0] / "checkpoint.pt")
    assert TrainingPlan.read(yaml.safe_load(contents["plan"])) == plan_of()


def test_the_shipped_networks_take_a_step_in_every_stage(tmp_path):
    every = dict.fromkeys(("l1", "l2", "whitening", "fourier", "mean", "std"), 1.0)
    stages = [
        {"losses": every, "learning_rate": 1e-4, "steps": 1},
        {
            "losses": {**every, "adversarial": 2e-5},
            "learning_rate": 1e-4,
            "steps": 1,
            "adversarial": True,
        },
    ]
    recipe = {"name": "hrstem", "changes": {"size_px": 72}}
    run(tmp_path, plan_of(recipe=recipe, network={"size": "small"}, stages=stages), build=shipped)
    rows = read_log(tmp_path / "log.csv")
    names = [*every, "adversarial", "discriminator"]
    assert all(float(rows[-1][name]) > 0 for name in names)
    assert trained_network(tmp_path / "best.pt")[0].network.size == "small"


@pytest.mark.parametrize("target", ["gaussian_mask", "clean"])
def test_atom_maps_are_learned_by_a_unet(tmp_path, target):
    recipe = {"name": "atom-maps", "changes": {"size_px": 48}}
    network = {"kind": "unet", "size": "small", "target": target}
    stages = [{"losses": {"chi_square": 1.0}, "learning_rate": 1e-4, "steps": 2}]
    plan = plan_of(recipe=recipe, network=network, stages=stages)
    assert run(tmp_path, plan, build=shipped)[0].whole
    head = trained_network(tmp_path / "best.pt")[1].size.head
    assert head == ("sigmoid" if target == "gaussian_mask" else "linear")


def test_sizes_that_no_family_has_are_refused():
    for network in ({"size": "huge"}, {"kind": "unet", "size": "huge", "target": "clean"}):
        with pytest.raises(PlanError, match="huge"):
            shipped(plan_of(network=network))
