"""What holds for every test."""

from hypothesis import settings

# The first example of a test may compile a kernel, on a machine that does other things besides.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
