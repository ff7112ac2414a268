"""Pure functions of electron physics on arrays."""
