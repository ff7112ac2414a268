"""What the `emulator` commands say to people."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crewe.workflows.emulator_check import Verdict

UNKNOWN = "not known"


def fit_lines(summary: dict[str, Any]) -> list[str]:
    """Say how good an emulator is, in a few lines."""
    repeats = summary["each_repeat"]
    spread = f"   repeats {', '.join(f'{one:.4f}' for one in repeats)}" if len(repeats) > 1 else ""
    lines = [
        f"terms                    {summary['terms']}",
        f"pairs                    {summary['pairs']}, {summary['pixels']:,} pixels",
        f"1 − R²                   {summary['one_minus_r2']:.4f}{spread}",
        f"fractional r.m.s. error  {summary['fractional_rms']:.4f}",
    ]
    lines += _chosen_lines(summary) + _optional_lines(summary)
    lines += _probe_lines(summary)
    return lines + _selection_lines(summary) + _leave_out_lines(summary)


def _chosen_lines(summary: dict[str, Any]) -> list[str]:
    chosen = summary["chosen_on_these_images"]
    if not chosen:
        return []
    return [
        f"  a little too good: {' and '.join(chosen)} chosen on these very images; "
        "'emulator check' scores new pairs"
    ]


def _probe_lines(summary: dict[str, Any]) -> list[str]:
    found = summary.get("probe")
    if found is None:
        return []
    unit = "px" if found["width_of"] == "blur" else "Å"
    names = {"probe": "probe σ", "vibration": "vibration", "blur": "further blur"}
    lines = [
        f"{names[found['width_of']]:<24} {_with_error(found['width'], found['width_error'])} {unit}"
    ]
    if found["exponent"] is not None:
        lines.append(
            f"exponent of Z            {_with_error(found['exponent'], found['exponent_error'])}"
        )
    before, after = found["one_minus_r2_before"], found["one_minus_r2"]
    lines.append(f"  1 − R² of a small emulator from {before:.5f} to {after:.5f} by it")
    if "plan_one_minus_r2" in found:
        before, after = found["plan_one_minus_r2_before"], found["plan_one_minus_r2"]
        word = "taken" if found["used"] else "not taken"
        lines.append(f"  of the usual or given polynomial from {before:.5f} to {after:.5f}: {word}")
    return [*lines, "  what suits a polynomial best is no measured probe"]


def _with_error(value: float, error: float | None) -> str:
    return f"{value:.3f}" if error is None else f"{value:.3f} ± {error:.3f}"


def _selection_lines(summary: dict[str, Any]) -> list[str]:
    rows = summary.get("selection")
    if rows is None:
        return []
    lines = ["tried (* as good as the best within its standard error):"]
    for row in rows:
        kind = f"{row['size']} × {row['size']}" if row["size"] else "smoothed"
        with_log = "log" if row["log"] else ""
        products = "products" if row["interactions"] else ""
        mark = "*" if row["sufficient"] else " "
        lines.append(
            f"  {row['terms']:>5} terms  {row['one_minus_r2']:.5f} {mark}  {kind:<8} degree "
            f"{row['degree']}  {with_log:<3}  {products}".rstrip()
        )
    return lines


def _leave_out_lines(summary: dict[str, Any]) -> list[str]:
    rows = summary.get("leave_out")
    if rows is None:
        return []
    lines = ["1 − R² by number of training images:"]
    for row in rows:
        spread = "" if row["spread"] is None else f" ± {row['spread']:.5f}"
        lines.append(f"  {row['images']:>5}        {row['one_minus_r2']:.5f}{spread}")
    return lines


def _optional_lines(summary: dict[str, Any]) -> list[str]:
    lines = []
    if any(summary["shift_px"]):
        y, x = summary["shift_px"]
        lines.append(f"shift taken out          {y:.2f}, {x:.2f} px (y, x)")
    if summary["phonon_floor"] is not None:
        floor = summary["phonon_floor"]
        lines.append(f"phonon noise             {floor:.4f} of 1 − R², which no emulator explains")
    within = summary["coverage"]
    if None not in within:
        shares = " and ".join(f"{100 * share:.0f} %" for share in within)
        lines.append(f"pixels within 1 and 2    {shares}")
        lines.append("  standard errors")
    if summary["output"] is not None and not summary["takes_atoms"]:
        lines.append("takes images, not atoms: PAIRS do not say how theirs were made")
    if summary["output"] is not None and summary["takes_atoms"] and not summary["elements"]:
        lines.append("elements not known: add --element, or every specimen counts as outside")
    return lines


def described_lines(facts: dict[str, Any]) -> list[str]:
    """Say what an emulator is."""
    size = f"{facts['bytes'] / 1000:.0f} kB"
    rows = {
        "terms": f"{facts['terms']}, {_polynomial(facts)}",
        "features": _features(facts),
        "learned from": f"{facts['pairs']} pairs of {facts['source'] or UNKNOWN}, "
        f"{facts['pixels'] or 0:,} pixels",
        "elements": ", ".join(facts["elements"]) or UNKNOWN,
        "thickest specimen": _or_unknown(facts["thickness_angstrom"], "{:.3g} Å"),
        "shift taken out": "{:.2f}, {:.2f} px (y, x)".format(*facts["shift_px"]),
        **_convolution(facts["convolution"]),
        "1 − R²": _or_unknown(facts["one_minus_r2"], "{:.4f}") + _how_tested(facts),
        "fractional r.m.s. error": _or_unknown(facts["fractional_rms"], "{:.4f}"),
        "phonon noise": _or_unknown(facts["phonon_floor"], "{:.4f} of 1 − R²"),
    }
    head = f"{facts['emulator']}  {size}"
    return [head, *(f"  {name:<24} {value}" for name, value in rows.items())]


def verdict_lines(verdict: "Verdict") -> list[str]:
    """Say whether an input is inside, why not, and how pairs came out."""
    word = "inside" if verdict.inside else "outside what it learned from"
    lines = [f"{verdict.name}: {word}", *(f"  {reason}" for reason in verdict.reasons)]
    lines += [f"  ({remark})" for remark in verdict.remarks]
    found = verdict.figures
    if verdict.kind == "pairs":
        one = f"{100 * found['within_1_standard_error']:.0f} %"
        two = f"{100 * found['within_2_standard_errors']:.0f} %"
        lines += [
            f"  1 − R² {found['one_minus_r2']:.4f}, fractional r.m.s. error "
            f"{found['fractional_rms']:.4f} over {found['pairs']} pairs",
            f"  {one} of the pixels within 1 standard error, {two} within 2",
        ]
    return lines


def _polynomial(facts: dict[str, Any]) -> str:
    plan = facts["plan"]
    products = "with" if plan["interactions"] else "without"
    return f"degree {plan['degree']} {products} products"


def _features(facts: dict[str, Any]) -> str:
    plan = facts["plan"]
    if plan["features"] == "smoothed":
        return ", ".join(plan["kinds"])
    log = ", with the logarithm of the pixel" if plan["log"] else ""
    return f"{plan['size']} × {plan['size']} px{log}"


def _convolution(how: dict[str, Any] | None) -> dict[str, str]:
    if how is None:
        return {"convolution images": "not said how they were made: takes images, not atoms"}
    sigma = how["probe_sigma_angstrom"]
    probe = "probe of the lens" if sigma is None else f"σ {sigma:g} Å"
    rows = {
        "pixel": f"{how['pixel_size_angstrom']:g} Å",
        "convolution images": f"Z^{how['exponent']:g}, {probe}",
    }
    if how["optics"] is not None:
        lens = how["optics"]
        rows["lens"] = f"{lens['beam_energy_kev']:g} keV, {lens['semi_angle_mrad']:g} mrad"
    if how["detector"] is not None:
        ring = how["detector"]
        rows["detector"] = f"{ring['inner_mrad']:g}–{ring['outer_mrad']:g} mrad"
    return rows


def _how_tested(facts: dict[str, Any]) -> str:
    if facts["kind"] is None:
        return ""
    return f" ({facts['folds']}-fold by {facts['kind']}, {facts['repeats']} times)"


def _or_unknown(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else form.format(value)
