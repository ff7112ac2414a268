r"""Whether the trust map tells the truth, on training samples and columns put in or left out.

python -m benchmarks.accuracy.trust --model hrstem \
        --picture docs/images/trust.jpg --markdown docs/benchmarks/trust.md
"""

import argparse
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import ndimage, stats

from benchmarks.accuracy.tables import environment
from benchmarks.accuracy.trust_columns import (
    BACKGROUND,
    FLAGGED,
    HEIGHT,
    SPACING_PX,
    WIDTH_PX,
    planted_picture,
    planted_table,
)
from benchmarks.accuracy.trust_picture import Shown, draw
from crewe.networks.validation import psnr
from crewe.networks.zoo import TrainedNetwork, open_network
from crewe.restoration import trust_map
from crewe.restoration.evidence import TYPICAL_PERCENT, WINDOW, local_variance
from crewe.training_sets import load_recipe

SEED = 616161
"""Neither of training nor of any validation set, and not of the samples that constants were set
with."""
LARGE_ERROR = 0.25
EVERY_PX = 8
BINS = (0.0, 0.1, 0.25, 0.45, 0.55, 0.75, 0.9, 0.97, 1.0)

EXPLANATION = """\
`crewe restore` writes a map beside each restored image: 1 where the data support what is shown,
0.5 where they cannot tell, 0 where they contradict it. Is that so? Two tests.

**Training samples.** {count} samples of the recipe `{recipe}` with seed {seed}, which no network
was trained or chosen on, restored with `{model}`. A place counts as *right* when the mean squared
error in the window that the trust map looks through (a Gaussian) is below a quarter of the ideal
image's variance in the same window plus its typical variance (75th percentile of the image).
Places are {every} pixels apart. The area under the curve (AUC) is the probability that a wrong
place has less trust than a right one.

**Columns put in and left out.** A square crystal of Gaussian columns (width {width} px, {spacing}
px apart, height {height:g} on {background:g}) with Poisson noise of several doses is restored with
the network. Then columns that are not there are added to the restored image, half way between four
others, or some that are there are taken away, and the trust map is made for that. Flagged is a
trust below {flagged}. The signal-to-noise ratio is that of a matched filter for one column in the
measured image: below about 3 nobody can tell. True columns, at the same sites of the restored image
as it came, ought not to be flagged.
"""


@dataclass(frozen=True)
class Judged:
    """What the trust map says of one sample, and what is so."""

    trust: np.ndarray
    """At the places."""
    wrong: np.ndarray
    error: np.ndarray
    """Mean squared error over the variance that it is measured by."""
    trusted_share: float
    psnr_db: float
    shown: Shown


def judge_sample(model: TrainedNetwork, sample) -> Judged:
    measured = sample.arrays["degraded"].astype(np.float32)
    ideal = sample.arrays["ideal"].astype(np.float64)
    restored = model.run(measured)
    judged = trust_map(measured, restored, model.run, np.random.default_rng(0))
    error = relative_error(restored, ideal, WINDOW * judged.structure_width_px)
    places = (slice(EVERY_PX // 2, None, EVERY_PX),) * 2
    figure = psnr(restored, ideal)
    return Judged(
        judged.trust[places].ravel(),
        error[places].ravel() > LARGE_ERROR,
        error[places].ravel(),
        judged.trusted_share,
        figure,
        Shown(
            f"{figure:.1f} dB, trusted {100 * judged.trusted_share:.0f} %",
            measured,
            restored,
            ideal,
            judged.trust,
        ),
    )


def relative_error(restored, ideal, window_px):
    """Mean squared error over local and typical variance of the ideal, in the window."""
    squares = ndimage.gaussian_filter((restored - ideal) ** 2, window_px, truncate=3.0)
    local = local_variance(ideal, window_px)
    return squares / (local + np.percentile(local, TYPICAL_PERCENT) + 1e-12)


def area_under_curve(score, positive):
    """Probability that a positive has a larger score than a negative."""
    ones = int(positive.sum())
    zeros = positive.size - ones
    if not ones or not zeros:
        return float("nan")
    ranks = stats.rankdata(score)
    return (ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros)


def sample_tables(judged):
    trust, wrong = (np.concatenate([getattr(one, n) for one in judged]) for n in ("trust", "wrong"))
    lines = ["| trust | share of area % | right % |", "| --- | --- | --- |"]
    for low, high in pairwise(BINS):
        inside = (trust >= low) & ((trust < high) | (high == 1.0))
        right = f"{100 * np.mean(~wrong[inside]):.0f}" if inside.sum() > 50 else "–"
        lines.append(f"| {low:g}–{high:g} | {100 * inside.mean():.1f} | {right} |")
    high = trust > 0.9
    within = [area_under_curve(-one.trust, one.wrong) for one in judged]
    shares, figures = (
        [getattr(one, name) for one in judged] for name in ("trusted_share", "psnr_db")
    )
    facts = [
        f"- wrong by the rule above: {100 * wrong.mean():.0f} % of the area",
        f"- AUC of 1 − trust for wrong places, all samples together: "
        f"{area_under_curve(-trust, wrong):.3f}; within one sample, on average: "
        f"{np.nanmean(within):.3f}",
        f"- of what has a trust above 0.9 ({100 * high.mean():.0f} % of the area), "
        f"{100 * np.mean(~wrong[high]):.0f} % is right",
        f"- rank correlation of a sample's one number, the share trusted, with its PSNR: "
        f"{stats.spearmanr(shares, figures).statistic:.2f}",
    ]
    return "\n".join(facts), "\n".join(lines)


def page(model, recipe, judged, planted):
    facts, table = sample_tables(judged)
    explained = EXPLANATION.format(
        count=len(judged),
        recipe=recipe,
        seed=SEED,
        model=model.card.name,
        every=EVERY_PX,
        width=WIDTH_PX,
        spacing=SPACING_PX,
        height=HEIGHT,
        background=BACKGROUND,
        flagged=FLAGGED,
    )
    return (
        "\n\n".join(
            [
                "# The trust map",
                "`python -m benchmarks.accuracy.trust` wrote this page.",
                explained,
                f"The network: `{model.card.name}`, {model.card.validation.psnr_db:.2f} dB on its "
                f"validation set, SHA-256 {model.card.sha256[:12]}….",
                "## Training samples",
                facts,
                table,
                "![Measured, ideal, restored, error and trust](../images/trust.jpg)",
                "Rows: samples of high, middle and low share trusted, and the crystal with columns "
                "put in and left out. The error is relative, black where it is small and white "
                "from one on; trust is red at 0, white at 0.5 and blue at 1.",
                "## Columns put in and left out",
                planted,
                environment("numpy", "scipy", "onnxruntime"),
            ]
        )
        + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="hrstem")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    model = open_network(given.model, given.threads)
    maker = load_recipe(model.card.recipe)
    judged = [judge_sample(model, maker.sample(SEED, i)) for i in range(given.count)]
    text = page(model, maker.name, judged, planted_table(model, given.repeats))
    print(text)
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")
    if given.picture:
        by_share = sorted(judged, key=lambda one: one.trusted_share)
        rows = [by_share[int(q * (len(by_share) - 1))].shown for q in (0.9, 0.6, 0.2)]
        draw([*rows, planted_picture(model, 0.02)], given.picture, relative_error)


if __name__ == "__main__":
    main()
