"""From scattering cross-sections to the number of atoms in each column, or a clear "cannot say"."""
