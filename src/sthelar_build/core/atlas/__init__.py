"""Reference atlases: which cells and genes are taken, and what their values mean."""
