"""With which network a result was made, and on how many threads it runs."""

import os
from pathlib import Path
from typing import Any

from crewe.networks.zoo import card_of, path_of_network
from crewe.workflows.provenance import runtime_version, sha256, versions


def made_with(model: str, image: Path) -> dict[str, Any]:
    """Return what a note says of the network, the image file and the versions.

    Raises PlanError for an unknown network and ReadError for a file that cannot be read.
    """
    card = card_of(model)
    card_file = path_of_network(model).with_suffix(".yaml")
    return {
        "network": {"name": card.name, "sha256": card.sha256, "card_sha256": sha256(card_file)},
        "image_sha256": sha256(image),
        "versions": versions() | runtime_version(),
    }


def threads_each(threads: int | None, workers: int, items: int) -> int | None:
    """Return the threads of a network in each process: those asked for, else its share of cores.

    None, all cores, where one process works alone.
    """
    processes = min(workers, items)
    if threads is not None or processes < 2:
        return threads
    return max(1, (os.cpu_count() or 1) // processes)
