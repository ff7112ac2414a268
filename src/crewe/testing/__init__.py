"""Phantoms and contract tests; shipped, never imported at run time."""
