"""Heavy third-party models behind array-in, array-out functions."""
