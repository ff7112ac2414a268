"""Keep a damaged file from harming: one error type, no noise, no runaway memory."""

from __future__ import annotations

import gc
import logging
import struct
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crewe.errors import CreweError, ReadError

EAGER_BYTES = 64 * 2**20
LARGEST_LOAD_BYTES = 16 * 2**30
# A byte of a one-bit detector file unpacks to eight; deflate shrinks at most 1032 times.
UNPACKED_RATIO = 8
DEFLATE_RATIO = 1032
NOISY_LOGGERS = ("RosettaSciIO", "rsciio", "tifffile", "PIL", "h5py")


@contextmanager
def reading(path: Path, format_name: str) -> Iterator[None]:
    """Turn whatever a reader raises into a ReadError of one line and silence its remarks."""
    levels = {name: logging.getLogger(name).level for name in NOISY_LOGGERS}
    for name in levels:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except CreweError:
        raise
    except MemoryError as error:
        _let_go(error)
        raise ReadError(
            f"{path.name}: needs more memory than there is; if the file is small it is damaged"
        ) from error
    except (struct.error, EOFError) as error:
        _let_go(error)
        raise ReadError(
            f"{path.name}: ends early, is damaged or is no {format_name} file: copy it again"
        ) from error
    except NotImplementedError as error:
        _let_go(error)
        raise ReadError(
            f"{path.name}: a kind of {format_name} file that cannot be read yet ({one_line(error)})"
        ) from error
    except Exception as error:
        _let_go(error)
        raise ReadError(
            f"{path.name}: truncated, damaged or not a {format_name} file ({one_line(error)})"
        ) from error
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _let_go(error: BaseException | None) -> None:
    """Close what the failed reader still holds open, in the frames of its traceback."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while error is not None:
            traceback.clear_frames(error.__traceback__)
            error = error.__context__
        # Readers that hang in reference cycles would otherwise complain at some later moment.
        gc.collect(1)


def one_line(error: BaseException, longest: int = 160) -> str:
    """Name an exception and its message in one short line."""
    text = " ".join(str(error).split())
    text = "".join(letter for letter in text if letter.isprintable())
    return f"{type(error).__name__}: {text[:longest]}" if text else type(error).__name__


def check_claim(
    path: Path, claimed_bytes: int, ratio: int, stored_bytes: int | None = None
) -> None:
    """Refuse an array that claims to be larger than its file can hold.

    `ratio` is how far the format can shrink data; `stored_bytes` defaults to the file's size.
    """
    stored = path.stat().st_size if stored_bytes is None else stored_bytes
    if claimed_bytes > max(stored, 1) * ratio:
        raise ReadError(
            f"{path.name}: claims {claimed_bytes:,} bytes of data but holds {stored:,}: "
            "truncated or damaged"
        )


def check_load(path: Path, claimed_bytes: int) -> None:
    """Refuse to load more than fits a workstation at once."""
    if claimed_bytes > LARGEST_LOAD_BYTES:
        raise ReadError(
            f"{path.name}: the array takes {claimed_bytes / 2**30:.0f} GiB: "
            "choose one image with --frame, or read it lazily with crewe.io.read"
        )
