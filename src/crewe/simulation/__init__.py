"""From a specimen to the ideal image that a perfect instrument would record of it."""
