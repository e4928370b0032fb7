"""Slides for tests, smallest first: each module says in its first line what it is for."""
