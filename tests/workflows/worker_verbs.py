"""Verbs for worker processes."""

import os

from crewe.errors import ImageError
from crewe.workflows.many import Finished


def halve(number, observer):
    """Fail for odd numbers, break for zero, and find 8 done already."""
    observer.started(str(number))
    if number % 2:
        raise ImageError(f"{number} is odd: give an even number")
    if number == 0:
        raise ZeroDivisionError("nothing to halve")
    observer.warning("halved")
    return Finished({"half": number // 2}, skipped=number == 8)


def end_abruptly(item, observer):
    """End as a process does that the system kills."""
    os._exit(7)
