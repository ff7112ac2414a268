"""Diffraction patterns to images: each method is one reducer."""
