"""What the `emulator` commands say to people."""

from typing import Any


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
    return lines + _optional_lines(summary)


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
    return lines
