"""Slides whose registration is known, made for the benchmarks of registration."""
