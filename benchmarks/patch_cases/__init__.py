"""The slide that the patch benchmarks share, and the plain loop."""
