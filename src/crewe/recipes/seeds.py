"""Random numbers that depend on a place, not on what was drawn before."""

from numpy.random import PCG64, Generator, SeedSequence


def child_generator(seed: int, *place: int) -> Generator:
    """Return the generator of a place below a seed, such as (sample, step).

    Every place has its own stream: sample i needs none of the samples before it, and a step
    that is added or skipped changes no other.
    """
    return Generator(PCG64(SeedSequence(seed, spawn_key=place)))
