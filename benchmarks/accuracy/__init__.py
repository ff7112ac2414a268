"""How close crewe comes to the truth, to other programs and to published numbers."""
