"""From an image to its atomic columns: find them, fit them, say how well they are known."""

from crewe.atoms.find import find_columns
from crewe.atoms.fit import ColumnFit, fit_columns

__all__ = ["ColumnFit", "find_columns", "fit_columns"]
