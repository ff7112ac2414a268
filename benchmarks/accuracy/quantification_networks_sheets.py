"""Pictures of one example per case: raw, restored and noise-free at a low and a high dose."""

from pathlib import Path

from benchmarks.accuracy import quantification_networks_images as images
from benchmarks.accuracy.contact_sheets import save
from benchmarks.accuracy.quantification_networks_specimens import BULK_CELLS, CASES, Truth
from crewe.networks.zoo import TrainedNetwork
from crewe.plots.contact_sheet import CaptionedImage, SheetRow, contact_sheet, sheet_png


def draw(known: Truth, network: TrainedNetwork, path: Path) -> None:
    """Write the sheet of a case: its lowest dose, a middle one, and its highest."""
    doses = images.doses_of(known.case)
    chosen = sorted({0, len(doses) // 2, len(doses) - 1})
    last = len(known.images) - 1
    rows = [_row(known, network, 0 if dose == 0 else last, dose) for dose in chosen]
    save(sheet_png(contact_sheet(rows, 3)), path)


def _row(known: Truth, network: TrainedNetwork, thickness: int, dose: int) -> SheetRow:
    case, clean = known.case, known.images[thickness]
    value = images.doses_of(case)[dose]
    place = (list(CASES).index(case.name), thickness, dose, 0)
    raw = images.recorded(case, clean, value, place)
    shown = (
        CaptionedImage(raw, "raw", case.pixel_size),
        CaptionedImage(images.restored(network, raw), "restored", case.pixel_size),
        CaptionedImage(clean, "noise-free", case.pixel_size),
    )
    cells = f", {BULK_CELLS[thickness]} unit cells" if case.name == "bulk" else ""
    return SheetRow(shown, f"{case.name}{cells}, {value:,.0f} e/Å²")
