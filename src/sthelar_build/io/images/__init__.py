"""Whole-slide images and morphology images: windows of them, never the whole."""
