"""Pages in a browser on the same machine, by the standard library alone."""
