"""The scripts in examples/ do what they say, with less effort than by default."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_tilt_of_a_particle_is_recovered_by_emulated_images(tmp_path):
    picture = tmp_path / "tilt.png"
    script = EXAMPLES / "emulator" / "recover_tilt.py"
    said = subprocess.run(
        [sys.executable, script, "--refined", "2", "--picture", picture],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert float(re.search(r"off by ([\d.]+)°", said)[1]) < 1.0
    assert int(re.search(r"(\d+) emulated images", said)[1]) > 100
    assert picture.stat().st_size > 10_000


def test_fused_maps_are_nearer_to_the_truth_than_smoothed_ones(tmp_path):
    picture = tmp_path / "fused.png"
    script = EXAMPLES / "fusion" / "fuse_core_shell.py"
    said = subprocess.run(
        [sys.executable, script, "--picture", picture], capture_output=True, text=True, check=True
    ).stdout
    errors = {
        name: float(re.search(rf"{name} +([\d.]+)", said)[1])
        for name in ("measured", "best Gaussian", "fused ")
    }
    assert errors["fused "] < 0.6 * errors["best Gaussian"] < 0.3 * errors["measured"]
    assert 0.6 < float(re.search(r"standard error: ([\d.]+)", said)[1]) < 1.6
    pairs = re.findall(r"middle: ([\d.]+) %, in truth ([\d.]+) %", said)
    assert len(pairs) == 3
    assert all(abs(float(found) - float(true)) < 1.5 for found, true in pairs)
    assert picture.stat().st_size > 10_000
    readme = " ".join((EXAMPLES.parent / "README.md").read_text(encoding="utf-8").split())
    quoted = re.search(r"are off by (\d+) %; each .*?, by (\d+) %\.", readme)
    assert [round(100 * errors[name]) for name in ("fused ", "best Gaussian")] == [
        int(quoted[1]),
        int(quoted[2]),
    ]


@pytest.mark.parametrize("prior", ["auto", "amounts"])
def test_the_guide_tells_what_the_example_gives(prior):
    import crewe

    folder = EXAMPLES / "fusion"
    guide = EXAMPLES.parent / "docs" / "how-to" / "fusing-element-maps.md"
    told = " ".join(guide.read_text(encoding="utf-8").split())
    maps = {name: crewe.read(folder / f"{name.lower()}.tif") for name in ("Co", "S", "O")}
    fused = crewe.fuse(crewe.read(folder / "haadf.tif"), maps, prior=prior)
    given = fused.raw.sum(("y", "x"), dtype=float).values
    cobalt, sulphur, oxygen = 100 * (fused.maps.sum(("y", "x"), dtype=float).values / given - 1)
    if prior == "auto":
        assert f"prior {fused.prior}, strength {fused.strength:.3g}, Co, S, O written" in told
        assert max(map(abs, (cobalt, sulphur, oxygen))) < 1
        return
    losses = f"sulphur loses {-sulphur:.0f} % and oxygen {-oxygen:.0f} %"
    assert f"{losses}, and cobalt gains {cobalt:.0f} %" in told


def test_the_maps_of_the_fusion_example_are_what_its_script_makes(monkeypatch):
    import numpy as np

    import crewe

    monkeypatch.syspath_prepend(EXAMPLES / "fusion")
    from make_core_shell import measurement

    made = measurement()
    for element in ("Co", "S", "O"):
        stored = crewe.read(EXAMPLES / "fusion" / f"{element.lower()}.tif")
        np.testing.assert_array_equal(stored.values, made.maps.sel(element=element).values)
        assert stored.attrs["units"] == "counts"
