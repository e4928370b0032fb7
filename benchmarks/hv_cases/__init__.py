"""The maps that the post-processing benchmark works on, and the plain implementation."""
