"""Networks: everything that knows torch, and what runs them without it."""
