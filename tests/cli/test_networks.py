import json

import pytest
import yaml
from small_networks import matched_filter

from crewe.cli.main import main
from crewe.networks import zoo


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A zoo of two small networks."""
    matched_filter(tmp_path / "blobs.onnx")
    matched_filter(tmp_path / "smooth.onnx", output="intensity", task="restoration")
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)


def test_networks_are_listed_with_their_figures(shipped, capsys):
    assert main(["networks"]) == 0
    head, blobs, smooth = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["name", "task"]
    assert blobs.startswith("blobs   atom map")
    assert "0.1–0.3 Å" in smooth
    assert "20.00 dB" in smooth
    assert blobs.index("atom map") == smooth.index("restoration")


def test_networks_as_json(shipped, capsys):
    assert main(["networks", "--json"]) == 0
    cards = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [card["name"] for card in cards] == ["blobs", "smooth"]


def test_the_card_is_printed(shipped, capsys):
    assert main(["networks", "show", "smooth"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["task"] == "restoration"
    assert main(["networks", "show", "smooth", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "smooth"


def test_an_unknown_network_lists_the_known_ones(shipped, capsys):
    assert main(["networks", "show", "hubble"]) == 2
    assert "choose one of blobs, smooth" in capsys.readouterr().err


def test_an_installation_without_networks_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    assert main(["networks"]) == 0
    assert "no network" in capsys.readouterr().out
