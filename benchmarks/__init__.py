"""Scripts that measure crewe against bounds and other programs."""
