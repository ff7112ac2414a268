"""Columns put into a restored crystal and left out of it, and whether the trust map finds them."""

import numpy as np

from benchmarks.accuracy.trust_picture import Shown
from crewe.restoration import trust_map

SPACING_PX, WIDTH_PX, SIDE_PX = 16, 2.5, 256
HEIGHT, BACKGROUND = 100.0, 20.0
COLUMN_INTENSITY = HEIGHT * 2 * np.pi * WIDTH_PX**2
DOSES = (0.001, 0.002, 0.003, 0.005, 0.01, 0.03, 0.1, 1.0)
FLAGGED = 0.25


def crystal(extra=(), skip=()):
    first = SPACING_PX // 2 + 4
    sites = [
        (y, x) for y in range(first, SIDE_PX, SPACING_PX) for x in range(first, SIDE_PX, SPACING_PX)
    ]
    y, x = np.indices((SIDE_PX, SIDE_PX))
    image = np.full((SIDE_PX, SIDE_PX), BACKGROUND)
    for row, column in [*(site for site in sites if site not in skip), *extra]:
        image += HEIGHT * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * WIDTH_PX**2))
    return image


def changed_places():
    """Every third site, and the middle between four sites beside it."""
    first = SPACING_PX // 2 + 4
    sites = range(first + 2 * SPACING_PX, SIDE_PX - 2 * SPACING_PX, 3 * SPACING_PX)
    gone = [(y, x) for y in sites for x in sites]
    false = [(y + SPACING_PX // 2, x + SPACING_PX // 2) for y, x in gone]
    return false, gone


def plant(model, dose, seed):
    """Trust at false, lost and all columns of one crystal, and the matched filter's S/N."""
    false, gone = changed_places()
    truth = crystal()
    measured = np.random.default_rng(seed).poisson(dose * truth) / dose
    one = crystal(extra=[(100, 100)]) - truth
    changes = (0.0, crystal(extra=false) - truth, crystal(skip=gone) - truth)
    maps = []
    for change in changes:

        def method(image, change=change):
            return model.run(image) + np.float32(change)

        maps.append(trust_map(measured, method(measured), method, np.random.default_rng(seed)))
    as_it_is, with_false, without = (one.trust for one in maps)
    ratio = np.sqrt(dose * np.sum(one**2 / truth))
    return (
        np.array([with_false[place] for place in false]),
        np.array([without[place] for place in gone]),
        np.array([as_it_is[place] for place in gone]),
        float(np.mean(as_it_is < FLAGGED)),
        ratio,
    )


def planted_table(model, repeats):
    lines = [
        "| electrons per column | S/N of a column | false columns flagged % | mean trust there "
        "| lost columns flagged % | mean trust there | true columns flagged % | mean trust there |",
        "| --- |" + " --- |" * 7,
    ]
    for dose in DOSES:
        runs = [plant(model, dose, seed) for seed in range(repeats)]
        false, lost, true = (np.concatenate([run[i] for run in runs]) for i in range(3))
        cells = [f"{dose * COLUMN_INTENSITY:.3g}", f"{runs[0][4]:.1f}"]
        for trusts in (false, lost, true):
            cells += [f"{100 * np.mean(trusts < FLAGGED):.0f}", f"{trusts.mean():.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def planted_picture(model, dose):
    false, gone = changed_places()
    truth = crystal()
    measured = np.random.default_rng(0).poisson(dose * truth) / dose
    change = np.float32(crystal(extra=false[:5], skip=gone[5:]) - truth)

    def method(image):
        return model.run(image) + change

    restored = method(measured)
    judged = trust_map(measured, restored, method, np.random.default_rng(0))
    title = f"columns put in (above) and\nleft out, {dose * COLUMN_INTENSITY:.0f} e each"
    return Shown(title, measured, restored, truth, judged.trust)
