"""Tangram's objective and its optimiser, on sparse counts."""
