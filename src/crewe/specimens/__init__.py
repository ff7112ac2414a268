"""Atoms before the microscope."""
