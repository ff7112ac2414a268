"""Columns against unit cells: indices, lattices, displacements, strain, tilts, Burgers vectors."""
