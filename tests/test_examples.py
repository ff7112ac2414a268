"""The scripts in examples/ do what they say, with less effort than by default."""

import re
import subprocess
import sys
from pathlib import Path

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
