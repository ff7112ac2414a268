"""Element maps and elastic images to better element maps, with error bars."""
