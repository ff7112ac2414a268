"""From counted columns and a unit cell to atoms in three dimensions."""
