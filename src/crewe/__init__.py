"""crewe: noisy electron-microscope data in, quantified atomic structure out."""

__version__ = "0.1.0"
