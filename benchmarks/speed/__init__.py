"""How long crewe takes, and how that grows."""
