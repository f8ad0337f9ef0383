"""A flow without tasks."""
