"""Which frame of a Merlin file lies where, when numbers are missing, twice or mixed up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FrameIndex:
    """For each place of the acquisition the frame of the file, −1 where there is none.

    Per frame of the file: `places` is the reverse, `late` says that its number came before,
    `damaged` that its number cannot be read or cannot be.
    """

    frames: NDArray[np.int64]
    places: NDArray[np.int64]
    late: NDArray[np.bool_]
    damaged: NDArray[np.bool_]

    @property
    def missing(self) -> int:
        """Places without a frame, less the frames of which the place is not known."""
        return max(0, int(np.sum(self.frames < 0)) - int(np.sum(self.damaged)))

    def among(self, place: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the frames of the file from `place` to `stop`, and how far behind `place`."""
        frames = self.frames[max(place, 0) : stop]
        there = np.flatnonzero(frames >= 0)
        return frames[there], there + max(place, 0) - place


def frame_index(
    numbers: NDArray[np.int64], base: int, stop: int, before: int | None = None
) -> FrameIndex:
    """Place frames by their numbers, −1 for damaged ones; the place of number `base` is 0.

    Of several with one number that is taken which lies where a file that lacks `before` frames
    at its beginning, and no others, has it; else the one that follows or precedes its neighbour,
    else the first.
    """
    places = np.where(numbers < 0, -1, numbers - base)
    damaged = (places < 0) | (places >= stop)
    sound = np.flatnonzero(~damaged)
    regular = np.zeros(len(numbers), bool)
    if before is not None:
        regular = places == np.arange(len(numbers)) + before
    keys = (sound, ~_in_step(numbers)[sound], ~regular[sound], places[sound])
    order = sound[np.lexsort(keys)]
    first = np.diff(places[order], prepend=-1) > 0
    frames = np.full(stop, -1, np.int64)
    frames[places[order[first]]] = order[first]
    late = np.zeros(len(numbers), bool)
    late[order[~first]] = True
    return FrameIndex(frames, _reverse(frames, len(numbers)), late, damaged)


def _reverse(frames: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    places = np.full(number, -1, np.int64)
    there = np.flatnonzero(frames >= 0)
    places[frames[there]] = there
    return places


def highest_number(numbers: NDArray[np.int64], last: int) -> int:
    """Return the highest number that can be believed: of two neighbours in step, or the last."""
    return max(last, int(numbers[_in_step(numbers)].max(initial=last)))


def start_again(numbers: NDArray[np.int64], first: int) -> bool:
    """Say whether numbers fall to the first and rise anew, or are no numbers of frames at all."""
    sound = numbers[numbers >= 0]
    falls = (sound[1:-1] == first) & (sound[:-2] > first) & (sound[2:] == first + 1)
    # A first frame that comes second is no fall: the number must have been there before.
    again = falls & (np.cumsum(sound == first)[1:-1] > 1)
    return bool(again.any()) or 2 * len(np.unique(sound)) <= len(sound)


def _in_step(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    follows = np.zeros(len(numbers), bool)
    follows[1:] = (np.diff(numbers) == 1) & (numbers[:-1] >= 0)
    return follows | np.append(follows[1:], False)
